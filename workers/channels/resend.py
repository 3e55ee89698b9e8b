"""E-mail over Resend's HTTP API: another way for mail than one's own server, or beside it.

Settings: api_key (sending access is enough), from_address, from_name, mails_per_s, base_url. Source:
resend.com/docs/api-reference/emails/send-email, /errors, /dashboard/emails/idempotency-keys.
"""

from email.utils import formataddr
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Notification, Pace, Sent
from workers import carrier, letter, mail_address, quota
from workers.answer import Answer, Call
from workers.carrier import Vendor
from workers.deadline import Deadline
from workers.text import one_line

TITLE = "E-mail (Resend)"
VOICE = False
ADDRESS = mail_address.PATTERN
THREADS = True
LETTERS = True

_ADVICE: Final = {
    400: "check api_key in config/channels.yaml",
    401: "check api_key in config/channels.yaml",
    403: "check api_key, and that the domain of from_address is verified with Resend",
    422: "check from_address in config/channels.yaml and the address in config/oncall.yaml",
}
_USED_UP: Final = frozenset({"daily_quota_exceeded", "monthly_quota_exceeded"})
"""Waiting would take hours: another way has its turn."""
_UNDER_WAY: Final = "concurrent_idempotent_requests"
_FIRST: Final = 0.6
"""Of the time, for the first try; a second one within the same key is sure to make no second mail."""


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    api_key: SecretStr
    from_address: str = Field(pattern=mail_address.PATTERN)
    from_name: str = "Tocsin"
    mails_per_s: float = Field(default=2, gt=0, le=1000)
    """Of all keys of the team; Resend raises it on request."""
    base_url: str = Field(default="https://api.resend.com", pattern=r"^https?://")


def send(notification: Notification, settings: Settings, timeout_s: float) -> Sent:
    """Raises DeliveryError. Where it is unknown what became of the mail, Resend is asked again under the same key."""
    deadline = Deadline(timeout_s)
    body, key = _body(notification, settings), letter.name(notification)
    try:
        answer = _post(settings, body, key, timeout_s * _FIRST)
        return _accepted(answer)
    except DeliveryError as error:
        if error.outcome is not Outcome.UNKNOWN or deadline.rest() <= 0:
            raise
    return _accepted(_post(settings, body, key, deadline.left()))


def limits(notification: Notification, settings: Settings) -> tuple[Pace, ...]:
    del notification
    return (Pace(f"resend:{quota.of(settings.api_key)}", settings.mails_per_s),)


def preview(notification: Notification, settings: Settings) -> dict[str, str]:
    body = _body(notification, settings)
    shown = {"From": body["from"], "To": body["to"][0], "Subject": body["subject"], **body["headers"]}
    return shown | {"Text": body["text"]}


def _body(notification: Notification, settings: Settings) -> dict[str, Any]:
    """Raises DeliveryError for an address that is none."""
    written = letter.write(notification, settings.from_address)
    tags = {"delivery": notification.delivery, "incident": notification.incident}
    return {
        "from": formataddr((one_line(settings.from_name), settings.from_address)),
        "to": [letter.check_address(notification)],
        "subject": written.subject,
        "text": written.text,
        "html": written.html,
        "headers": written.headers,
        "tags": [{"name": name, "value": value} for name, value in tags.items() if value],
    }


def _post(settings: Settings, body: dict[str, Any], key: str, timeout_s: float) -> Answer:
    headers = {"authorization": f"Bearer {settings.api_key.get_secret_value()}", "idempotency-key": key}
    url = f"{settings.base_url.rstrip('/')}/emails"
    call = Call("POST", url, mutates=True, timeout_s=timeout_s, json=body, headers=headers)
    return carrier.ask(RESEND, call)


def _accepted(answer: Answer) -> Sent:
    mail = carrier.body(answer).get("id")
    if not isinstance(mail, str) or not mail:
        raise carrier.unsure(RESEND, answer, "without an id")
    return Sent(provider_id=mail, answer=str(answer.status))


def _said(fault: dict[str, Any]) -> str:
    return f"{fault.get('name', '')}: {fault.get('message', 'no explanation')}"


def _outcome(_answer: Answer, fault: dict[str, Any]) -> Outcome | None:
    if fault.get("name") in _USED_UP:
        return Outcome.PERMANENT
    return Outcome.UNKNOWN if fault.get("name") == _UNDER_WAY else None


RESEND: Final = Vendor("Resend", _ADVICE, _said, _outcome)
