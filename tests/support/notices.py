"""Notifications as channels get them: sensible defaults, any field to be overridden."""

from typing import Any

from routing.delivery import Message, Purpose
from routing.ports import Notification
from routing.severity import Severity

MESSAGE = Message(
    title="[INC-1] SEV-0 Site is down",
    body="SEV-0: Site is down\nAll checks fail.\nTried: rollback, site still down.",
    speech="Tocsin. Severity 0. Incident 1. Site is down.",
)
HOSTILE = (
    '</Say><Dial>+19005550000</Dial><script>alert(1)</script> & "quoted" \x00\x1b[31m\u202egnp.exe '
    "{{ secret }} %s ${HOME} ünï 日本 🔥"
)
"""What somebody who wants to do harm, or merely writes Japanese, puts into an alert's name."""


def notice(**changes: Any) -> Notification:
    fields: dict[str, Any] = {
        "delivery": "INC-1-d1",
        "incident": "INC-1",
        "to": "+48500000001",
        "purpose": Purpose.PAGE,
        "severity": Severity.SEV0,
        "message": MESSAGE,
        "attempt": 1,
        "repeat": False,
        "ack_url": "https://tocsin.example/a/token",
        "callback_url": "https://tocsin.example/callbacks",
    }
    return Notification(**{**fields, **changes})
