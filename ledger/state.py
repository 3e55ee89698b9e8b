"""The state as it is stored: loaded once per lease, and only ever written by commits."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import redis

from ledger.keys import Keys
from ledger.log import START, Position
from ledger.tables import OWNED, RECORDS, SHARED
from routing.decision import Put, Table
from routing.entry import Lane
from routing.record import Record
from routing.state import State

_AT_ONCE = 2_000
"""Fields fetched by one command: a table of 100,000 never keeps the server from its other clients."""
_INCIDENTS_AT_ONCE = 500

_DECODERS: dict[Table, "msgspec.json.Decoder[Record]"] = {
    table: msgspec.json.Decoder(kind) for table, kind in RECORDS.items()
}


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the log is decided. `decided`: entries so far; `decided_at`: ms of the last commit."""

    positions: dict[Lane, Position]
    decided: int = 0
    decided_at: int = 0
    policy: str = ""


def load_state(client: redis.Redis, keys: Keys) -> State:
    """Everything live. Call it with the lease held: only then does nobody else write.

    Raises msgspec.ValidationError when a stored record cannot be read by this release.
    """
    state = State()
    retired = {_text(each) for each in client.zrange(keys.retired, 0, -1)}
    for table in SHARED:
        for key, record in _records(client, keys.state(table), table):
            owner = str(getattr(record, "incident", "")) if table is not Table.INCIDENT else ""
            if (owner or key) not in retired or (owner == "" and table is not Table.INCIDENT):
                state.load(Put(table, key, record, owner))
    incidents = sorted(state.tables[Table.INCIDENT], key=_number)
    for start in range(0, len(incidents), _INCIDENTS_AT_ONCE):
        _load_owned(client, keys, incidents[start : start + _INCIDENTS_AT_ONCE], state)
    return state


def cursor(client: redis.Redis, keys: Keys) -> Cursor:
    """Where the next dispatcher goes on."""
    found = {_text(key): _text(value) for key, value in client.hgetall(keys.cursor).items()}
    return Cursor(
        positions={lane: found.get(lane, START) for lane in Lane},
        decided=int(found.get("decided", 0)),
        decided_at=int(found.get("decided_at", 0)),
        policy=found.get("policy", ""),
    )


def _load_owned(client: redis.Redis, keys: Keys, incidents: list[str], state: State) -> None:
    """Older incidents first: an alert that moved to a newer one is left behind in the older one's history."""
    places = [(incident, table) for incident in incidents for table in OWNED]
    pipe = client.pipeline(transaction=False)
    for incident, table in places:
        pipe.hlen(keys.owned(incident, table))
    sizes = pipe.execute()
    small = [place for place, size in zip(places, sizes, strict=True) if 0 < size <= _AT_ONCE]
    pipe = client.pipeline(transaction=False)
    for incident, table in small:
        pipe.hgetall(keys.owned(incident, table))
    fetched = dict(zip(small, pipe.execute(), strict=True))
    for (incident, table), size in zip(places, sizes, strict=True):
        if not size:
            continue
        if (incident, table) in fetched:
            decoder = _DECODERS[table]
            for key, raw in fetched[incident, table].items():
                state.load(Put(table, _text(key), decoder.decode(raw), incident))
        else:
            for key, record in _records(client, keys.owned(incident, table), table):
                state.load(Put(table, key, record, incident))


def _records(client: redis.Redis, hash_key: str, table: Table) -> Iterator[tuple[str, Record]]:
    decoder = _DECODERS[table]
    position: Any = 0
    while True:
        position, found = client.hscan(hash_key, position, count=_AT_ONCE)
        for key, raw in found.items():
            yield _text(key), decoder.decode(raw)
        if not position:
            return


def _number(incident: str) -> tuple[int, str]:
    digits = incident.rpartition("-")[2]
    return (int(digits) if digits.isdigit() else 0, incident)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
