"""Following the log as it is decided: which incidents each commit touched, without reading what it decided."""

import redis.asyncio

from ledger import wire
from ledger.keys import Keys

START = "0-0"
_AT_ONCE = 200


async def last(client: redis.asyncio.Redis, keys: Keys) -> str:
    """The position of the last commit."""
    rows = await wire.call_async(client, "XREVRANGE", keys.batches, "+", "-", "COUNT", 1)
    return wire.text(rows[0][0]) if rows else START


async def changes(
    client: redis.asyncio.Redis, keys: Keys, after: str, block_ms: int
) -> tuple[str, frozenset[str]] | None:
    """Where the commits after this one end, and the incidents they touched; None when none came in time."""
    command = ("XREAD", "COUNT", _AT_ONCE, "BLOCK", block_ms, "STREAMS", keys.batches, after)
    found = await wire.call_async(client, *command)
    if not found:
        return None
    rows = next(iter(found.values() if isinstance(found, dict) else (page for _, page in found)))
    touched = [wire.text(_fields(fields).get(b"incidents", b"")).split() for _, fields in rows]
    return wire.text(rows[-1][0]), frozenset(each for named in touched for each in named)


async def counts(client: redis.asyncio.Redis, keys: Keys) -> tuple[int, ...]:
    """Of what changes without a commit: dead letters, those that wait, what the sandbox was given."""
    dead = await wire.call_async(client, "ZCARD", keys.dead_index)
    waiting = await wire.call_async(client, "SCARD", keys.dead_waiting)
    rows = await wire.call_async(client, "XREVRANGE", keys.sandbox, "+", "-", "COUNT", 1)
    return int(dead), int(waiting), int(wire.text(rows[0][0]).partition("-")[0]) if rows else 0


def _fields(fields: object) -> dict[bytes, bytes]:
    """A row's fields, which the client hands over raw: as a list, or by name."""
    if isinstance(fields, dict):
        return fields
    flat = list(fields or ())  # type: ignore[call-overload]  # a list of names and values
    return dict(zip(flat[::2], flat[1::2], strict=True))
