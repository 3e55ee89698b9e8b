"""A voice or SMS provider by configuration: its address, what it is sent, and how its answer reads.

For whoever is out of reach of the vendors that have a module. What the person reads or hears is filled into `fields`
as text: nothing of a payload can become anything else.
"""

from collections.abc import Mapping
from typing import Any, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from ledger import links
from ledger.clock import now_ms
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.instant import DAY
from routing.language import expressions, template
from routing.ports import Notification, Sent
from routing.schema.fitting import SURE
from routing.schema.provider import Path, Receipts, Replies, Signature, text_at
from workers import http, redaction
from workers.answer import Answer, Call, HttpError
from workers.text import one_line

CALLBACK_MS = 3 * DAY
NAMES = frozenset({
    "to", "to_digits", "text", "title", "delivery", "attempt", "incident", "severity", "link", "receipt_url",
    "reply_url", "language", "voice",
})  # fmt: skip
"""What `{{ }}` may name in `fields` and `headers`."""


class Provider(BaseModel):
    """Settings of both channels. Conditions and paths are JMESPath over the answer's JSON, or `{text: ...}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(pattern=r"^https?://")
    method: Literal["POST", "PUT", "GET"] = "POST"
    format: Literal["json", "form", "query"] = "json"
    headers: dict[str, SecretStr] = {}
    bearer: SecretStr = SecretStr("")
    username: str = ""
    password: SecretStr = SecretStr("")
    fields: dict[str, Any] = Field(min_length=1)
    accepted: Path = ""
    """Must hold of an answer with 2xx: some providers say no with 200."""
    busy: Path = ""
    """Where it holds, a refusal may be repeated."""
    temporary: tuple[int, ...] = ()
    permanent: tuple[int, ...] = ()
    """Statuses that mean something else here than they do elsewhere."""
    id: Path = ""
    error: Path = ""
    opted_out: Path = ""
    """Where it holds, the person wants nothing from us."""
    callback_secret: SecretStr = SecretStr("")
    signature: Signature | None = None
    receipts: Receipts | None = None
    replies: Replies | None = None

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        if self.method == "GET" and self.format != "query":
            raise PydanticCustomError(SURE, "a GET has no body: write format: query")
        nested = [name for name, value in self.fields.items() if isinstance(value, dict | list)]
        if self.format != "json" and nested:
            raise PydanticCustomError(SURE, "only json has fields within fields")
        named = {path for _, text in template.texts(self.fields) for path in template.paths(text)}
        named |= {path for each in self.headers.values() for path in template.paths(each.get_secret_value())}
        if unknown := sorted(named - NAMES):
            facts = {"name": unknown[0], "names": ", ".join(sorted(NAMES))}
            raise PydanticCustomError(SURE, "nothing is called {name}; there is {names}", facts)
        return self


def send(
    notification: Notification, settings: Provider, text: str, tongue: Mapping[str, str], timeout_s: float
) -> Sent:
    """Make one call or send one text. Raises DeliveryError."""
    try:
        answer = http.call(_call(notification, settings, text, tongue, timeout_s))
        if not answer.ok:
            raise _refused(settings, answer, _outcome(settings, answer))
        return _accepted(notification, settings, answer)
    except HttpError as error:
        raise DeliveryError(str(error), outcome=error.outcome) from error


def preview(
    notification: Notification, settings: Provider, text: str, tongue: Mapping[str, str]
) -> dict[str, str]:
    fields = template.fill(settings.fields, _known(notification, settings, text, tongue))
    shown = {
        name: value if isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in fields.items()
    }
    return {"URL": f"{settings.method} {settings.url}", **shown}


def callback(notification: Notification, settings: Provider, what: str) -> str:
    """Where the provider reports of this delivery; "" without a public URL or a secret to check with."""
    secret = _revealed(settings.callback_secret)
    if not notification.callback_url or not secret or not notification.channel:
        return ""
    token = links.make(secret, notification.delivery, now_ms() + CALLBACK_MS)
    return f"{notification.callback_url}/provider/{notification.channel}/{what}/{token}"


def _call(
    notification: Notification, settings: Provider, text: str, tongue: Mapping[str, str], timeout_s: float
) -> Call:
    known = _known(notification, settings, text, tongue)
    fields = template.fill(settings.fields, known)
    headers = {
        name: one_line(str(template.fill(value.get_secret_value(), known)))
        .encode("ascii", "replace")
        .decode()
        for name, value in settings.headers.items()
    }
    if bearer := settings.bearer.get_secret_value():
        headers["Authorization"] = f"Bearer {bearer}"
    flat = {
        name: value if isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in fields.items()
    }
    return Call(
        method=settings.method,
        url=settings.url,
        mutates=True,
        timeout_s=timeout_s,
        json=fields if settings.format == "json" else None,
        form=flat if settings.format == "form" else None,
        query=flat if settings.format == "query" else {},
        headers=headers,
        auth=(settings.username, settings.password.get_secret_value()) if settings.username else None,
    )


def _known(
    notification: Notification, settings: Provider, text: str, tongue: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "to": notification.to,
        "to_digits": "".join(filter(str.isdecimal, notification.to)),
        "text": text,
        "title": one_line(notification.message.title),
        "delivery": notification.delivery,
        "attempt": str(notification.attempt),
        "incident": notification.incident,
        "severity": str(notification.severity),
        "link": notification.ack_url,
        "receipt_url": callback(notification, settings, "receipts"),
        "reply_url": callback(notification, settings, "replies"),
        "language": tongue.get("language", ""),
        "voice": tongue.get("voice", ""),
    }


def _accepted(notification: Notification, settings: Provider, answer: Answer) -> Sent:
    body = _body(answer)
    if settings.accepted and not _is_json(answer) and "text" not in expressions.roots(settings.accepted):
        raise HttpError(f"{answer} with something that is not JSON", Outcome.UNKNOWN, answer)
    if settings.accepted and not _holds(settings.accepted, body):
        outcome = Outcome.TEMPORARY if _holds(settings.busy, body) else Outcome.PERMANENT
        raise _refused(settings, answer, outcome)
    name = text_at(settings.id, body)
    if settings.id and not name:
        raise HttpError(f"{answer} without an id at {settings.id}", Outcome.UNKNOWN, answer)
    return Sent(provider_id=(name or notification.delivery)[:200], answer=str(answer.status))


def _outcome(settings: Provider, answer: Answer) -> Outcome:
    if answer.status in settings.permanent:
        return Outcome.PERMANENT
    if answer.status in settings.temporary or _holds(settings.busy, _body(answer)):
        return Outcome.TEMPORARY
    return answer.outcome


def _refused(settings: Provider, answer: Answer, outcome: Outcome) -> DeliveryError:
    body = _body(answer)
    said = redaction.text(one_line(text_at(settings.error, body)))[:200]
    return DeliveryError(
        f"{answer}: {said}" if said else str(answer),
        outcome=outcome,
        retry_after_ms=answer.retry_after_ms,
        answer=str(answer.status),
        opted_out=_holds(settings.opted_out, body),
    )


def _is_json(answer: Answer) -> bool:
    try:
        orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return False
    return True


def _body(answer: Answer) -> dict[str, Any]:
    """Its JSON object; `{items: [...]}` for a list, `{text: ...}` for what is no JSON."""
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {"text": answer.body[:500].decode("utf-8", "replace").strip()}
    return (
        body if isinstance(body, dict) else {"items": body} if isinstance(body, list) else {"text": str(body)}
    )


def _holds(condition: str, body: Mapping[str, Any]) -> bool:
    try:
        return bool(condition) and expressions.holds(condition, body)
    except expressions.BadExpression:
        return False


def _revealed(secret: SecretStr | str) -> str:
    """A preview without credentials is made of settings that were not checked."""
    return secret if isinstance(secret, str) else secret.get_secret_value()
