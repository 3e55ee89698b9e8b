"""CloudEvents 1.0 over HTTP: binary, structured, and several in one body.

https://github.com/cloudevents/spec, bindings http-protocol-binding.md and http-webhook.md. A sender first
asks with OPTIONS whether it may. Types listed in `opens` and `closes` begin and end a condition, named by
source and subject.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from receiver import instants, many, shaping, strict_json, tokens
from routing.errors import BadSignature, Unreadable
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Answer, Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "a token: bearer, `?access_token=`, or `?token=`"
REPEAT = "the same `source` and `id`"
TITLE = "CloudEvents 1.0"
SETUP = """\
1. Point the sender at `https://<tocsin>/hooks/cloudevents` with `Authorization: Bearer <CLOUDEVENTS_TOKEN>`,
   in any of the three content modes. Its OPTIONS handshake is answered.
2. Say in `settings:` which types matter: `opens: ["*.failed"]`, `closes: ["*.recovered"]`.
"""
SETTINGS = {
    "opens": "types that begin a condition, with * for any part",
    "closes": "types that end one",
    "origins": "who may send, as named in WebHook-Request-Origin; [*] unless named",
    "rate": "requests a minute that are granted; as many as it likes unless named",
}

_BATCH = "application/cloudevents-batch+json"
_STRUCTURED = "application/cloudevents+json"


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    """Whatever is sent twice must be right both times."""
    given = inbound.query.get("access_token")
    if given is None:
        tokens.verify_anywhere(inbound, secrets)
    elif "authorization" in inbound.headers:
        raise BadSignature("two tokens", "send it in the header or in the address, not in both")
    else:
        tokens.verify_given(given, secrets, "access_token")


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    batch = body.lstrip()[:1] == b"["
    return {"content-type": _BATCH if batch else _STRUCTURED, **tokens.bearer(secret)}


def handshake(
    method: str, headers: Mapping[str, str], query: Mapping[str, str], source: Source
) -> Answer | None:
    """http-webhook.md, section 4: a sender that is not listed is told nothing."""
    origin = headers.get("webhook-request-origin", "")
    if method != "OPTIONS" or not origin or not origin.isascii() or not origin.isprintable():
        return None
    listed = source.settings.get("origins", ["*"])
    if not any(fnmatchcase(origin, str(one)) for one in (listed if isinstance(listed, list) else ())):
        return None
    rate = source.settings.get("rate")
    allowed = str(rate) if isinstance(rate, int) and rate > 0 else "*"
    return Answer(200, {"allow": "POST", "webhook-allowed-origin": origin, "webhook-allowed-rate": allowed})


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event; of a batch one for each that can be read. Raises Unreadable."""
    kind = inbound.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _BATCH:
        return many.parse(inbound.body, lambda told: _event(told, source))
    if kind != _STRUCTURED and "ce-id" in inbound.headers:
        return Parsed((_event(_binary(inbound), source),))
    return Parsed((_event(strict_json.object_of(strict_json.loads(inbound.body)), source),))


def _binary(inbound: Inbound) -> dict[str, Any]:
    told: dict[str, Any] = {
        name[3:]: unquote(value) for name, value in inbound.headers.items() if name.startswith("ce-")
    }
    try:
        told["data"] = strict_json.loads(inbound.body)
    except Unreadable:
        told["data"] = inbound.body[:2000].decode(errors="replace")
    return told


def _event(told: dict[str, Any], source: Source) -> Event:
    if shaping.needed(told, "specversion") != "1.0":
        raise Unreadable("expected 1.0", "specversion")
    id_, kind, origin = (shaping.needed(told, name) for name in ("id", "type", "source"))
    subject, data = shaping.text(told, "subject"), told.get("data")
    held = data if isinstance(data, dict) else {}
    return shaping.bounded(
        Event(
            source=source.name,
            vendor="cloudevents",
            kind=kind,
            status=_status(kind, source),
            key=f"{origin}:{subject}" if subject else origin,
            title=shaping.text(held, "title") or f"{kind}{subject and f': {subject}'}",
            summary=data if isinstance(data, str) else shaping.text(held, "message"),
            vendor_id=f"{origin}:{id_}",
            vendor_severity=shaping.text(held, "severity"),
            labels=shaping.plain({"origin": origin, "subject": subject}),
            details=shaping.plain(held),
            starts_at=instants.rfc3339(told, "time"),
        )
    )


def _status(kind: str, source: Source) -> Status:
    for name, status in (("opens", Status.FIRING), ("closes", Status.RESOLVED)):
        listed = source.settings.get(name)
        if any(fnmatchcase(kind, str(one)) for one in (listed if isinstance(listed, list) else ())):
            return status
    return Status.INFO
