"""Probes: what each last saw, and which process it is that looks."""

from collections.abc import Mapping

import redis

from ledger import turns, wire
from ledger.keys import Keys
from routing.record import Record, decode, encode


class Seen(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The last look of a probe. `look` is well, ill or blind, "" with `at` 0 before the first one is done; `firing`
    None until enough was seen to say.
    """

    at: int
    look: str
    what: str
    """In a few words: what was found, or why nothing could be seen."""
    firing: bool | None = None
    since_at: int = 0
    """Since when (ms) it fires, or does not."""
    due_by: int = 0
    """Without another look by then (ms) nobody looks."""
    unset: bool = False
    """Nobody has set what it takes to look."""
    took_ms: int = 0
    usual_ms: int = 0
    """How long looks that were well have taken of late; 0 before the first."""


def mine(client: redis.Redis, keys: Keys, worker: str, ttl_ms: int) -> bool:
    """Whether this process carries the probes out; a look too many does no harm."""
    return turns.mine(client, keys.prober, worker, ttl_ms)


def give_back(client: redis.Redis, keys: Keys, worker: str) -> None:
    """So that another need not wait for the expiry."""
    turns.give_back(client, keys.prober, worker)


def show(client: redis.Redis, keys: Keys, probe: str, seen: Seen) -> None:
    client.hset(keys.probes, probe, encode(seen))


def shown(client: redis.Redis, keys: Keys) -> Mapping[str, Seen]:
    """What every probe last saw, also of those no longer configured."""
    found: dict[bytes, bytes] = wire.call(client, "HGETALL", keys.probes)
    return {wire.text(name): decode(Seen, raw) for name, raw in found.items()}


def forget(client: redis.Redis, keys: Keys, probe: str) -> None:
    client.hdel(keys.probes, probe)
