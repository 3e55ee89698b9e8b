"""Samples that somebody wants sent: who has no secret asks; a receiver, which has them, sends and says what came of it.

So the console signs nothing and holds nothing to sign with. What it can ask for is one of the samples of this release,
for a source that is configured, and no word of it is its own.
"""

import redis
import redis.asyncio

from ledger import wire
from ledger.keys import Keys
from routing.instant import MINUTE, SECOND
from routing.record import Record, decode, encode

WAITS_MS = 3 * SECOND
"""So long a sample may wait for a receiver: what nobody took by then is not sent an hour later, when nobody looks."""
_KEPT_MS = 10 * MINUTE


class Wanted(Record, frozen=True, kw_only=True, omit_defaults=True):
    """`id` names the answer. Nobody sends it after `until_at` (ms)."""

    id: str
    source: str
    sample: str
    until_at: int


class Answered(Record, frozen=True, kw_only=True, omit_defaults=True):
    """`status` is HTTP's, 0 where nothing could be sent. `said`: in words, where it was not taken."""

    sample: str
    at: int
    status: int = 0
    accepted: list[str] = []
    dead: list[str] = []
    said: list[str] = []


def ask(client: redis.Redis, keys: Keys, wanted: Wanted) -> None:
    pipe = client.pipeline(transaction=True)
    pipe.rpush(keys.rehearsals, encode(wanted))
    pipe.pexpire(keys.rehearsals, _KEPT_MS)
    pipe.execute()


def withdraw(client: redis.Redis, keys: Keys, wanted: Wanted) -> bool:
    """Whether nobody had taken it; nobody will."""
    return bool(client.lrem(keys.rehearsals, 1, encode(wanted)))  # type: ignore[arg-type]  # its hint wants a str


def answer_of(client: redis.Redis, keys: Keys, wanted: str) -> Answered | None:
    """None as long as nobody has sent it."""
    raw = client.get(keys.rehearsed(wanted))
    return decode(Answered, raw) if isinstance(raw, bytes) else None


async def take(client: redis.asyncio.Redis, keys: Keys, wait_s: float) -> Wanted | None:
    """The next that is wanted, taken by one receiver alone; None when nothing is within this time."""
    found = await wire.call_async(client, "BLPOP", keys.rehearsals, wait_s)
    return decode(Wanted, found[1]) if found else None


async def answer(client: redis.asyncio.Redis, keys: Keys, wanted: str, answered: Answered) -> None:
    """Kept for ten minutes, for whoever asked."""
    await wire.call_async(client, "SET", keys.rehearsed(wanted), encode(answered), "PX", _KEPT_MS)
