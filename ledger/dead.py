"""Dead letters: work given up, kept with everything needed to understand it, mend it and bring it through."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import redis
from redis.client import Pipeline

from ledger.keys import Keys
from ledger.script import Script
from routing.errors import TocsinError
from routing.record import Record, decode, encode

_REPLACE = Script("replace")


class Kind(StrEnum):
    REFUSED = "refused"
    """Authentic, but unreadable."""
    UNDECIDABLE = "undecidable"
    """An entry whose fold raised."""
    UNDELIVERED = "undelivered"
    UNREMEDIATED = "unremediated"


class Standing(StrEnum):
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
    standing: Standing = Standing.WAITING
    by: str = ""
    """Who retried or dropped it, and when."""
    changed_at: int = 0
    edited_by: str = ""
    edited_at: int = 0


class NotThere(TocsinError):
    """No dead letter has this id."""


@dataclass(frozen=True, slots=True)
class Page:
    letters: list[DeadLetter]
    next: str
    """Pass it to `listing` for the next page; "" after the last."""


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


def bury(pipe: Pipeline, keys: Keys, letter: DeadLetter) -> None:
    """Queue it on a transaction. Given up again after a retry, it waits again."""
    pipe.hset(keys.dead, letter.id, encode(letter))  # type: ignore[arg-type]  # bytes are values too
    pipe.zadd(keys.dead_index, {letter.id: letter.at})
    pipe.sadd(keys.dead_waiting, letter.id)
    pipe.hincrby(keys.dead_seen, letter.id, 1)


def bury_now(client: redis.Redis, keys: Keys, letter: DeadLetter) -> str:
    """As `bury`, at once; returns its id."""
    pipe = client.pipeline(transaction=True)
    bury(pipe, keys, letter)
    pipe.execute()
    return letter.id


def waiting(client: redis.Redis, keys: Keys) -> int:
    """How many nobody has retried or dropped yet."""
    return int(client.scard(keys.dead_waiting))


def get(client: redis.Redis, keys: Keys, letter_id: str) -> DeadLetter | None:
    found = _fetch(client, keys, [letter_id])
    return found[0] if found else None


def listing(
    client: redis.Redis,
    keys: Keys,
    *,
    cursor: str = "",
    limit: int = 100,
    kind: str = "",
    source: str = "",
    standing: str = Standing.WAITING,
    since: int = 0,
) -> Page:
    """Newest first, `limit` at a time; "" as a filter means all. `since`: ms."""

    def wanted(letter: DeadLetter) -> bool:
        return (
            (not kind or letter.kind == kind)
            and (not source or letter.source == source)
            and (not standing or letter.standing == standing)
        )

    found: list[DeadLetter] = []
    start = int(cursor or 0)
    while True:
        ids = client.zrevrangebyscore(keys.dead_index, "+inf", since, start=start, num=limit)
        for offset, letter in enumerate(_fetch(client, keys, ids), start=1):
            if wanted(letter):
                found.append(letter)
            if len(found) == limit:
                return Page(found, str(start + offset))
        start += len(ids)
        if len(ids) < limit:
            return Page(found, "")


def edit(client: redis.Redis, keys: Keys, letter_id: str, raw: bytes, by: str, now: int) -> DeadLetter:
    """Replace its raw bytes before a retry. Raises NotThere."""

    def edited(letter: DeadLetter) -> DeadLetter:
        return _with(letter, raw=raw, edited_by=by, edited_at=now)

    return _change(client, keys, letter_id, edited, "keep")


def mark_retried(client: redis.Redis, keys: Keys, letter_id: str, by: str, now: int) -> DeadLetter:
    """Raises NotThere."""
    return _close(client, keys, letter_id, Standing.RETRIED, by, now)


def drop(client: redis.Redis, keys: Keys, letter_id: str, by: str, now: int) -> DeadLetter:
    """It stays readable, but nobody is asked to look at it any more. Raises NotThere."""
    return _close(client, keys, letter_id, Standing.DROPPED, by, now)


def _close(
    client: redis.Redis, keys: Keys, letter_id: str, standing: Standing, by: str, now: int
) -> DeadLetter:
    def closed(letter: DeadLetter) -> DeadLetter:
        return _with(letter, standing=standing, by=by, changed_at=now)

    return _change(client, keys, letter_id, closed, "out")


def _change(
    client: redis.Redis,
    keys: Keys,
    letter_id: str,
    change: Callable[[DeadLetter], DeadLetter],
    waiting_set: str,
) -> DeadLetter:
    while True:
        raw = client.hget(keys.dead, letter_id)
        if raw is None:
            raise NotThere(f"no dead letter {letter_id!r}; `tocsin dead list` shows all")
        letter = change(decode(DeadLetter, raw))
        if _REPLACE.run(
            client, (keys.dead, keys.dead_waiting), (letter_id, raw, encode(letter), waiting_set)
        ):
            return letter


def _fetch(client: redis.Redis, keys: Keys, ids: Sequence[bytes | str]) -> list[DeadLetter]:
    if not ids:
        return []
    pipe = client.pipeline(transaction=True)
    pipe.hmget(keys.dead, ids)  # type: ignore[arg-type]  # ids as the server gave them
    pipe.hmget(keys.dead_seen, ids)  # type: ignore[arg-type]
    letters, seen = pipe.execute()
    return [
        _with(decode(DeadLetter, raw), tries=int(count or 1))
        for raw, count in zip(letters, seen, strict=True)
        if raw is not None
    ]


def _with(letter: DeadLetter, **changes: object) -> DeadLetter:
    import msgspec

    return msgspec.structs.replace(letter, **changes)
