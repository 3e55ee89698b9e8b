"""Dead letters as they are kept: burying, listing, editing, and the end of each: retried or dropped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import redis
from redis.client import Pipeline

from ledger import wire
from ledger.dead_letter import DeadLetter, Fate, Kind, dead_id, given_up, refused
from ledger.jobs import KEPT_MS
from ledger.keys import Keys
from ledger.script import Script
from routing.errors import TocsinError
from routing.record import decode, encode

__all__ = [
    "DeadLetter", "Fate", "Kind", "NotThere", "Page", "bury", "bury_now", "dead_id", "drop", "edit", "get",
    "given_up", "listing", "mark_retried", "place", "refused", "restore", "waiting",
]  # fmt: skip

_REPLACE = Script("replace")
_AT_ONCE = 200
"""Letters looked through at once for those that a filter lets through."""


class NotThere(TocsinError):
    """No dead letter has this id."""


@dataclass(frozen=True, slots=True)
class Page:
    letters: list[DeadLetter]
    next: str
    """Pass it to `listing` as `cursor` for the next page; "" after the last."""
    mark: str = ""
    """Names the same place for longer, whatever is buried meanwhile: `place` makes it a cursor again."""


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


def listing(  # noqa: PLR0913  # each of them narrows it
    client: redis.Redis,
    keys: Keys,
    *,
    cursor: str = "",
    limit: int = 100,
    kind: str = "",
    source: str = "",
    status: str = Fate.WAITING,
    since: int = 0,
    text: str = "",
    most: int = 0,
) -> Page:
    """Newest first, `limit` at a time; "" as a filter lets all through. `since`: ms. `text`: part of why.

    Not more than `most` are read if not 0: where few match, a page has fewer than there could be. Raises ValueError.
    """
    wanted = {"kind": kind, "source": source, "status": status}
    place = int(cursor or 0)
    end = place + most if most else 0
    at_once = max(limit, _AT_ONCE) if kind or source or text else limit
    found: list[DeadLetter] = []
    mark = ""
    while ids := _ids(client, keys, place, at_once):
        for letter in _fetch(client, keys, ids):
            if letter and letter.at < since:
                return Page(found, "")
            place += 1
            mark = f"{letter.at}.{letter.id}" if letter else mark
            if letter and _is_wanted(letter, wanted, text):
                found.append(letter)
            if len(found) == limit or place == end:
                return Page(found, str(place), mark)
    return Page(found, "")


def place(client: redis.Redis, keys: Keys, mark: str) -> str:
    """The cursor that goes on behind a page's mark. Raises ValueError when it is none."""
    at, _, letter = mark.partition(".")
    if not letter or not at.isascii() or not at.isdigit():
        raise ValueError(f"no place in the dead letters: {mark!r}; pass `after` of the page before")
    rank = wire.call(client, "ZREVRANK", keys.dead_index, letter)
    return str(int(client.zcount(keys.dead_index, f"({at}", "+inf")) if rank is None else int(rank) + 1)


def _is_wanted(letter: DeadLetter, wanted: Mapping[str, str], text: str) -> bool:
    if text and text.lower() not in letter.why.lower():
        return False
    return all(not value or getattr(letter, name) == value for name, value in wanted.items())


def edit(client: redis.Redis, keys: Keys, letter_id: str, raw: bytes, by: str, now: int) -> DeadLetter:
    """Replace its raw bytes before a retry. Raises NotThere."""
    return _change(client, keys, letter_id, "keep", raw=raw, edited_by=by, edited_at=now)


def mark_retried(client: redis.Redis, keys: Keys, letter_id: str, by: str, now: int) -> DeadLetter:
    """Raises NotThere."""
    return _change(client, keys, letter_id, "out", status=Fate.RETRIED, by=by, changed_at=now)


def drop(client: redis.Redis, keys: Keys, letter_id: str, by: str, now: int, job: str = "") -> DeadLetter:
    """It stays readable, but nobody is asked to look at it any more. Raises NotThere.

    `job`: it is one piece of this one, which knows of it at the same instant: whoever dies then loses no way back.
    """
    return _change(client, keys, letter_id, "out", job, status=Fate.DROPPED, by=by, changed_at=now)


def restore(client: redis.Redis, keys: Keys, letter_id: str, by: str, now: int) -> DeadLetter:
    """One that was dropped, or retried, waits again. Raises NotThere, also once the archive alone has it."""
    return _change(client, keys, letter_id, "in", status=Fate.WAITING, by=by, changed_at=now)


def _change(
    client: redis.Redis, keys: Keys, letter_id: str, among_waiting: str, job: str = "", **changes: object
) -> DeadLetter:
    places = (keys.dead, keys.dead_waiting, *([keys.job_done(job)] if job else []))
    while (raw := client.hget(keys.dead, letter_id)) is not None:
        letter = msgspec.structs.replace(decode(DeadLetter, raw), **changes)
        if _REPLACE.run(client, places, (letter_id, raw, encode(letter), among_waiting, KEPT_MS)):
            return letter
    raise NotThere(f"no dead letter {letter_id!r}; `tocsin dead list` shows them")


def _ids(client: redis.Redis, keys: Keys, first: int, limit: int) -> list[bytes]:
    # By rank and not by instant with an offset: for that the server walks past all that come before.
    found: list[bytes] = wire.call(client, "ZREVRANGE", keys.dead_index, first, first + limit - 1)
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
