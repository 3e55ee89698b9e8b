"""The state as it is stored: loaded once per lease, and only ever written by commits."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import redis

from ledger import wire
from ledger.keys import Keys
from ledger.position import START, Position
from ledger.tables import OWNED, RECORDS, SHARED
from ledger.wire import text
from routing.decision import Put, Table
from routing.entry import Lane
from routing.record import Record
from routing.state import State

_AT_ONCE = 2_000
"""Records fetched by one command: a table of 100,000 never keeps the server from its other clients."""
_INCIDENTS_AT_ONCE = 500

_DECODERS = {table: msgspec.json.Decoder(kind) for table, kind in RECORDS.items()}

Fields = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the log is decided. `decided`: entries so far; `decided_at`: ms of the last commit."""

    positions: dict[Lane, Position]
    decided: int = 0
    decided_at: int = 0
    policy: str = ""
    """The version that decided last."""


def cursor(client: redis.Redis, keys: Keys) -> Cursor:
    """Where the next dispatcher goes on."""
    found = {text(key): text(value) for key, value in client.hgetall(keys.cursor).items()}
    return Cursor(
        positions={lane: found.get(lane, START) for lane in Lane},
        decided=int(found.get("decided", 0)),
        decided_at=int(found.get("decided_at", 0)),
        policy=found.get("policy", ""),
    )


def load_state(client: redis.Redis, keys: Keys) -> State:
    """Everything live. Call it with the lease held: only then does nobody else write.

    Raises msgspec.ValidationError when a stored record cannot be read by this release.
    """
    state = State()
    retired = {text(incident) for incident in wire.call(client, "ZRANGE", keys.retired, 0, -1)}
    for table in SHARED:
        for put in _decoded(table, _scan(client, keys.state(table))):
            if (put.key if table is Table.INCIDENT else put.incident) not in retired:
                state.load(put)
    incidents = sorted(state.tables[Table.INCIDENT], key=number_of)
    for start in range(0, len(incidents), _INCIDENTS_AT_ONCE):
        for put in _owned(client, keys, incidents[start : start + _INCIDENTS_AT_ONCE]):
            state.load(put)
    return state


def _owned(client: redis.Redis, keys: Keys, incidents: list[str]) -> Iterator[Put]:
    """Older incidents first: an alert that moved to a newer one stays in the older one's history."""
    places = [(incident, table) for incident in incidents for table in OWNED]
    sizes = _together(client, "HLEN", [keys.owned(*place) for place in places])
    small = [place for place, size in zip(places, sizes, strict=True) if 0 < size <= _AT_ONCE]
    pages = _together(client, "HGETALL", [keys.owned(*place) for place in small])
    fetched = dict(zip(small, pages, strict=True))
    for (incident, table), size in zip(places, sizes, strict=True):
        if not size:
            continue
        page = fetched.get((incident, table))
        fields = _scan(client, keys.owned(incident, table)) if page is None else page.items()
        yield from _decoded(table, fields, incident)


def _together(client: redis.Redis, command: str, hashes: list[str]) -> list[Any]:
    pipe = client.pipeline(transaction=False)
    for each in hashes:
        wire.queue(pipe, command, each)
    return pipe.execute()


def _scan(client: redis.Redis, hash_key: str) -> Iterator[tuple[bytes, bytes]]:
    position = 0
    while True:
        position, found = wire.call(client, "HSCAN", hash_key, position, "COUNT", _AT_ONCE)
        yield from found.items()
        if not position:
            return


def _decoded(table: Table, fields: Fields, incident: str = "") -> Iterator[Put]:
    decode = _DECODERS[table].decode
    for key, raw in fields:
        record: Record = decode(raw)
        yield Put(table, key.decode(), record, incident or str(getattr(record, "incident", "")))


def number_of(incident: str) -> tuple[int, str]:
    """Sorts incidents oldest first: "INC-9" before "INC-10"."""
    digits = incident.rpartition("-")[2]
    return (int(digits) if digits.isdigit() else 0, incident)
