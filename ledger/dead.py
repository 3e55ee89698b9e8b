"""Dead letters as they are kept: burying, listing, editing, and the end of each: retried or dropped."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import redis
from redis.client import Pipeline

from ledger import wire
from ledger.dead_letter import DeadLetter, Fate, Kind, dead_id, given_up, refused
from ledger.keys import Keys
from ledger.script import Script
from routing.errors import TocsinError
from routing.record import decode, encode

__all__ = [
    "DeadLetter", "Fate", "Kind", "NotThere", "Page", "bury", "bury_now", "dead_id", "drop", "edit", "get",
    "given_up", "listing", "mark_retried", "refused", "waiting",
]  # fmt: skip

_REPLACE = Script("replace")


class NotThere(TocsinError):
    """No dead letter has this id."""


@dataclass(frozen=True, slots=True)
class Page:
    letters: list[DeadLetter]
    next: str
    """Pass it to `listing` as `cursor` for the next page; "" after the last."""


def bury(pipe: Pipeline, keys: Keys, letter: DeadLetter) -> None:
    """Queue it on a transaction. Given up again after a retry, it waits again."""
    wire.queue(pipe, "HSET", keys.dead, letter.id, encode(letter))
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
    return _fetch(client, keys, [letter_id])[0]


def listing(
    client: redis.Redis,
    keys: Keys,
    *,
    cursor: str = "",
    limit: int = 100,
    kind: str = "",
    source: str = "",
    status: str = Fate.WAITING,
    since: int = 0,
) -> Page:
    """Newest first, `limit` at a time; "" as a filter lets all through. `since`: ms. Raises ValueError."""
    wanted = {"kind": kind, "source": source, "status": status}
    after = int(cursor or 0)
    found: list[DeadLetter] = []
    while ids := _ids(client, keys, since, after, limit):
        for letter in _fetch(client, keys, ids):
            after += 1
            if letter and all(not value or getattr(letter, name) == value for name, value in wanted.items()):
                found.append(letter)
            if len(found) == limit:
                return Page(found, str(after))
    return Page(found, "")


def edit(client: redis.Redis, keys: Keys, letter_id: str, raw: bytes, by: str, now: int) -> DeadLetter:
    """Replace its raw bytes before a retry. Raises NotThere."""
    return _change(client, keys, letter_id, "keep", raw=raw, edited_by=by, edited_at=now)


def mark_retried(client: redis.Redis, keys: Keys, letter_id: str, by: str, now: int) -> DeadLetter:
    """Raises NotThere."""
    return _change(client, keys, letter_id, "out", status=Fate.RETRIED, by=by, changed_at=now)


def drop(client: redis.Redis, keys: Keys, letter_id: str, by: str, now: int) -> DeadLetter:
    """It stays readable, but nobody is asked to look at it any more. Raises NotThere."""
    return _change(client, keys, letter_id, "out", status=Fate.DROPPED, by=by, changed_at=now)


def _change(
    client: redis.Redis, keys: Keys, letter_id: str, among_waiting: str, **changes: object
) -> DeadLetter:
    places = (keys.dead, keys.dead_waiting)
    while (raw := client.hget(keys.dead, letter_id)) is not None:
        letter = msgspec.structs.replace(decode(DeadLetter, raw), **changes)
        if _REPLACE.run(client, places, (letter_id, raw, encode(letter), among_waiting)):
            return letter
    raise NotThere(f"no dead letter {letter_id!r}; `tocsin dead list` shows them")


def _ids(client: redis.Redis, keys: Keys, since: int, after: int, limit: int) -> list[bytes]:
    found: list[bytes] = wire.call(
        client, "ZREVRANGEBYSCORE", keys.dead_index, "+inf", since, "LIMIT", after, limit
    )
    return found


def _fetch(client: redis.Redis, keys: Keys, ids: Sequence[bytes | str]) -> list[DeadLetter | None]:
    pipe = client.pipeline(transaction=True)
    wire.queue(pipe, "HMGET", keys.dead, *ids)
    wire.queue(pipe, "HMGET", keys.dead_seen, *ids)
    letters, seen = pipe.execute()
    return [
        msgspec.structs.replace(decode(DeadLetter, raw), tries=int(count or 1)) if raw is not None else None
        for raw, count in zip(letters, seen, strict=True)
    ]
