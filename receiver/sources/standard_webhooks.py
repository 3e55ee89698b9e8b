"""Any sender that follows the Standard Webhooks specification: `{type, timestamp, data}`, signed.

https://www.standardwebhooks.com. What its types mean nobody but the operator knows: those listed in `opens` and
`closes` begin and end a condition, named by what `key` finds; all else is information.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any

from receiver import instants, shaping, standard_signature, strict_json
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "`webhook-signature` or `svix-signature` (`v1`), HMAC-SHA256 over id, time and body; `tolerance` both ways"
REPEAT = "the same `webhook-id`, which is signed"
TITLE = "Standard Webhooks"
SETUP = """\
1. Add the endpoint `https://<tocsin>/hooks/standard_webhooks` at the sender.
2. Put its secret (`whsec_…`) into `STANDARD_WEBHOOKS_SECRET`. While it is rolled, list both in `secrets:`.
3. Say in `settings:` which types matter: `opens: ["*.failed"]`, `closes: ["*.recovered"]`, `key: [data, id]`.
"""
SETTINGS = {
    "opens": "types that begin a condition, with * for any part",
    "closes": "types that end one",
    "key": "where the body says what it is about; [data, id] unless you say so",
}


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    standard_signature.verify(inbound, secrets, source, _prefix(inbound))


def _prefix(inbound: Inbound) -> str:
    """Svix, which signs for many vendors, may name its headers after itself."""
    return "svix" if "svix-id" in inbound.headers and "webhook-id" not in inbound.headers else "webhook"


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    """The id is made of body and instant: a sample sent twice is two messages."""
    return standard_signature.sign(body, secret, at, f"msg_{sha256(b'%d.%b' % (at, body)).hexdigest()[:24]}")


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    body = strict_json.object_of(strict_json.loads(inbound.body))
    kind = strict_json.text_of(body, "type")
    return Parsed((_event(body, kind, inbound.headers.get(f"{_prefix(inbound)}-id", ""), source),))


def _event(body: dict[str, Any], kind: str, id_: str, source: Source) -> Event:
    data = shaping.at(body, "data")
    way = source.settings.get("key", ["data", "id"])
    about = shaping.text(body, *(way if isinstance(way, list) else [str(way)]))
    details = data if isinstance(data, dict) else {}
    return shaping.bounded(
        Event(
            source=source.name,
            vendor="standard_webhooks",
            kind=kind,
            status=_status(kind, source),
            key=about or kind,
            title=f"{kind}{about and f': {about}'}",
            vendor_id=id_,
            vendor_severity=shaping.text(details, "severity"),
            details=shaping.plain(details),
            starts_at=instants.rfc3339(body, "timestamp"),
        )
    )


def _status(kind: str, source: Source) -> Status:
    for name, status in (("opens", Status.FIRING), ("closes", Status.RESOLVED)):
        listed = source.settings.get(name)
        if any(fnmatchcase(kind, str(one)) for one in (listed if isinstance(listed, list) else ())):
            return status
    return Status.INFO
