"""A signed webhook: any program of one's own hears what people are told, as JSON.

Settings: url, secret, old_secret (while one is rolled), allow_private. The address of a contact's method goes along as
`to`. Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
"""

from typing import Any, Final, Self
from urllib.parse import urlsplit

import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from ledger import standard_webhooks
from ledger.clock import now_ms
from routing.entry import Outcome
from routing.incident import Incident
from routing.instant import iso
from routing.ports import Notification, Sent
from workers import carrier
from workers.addresses import Guard
from workers.answer import Answer, Call
from workers.carrier import Fault, Vendor
from workers.text import cut, one_line, printable

TITLE = "Webhook (signed)"
VOICE = False
MACHINE = True

_MOST_TEXT = 20_000
_MOST_ANSWER = 4_096
_GONE = 410


class Settings(BaseModel):
    """`secret`: `whsec_` and the base64 of 24 random bytes or more. `old_secret` signs too until the receiver has the
    new one. `allow_private`: it may be on this machine or in this network, and without TLS.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(pattern=r"^https?://[^\s/]")
    secret: SecretStr
    old_secret: SecretStr = SecretStr("")
    allow_private: bool = False

    @model_validator(mode="after")
    def _can_sign(self) -> Self:
        for secret in self.secrets:
            standard_webhooks.key_of(secret)
        if urlsplit(self.url).scheme != "https" and not self.allow_private:
            raise ValueError("url: use https, or set allow_private for a program in your own network")
        return self

    @property
    def secrets(self) -> list[str]:
        found = (self.secret.get_secret_value(), self.old_secret.get_secret_value())
        return [found[0], *filter(None, found[1:])]


def send(notification: Notification, settings: Settings, timeout_s: float) -> Sent:
    """Raises DeliveryError. `webhook-id` is the delivery's and stays the same over all attempts, so that the receiver
    takes in once what may come twice.
    """
    at = now_ms()
    raw = orjson.dumps(body(notification, at))
    call = Call(
        method="POST",
        url=settings.url,
        mutates=True,
        timeout_s=timeout_s,
        content=raw,
        headers=_headers(notification, settings, at, raw),
        guard=Guard(settings.allow_private),
        max_bytes=_MOST_ANSWER,
        name="webhook",
    )
    answer = carrier.ask(_RECEIVER, call)
    return Sent(provider_id=notification.delivery, answer=str(answer.status))


def preview(notification: Notification, settings: Settings) -> dict[str, str]:
    return {
        "URL": settings.url,
        "Body": orjson.dumps(body(notification, now_ms()), option=orjson.OPT_INDENT_2).decode(),
    }


def body(notification: Notification, at: int) -> dict[str, Any]:
    """As docs/channels.md shows it. Fields are only ever added."""
    message, standing = notification.message, notification.standing
    return {
        "type": f"tocsin.{notification.purpose}",
        "timestamp": iso(at),
        "data": {
            "delivery": notification.delivery,
            "repeat": notification.repeat,
            "to": notification.to,
            "severity": str(notification.severity),
            "title": one_line(message.title),
            "text": cut(printable(message.body), _MOST_TEXT),
            "link": notification.ack_url,
            "incident": _incident(standing) if standing else None,
        },
    }


def _incident(standing: Incident) -> dict[str, Any]:
    """As it is when the message leaves."""
    return {
        "id": standing.id,
        "title": one_line(standing.title),
        "severity": str(standing.severity),
        "status": str(standing.phase),
        "team": standing.team,
        "service": standing.service,
        "opened_at": iso(standing.opened_at),
        "acknowledged_by": standing.acknowledged_by,
        "resolved_at": iso(standing.resolved_at) if standing.resolved_at else None,
    }


def _headers(notification: Notification, settings: Settings, at: int, raw: bytes) -> dict[str, str]:
    name, at_s = notification.delivery, at // 1000
    return {
        "content-type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(at_s),
        "webhook-signature": standard_webhooks.sign(settings.secrets, name, at_s, raw),
    }


def _outcome(answer: Answer, _fault: Fault) -> Outcome | None:
    return Outcome.PERMANENT if answer.status == _GONE else None


_RECEIVER: Final = Vendor(
    "The webhook's receiver",
    {
        401: "check that it has the same secret",
        403: "check that it has the same secret",
        404: "check url in config/channels.yaml",
        _GONE: "the receiver wants no more: take the method away in config/oncall.yaml",
    },
    said=lambda _fault: "",
    outcome=_outcome,
)
"""What a stranger's program writes into its refusals is not kept."""
