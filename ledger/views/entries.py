"""Entries of the log and the bodies they came in, wherever they are now: in Redis or in the archive."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from ledger import log, wire
from ledger.views import bodies
from ledger.views.store import Store
from routing.entry import AnyEntry, Lane, Signal, decode_entry
from routing.incident import Verdict
from routing.instant import HOUR
from routing.record import decode

SEARCHED = 20_000
"""How many live entries a lane are looked through for a vendor's id that is remembered nowhere else."""
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """One entry as it was appended, and what became of it. `body_bytes` -1: its body is gone."""

    id: str
    position: str
    lane: Lane
    entry: AnyEntry
    verdict: Verdict | None
    decided: bool
    headers: dict[str, str]
    body_bytes: int
    archived: bool
    raw_id: str = ""


def find(store: Store, entry_id: str) -> Seen | None:
    """By its id, or its position in the log."""
    live = log.find(store.client, store.keys, entry_id)
    if live is not None:
        decided = _decided(store, live.lane, live.position)  # first: what is decided has its verdict by then
        verdict = store.client.hget(_verdicts(store, live.lane, live.position), live.position)
        headers, size = _body(store, live.raw_id)
        return Seen(
            live.id, live.position, live.lane, decode_entry(live.raw),
            decode(Verdict, verdict) if verdict else None,
            decided, headers, size, archived=False,
            raw_id=live.raw_id,
        )  # fmt: skip
    old = store.archive.find_entry(entry_id)
    if old is None:
        return None
    headers, size = _body(store, old.raw)
    return Seen(
        old.id, old.position, Lane(old.lane), decode_entry(old.entry),
        decode(Verdict, old.verdict) if old.verdict else None,
        decided=True, headers=headers, body_bytes=size, archived=True, raw_id=old.raw,
    )  # fmt: skip


def ids_of_vendor_id(
    store: Store, sources: Iterator[str] | list[str], vendor_id: str, searched: int = SEARCHED
) -> list[str]:
    """Ids of the entries that a vendor calls by this id: remembered, archived, or found by looking."""
    pipe = store.client.pipeline(transaction=False)
    for source in sources:
        pipe.get(store.keys.seen(source, vendor_id))
    found = [text.decode() for text in pipe.execute() if isinstance(text, bytes)]
    found += [old.id for old in store.archive.entries_of_vendor_id(vendor_id)]
    return list(dict.fromkeys(found)) or list(dict.fromkeys(_look_for(store, vendor_id, searched)))


def _look_for(store: Store, vendor_id: str, searched: int) -> Iterator[str]:
    wanted = json.dumps(vendor_id).encode()
    for lane in (Lane.URGENT, Lane.BULK):
        for position, entry in _newest(store, lane, searched):
            if wanted in entry:
                found = decode_entry(entry)
                if isinstance(found, Signal) and found.event.vendor_id == vendor_id:
                    yield position


def _newest(store: Store, lane: Lane, searched: int) -> Iterator[tuple[str, bytes]]:
    last = "+"
    for _ in range(searched // _AT_ONCE):
        rows = wire.call(store.client, "XREVRANGE", store.keys.log(lane), last, "-", "COUNT", _AT_ONCE)
        for stream_id, fields in rows:
            yield log.INITIALS[lane] + stream_id.decode(), fields[b"e"]
        if len(rows) < _AT_ONCE:
            return
        last = f"({rows[-1][0].decode()}"


def _body(store: Store, raw_id: str) -> tuple[dict[str, str], int]:
    """Redacted headers, and size of the body."""
    found = bodies.find(store, raw_id)
    return (found.headers, len(found.body)) if found else ({}, -1)


def _verdicts(store: Store, lane: Lane, position: str) -> str:
    return store.keys.verdicts(lane, log.instant_of(position) // HOUR)


def _decided(store: Store, lane: Lane, position: str) -> bool:
    last = store.client.hget(store.keys.cursor, lane.value)
    if not last:
        return False
    return order(position) <= order(last.decode() if isinstance(last, bytes) else str(last))


def order(position: str) -> tuple[int, int]:
    """Sorts positions of one lane."""
    ms, _, number = log.stream_id(position).partition("-")
    return int(ms), int(number)
