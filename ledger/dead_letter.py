"""DeadLetter: one piece of work given up, with everything needed to understand it and bring it through."""

import hashlib
from enum import StrEnum

from routing.record import Record


class Kind(StrEnum):
    REFUSED = "refused"
    """Authentic, but unreadable."""
    UNDECIDABLE = "undecidable"
    """An entry whose fold raised."""
    UNDELIVERED = "undelivered"
    UNREMEDIATED = "unremediated"


class Fate(StrEnum):
    WAITING = "waiting"
    RETRIED = "retried"
    DROPPED = "dropped"


class DeadLetter(Record, frozen=True, kw_only=True, omit_defaults=True):
    """`raw` is base64 in its JSON. `headers` hold no secrets. `tries`: how often the same was given up."""

    id: str
    kind: Kind
    at: int
    why: str
    source: str = ""
    traceback: str = ""
    raw: bytes = b""
    """As received, or as it was last edited."""
    headers: dict[str, str] = {}
    tries: int = 1
    incident: str = ""
    subject: str = ""
    """Id of the delivery, the run or the log entry it is about."""
    entry: str = ""
    """The log entry as JSON, when there was one."""
    status: Fate = Fate.WAITING
    by: str = ""
    """Who retried or dropped it, at `changed_at`."""
    changed_at: int = 0
    edited_by: str = ""
    edited_at: int = 0


def dead_id(kind: Kind, *parts: str | bytes) -> str:
    """The same work given up again has the same id."""
    digest = hashlib.sha256(kind.encode())
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return f"dl-{digest.hexdigest()[:16]}"


def refused(
    source: str, why: str, raw: bytes, at: int, *, headers: dict[str, str] | None = None, traceback: str = ""
) -> DeadLetter:
    """For an element of an authentic body that could not be read: one letter per source and bytes."""
    return DeadLetter(
        id=dead_id(Kind.REFUSED, source, raw),
        kind=Kind.REFUSED,
        at=at,
        why=why,
        source=source,
        traceback=traceback,
        raw=raw,
        headers=headers or {},
    )


def given_up(kind: Kind, subject: str, incident: str, error: str, raw: bytes, at: int) -> DeadLetter:
    """For work the fold buries: one letter per kind and subject. `error` may be a whole traceback."""
    lines = error.strip().splitlines() or [""]
    return DeadLetter(
        id=dead_id(kind, subject),
        kind=kind,
        at=at,
        why=lines[-1].strip(),
        traceback=error if len(lines) > 1 else "",
        raw=raw,
        incident=incident,
        subject=subject,
    )
