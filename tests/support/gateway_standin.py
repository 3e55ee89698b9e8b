"""A voice and SMS gateway as there are many: JSON over HTTP with a bearer token, its own words, callbacks it signs.

It takes only what it documents, says no with 200 and a code where such gateways do, and calls back what is asked.
"""

import hmac
import http.client
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from vendor_server import Asked, Reply, VendorServer

TOKEN = "gateway-token"
SECRET = "gateway-callback-secret"
_NUMBER = re.compile(r"[1-9]\d{6,14}")
_TAKES = {"/v1/messages": {"to", "from", "text", "reference", "report_to"},
          "/v1/calls": {"to", "from", "say", "language", "voice", "reference", "report_to", "keys_to"}}  # fmt: skip
_NEEDS = {"/v1/messages": "text", "/v1/calls": "say"}

SMS: dict[str, Any] = {
    "bearer": TOKEN,
    "fields": {
        "to": "{{ to_digits }}", "from": "Tocsin", "text": "{{ text }}", "reference": "{{ delivery }}",
        "report_to": "{{ receipt_url }}",
    },
    "accepted": "code == `0`",
    "busy": "code == `9`",
    "opted_out": "code == `4`",
    "id": "message.id",
    "error": "explained",
    "callback_secret": SECRET,
    "receipts": {
        "status": "state", "id": "id", "detail": "why",
        "words": {"DELIVRD": "delivered", "UNDELIV": "undelivered", "QUEUED": "ignored", "OPTOUT": "opted-out"},
    },
    "replies": {"text": "body", "sender": "msisdn", "id": "id"},
}  # fmt: skip
"""How its channel is configured."""

VOICE: dict[str, Any] = {
    **SMS,
    "fields": {
        "to": "{{ to_digits }}", "from": "48225550000", "say": "{{ text }}", "language": "{{ language }}",
        "voice": "{{ voice }}", "reference": "{{ delivery }}", "report_to": "{{ receipt_url }}",
        "keys_to": "{{ reply_url }}",
    },
    "receipts": {
        "status": "state", "id": "id",
        "words": {"BUSY": "busy", "NOANSWER": "no-answer", "MACHINE": "machine", "ANSWERED": "in-progress"},
    },
    "replies": {"text": "dtmf.digits", "id": "id", "answer": [{"action": "talk", "text": "{{ said }}"}]},
}  # fmt: skip


@dataclass(frozen=True)
class Taken:
    id: str
    path: str
    fields: dict[str, Any]


class GatewayStandin(VendorServer):
    """`receiver`: where callbacks really go, while their URL stays the public one's."""

    def __init__(self, *, receiver: str = "", **more: Any) -> None:
        super().__init__(**more)
        self.receiver = receiver
        self.taken: list[Taken] = []
        self.opted_out: set[str] = set()

    def sms(self, **changes: Any) -> dict[str, Any]:
        return {"url": f"{self.url}/v1/messages", **SMS, **changes}

    def voice(self, **changes: Any) -> dict[str, Any]:
        return {"url": f"{self.url}/v1/calls", **VOICE, **changes}

    def fault(self, status: int) -> Any:
        return {"code": 1, "explained": f"scripted {status}"}

    def answer(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply(401, {"code": 2, "explained": "who are you"})
        takes = _TAKES.get(asked.path)
        if asked.method != "POST" or takes is None:
            return Reply(404, {"code": 3, "explained": "no such thing"})
        if asked.headers.get("content-type") != "application/json":
            return Reply(415, {"code": 3, "explained": "JSON only"})
        fields = asked.json
        code = self._refuses(asked.path, fields, takes)
        if code:
            return Reply(200, {"code": code, "explained": f"refused with {code}"})
        self.taken.append(Taken(f"g{len(self.taken) + 1}", asked.path, fields))
        return Reply(202, {"code": 0, "message": {"id": self.taken[-1].id}})

    def report(self, taken: Taken, state: str, **more: str) -> int:
        return self._call(taken.fields["report_to"], {"id": taken.id, "state": state, **more})[0]

    def press(self, taken: Taken, digits: str) -> tuple[int, str]:
        """Returns the receiver's status, and what the caller is told."""
        status, body = self._call(taken.fields["keys_to"], {"id": taken.id, "dtmf": {"digits": digits}})
        return status, json.loads(body)[0]["text"] if status == 200 else ""

    def _refuses(self, path: str, fields: dict[str, Any], takes: set[str]) -> int:
        if fields.keys() - takes or not all(isinstance(value, str) for value in fields.values()):
            return 5
        if not _NUMBER.fullmatch(fields.get("to", "")) or not 0 < len(fields.get(_NEEDS[path], "")) <= 1600:
            return 6
        return 4 if fields["to"] in self.opted_out else 0

    def _call(self, url: str, body: dict[str, Any]) -> tuple[int, str]:
        to, path = urlsplit(self.receiver), urlsplit(url).path
        connection = http.client.HTTPConnection(to.hostname or "", to.port or 80, timeout=10)
        raw = json.dumps(body).encode()
        try:
            headers = {
                "Content-Type": "application/json",
                "X-Gateway-Signature": "sha256=" + hmac.digest(SECRET.encode(), raw, "sha256").hex(),
            }
            connection.request("POST", path, raw, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()
