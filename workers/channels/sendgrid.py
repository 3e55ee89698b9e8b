"""E-mail over SendGrid's HTTP API: another way for mail than one's own server, or beside it.

Settings: api_key (Mail Send is enough), from_address, from_name, base_url. Source:
twilio.com/docs/sendgrid/api-reference/mail-send/mail-send.
"""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from routing.ports import Notification, Sent
from workers import carrier, letter, mail_address
from workers.answer import Call
from workers.carrier import Vendor
from workers.text import one_line

TITLE = "E-mail (SendGrid)"
VOICE = False
ADDRESS = mail_address.PATTERN
THREADS = True
LETTERS = True

_ADVICE: Final = {
    401: "check api_key in config/channels.yaml",
    403: "the key needs Mail Send, and from_address must be a verified sender",
    413: "the mail is larger than SendGrid takes",
}


class Settings(BaseModel):
    """`base_url`: https://api.eu.sendgrid.com for accounts in the EU, or a stand-in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_key: SecretStr
    from_address: str = Field(pattern=mail_address.PATTERN)
    from_name: str = "Tocsin"
    base_url: str = Field(default="https://api.sendgrid.com", pattern=r"^https?://")


def send(notification: Notification, settings: Settings, timeout_s: float) -> Sent:
    """Raises DeliveryError. SendGrid knows no idempotency key: what may have arrived is sent again, and marked."""
    name = letter.name(notification)
    call = Call(
        method="POST",
        url=f"{settings.base_url.rstrip('/')}/v3/mail/send",
        mutates=True,
        timeout_s=timeout_s,
        json=_body(notification, settings, name),
        headers={"authorization": f"Bearer {settings.api_key.get_secret_value()}"},
    )
    answer = carrier.ask(SENDGRID, call)
    mail = answer.headers.get("x-message-id", "")
    if not mail:
        raise carrier.unsure(SENDGRID, answer, "without an X-Message-Id")
    # What is reported later names the mail by an id that only begins with this one.
    return Sent(provider_id=name, answer=f"{answer.status}, X-Message-Id {mail[:100]}")


def preview(notification: Notification, settings: Settings) -> dict[str, str]:
    body = _body(notification, settings, "")
    shown = {"From": settings.from_address, "To": notification.to, "Subject": body["subject"]}
    return {**shown, **body["headers"], "Text": body["content"][0]["value"]}


def _body(notification: Notification, settings: Settings, name: str) -> dict[str, Any]:
    """No link is rewritten and no picture added to see whether it was read: the link to acknowledge stays ours.

    Raises DeliveryError for an address that is none.
    """
    written = letter.write(notification, settings.from_address)
    args = {
        "tocsin-delivery": notification.delivery,
        "tocsin-incident": notification.incident,
        "tocsin-mail": name,
    }
    return {
        "personalizations": [
            {
                "to": [{"email": letter.check_address(notification)}],
                "custom_args": {arg: value for arg, value in args.items() if value},
            }
        ],
        "from": {"email": settings.from_address, "name": one_line(settings.from_name)},
        "subject": written.subject,
        "content": [
            {"type": "text/plain", "value": written.text},
            {"type": "text/html", "value": written.html},
        ],
        "headers": written.headers,
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": False},
            "subscription_tracking": {"enable": False},
        },
    }


def _said(fault: dict[str, Any]) -> str:
    errors = fault.get("errors")
    told = [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []
    return (
        "; ".join(f"{each.get('field') or ''} {each.get('message', '')}".strip() for each in told)
        or "no explanation"
    )


SENDGRID: Final = Vendor("SendGrid", _ADVICE, _said)
