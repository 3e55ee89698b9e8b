"""The log replays as it was decided: order, instants, verdicts; live, archived, and while it moves."""

from pathlib import Path

import pytest
from desk import Desk, outage
from redis import Redis
from refolding import differences, refold
from small_policy import POLICY

from ledger import wire
from ledger.archive import sweep
from ledger.clock import now_ms
from ledger.keys import Keys
from ledger.views import history
from routing.entry import Command, Verb, decode_entry
from routing.event import Status
from routing.instant import HOUR


@pytest.fixture
def desk(redis_url: str, redis: Redis, tmp_path: Path) -> Desk:
    assert redis.ping()
    desk = Desk(redis_url, tmp_path, POLICY)
    for number in range(3):
        desk.receive(outage(key=f"k{number}", vendor_id=f"v{number}"), b"{}")
    desk.append(Command(at=now_ms(), by="anna", incident="INC-1", verb=Verb.ACK))
    desk.receive(outage(key="k0", status=Status.RESOLVED), b"{}")
    return desk


def told(desk: Desk, since: int = 0) -> list[tuple[str, str]]:
    return [
        (type(decode_entry(each.raw)).__name__, each.position)
        for batch in history.batches(desk.store, since)
        for each in batch
    ]


def test_every_entry_comes_once_in_the_order_it_was_decided(desk: Desk) -> None:
    kinds = [kind for kind, _ in told(desk)]
    assert kinds == ["Signal", "Signal", "Signal", "Command", "Signal"]


def test_it_reads_the_same_after_all_of_it_has_moved_to_the_archive(desk: Desk) -> None:
    before = [each for batch in history.batches(desk.store) for each in batch]
    assert all(each.verdict for each in before if each.position.startswith("u"))
    swept = sweep(desk.client, desk.keys, desk.archive, now_ms() + HOUR, HOUR // 2, 1)
    assert swept.entries == 5
    assert desk.client.xlen(desk.keys.batches) == 0
    assert [each for batch in history.batches(desk.store) for each in batch] == before


def test_what_is_in_both_places_while_it_moves_comes_once(desk: Desk) -> None:
    """As after a death between copying to the archive and deleting here."""
    before, streams = told(desk), (desk.keys.batches, desk.keys.log("urgent"))
    rows = {stream: wire.call(desk.client, "XRANGE", stream, "-", "+") for stream in streams}
    sweep(desk.client, desk.keys, desk.archive, now_ms() + HOUR, HOUR // 2, 1)
    for stream, found in rows.items():
        desk.client.delete(stream)
        for at, fields in found:
            wire.call(desk.client, "XADD", stream, at, *(part for pair in fields.items() for part in pair))
    assert told(desk) == before


def test_it_begins_where_it_is_asked_to(desk: Desk) -> None:
    everything = [each for batch in history.batches(desk.store) for each in batch]
    last = everything[-1]
    assert [each.position for batch in history.batches(desk.store, last.at) for each in batch][
        -1
    ] == last.position
    assert told(desk, last.at + 1) == []


def test_folding_it_again_gives_the_same_bytes(desk: Desk) -> None:
    again = Keys(partition=7)
    assert refold(desk.store, again, lambda _: POLICY) == 5
    assert differences(desk.client, desk.keys, again) == []


def test_a_change_in_what_is_stored_is_seen(desk: Desk) -> None:
    again = Keys(partition=7)
    refold(desk.store, again, lambda _: POLICY)
    desk.client.hset(again.state("fact"), "incidents", "9")
    assert differences(desk.client, desk.keys, again) == ["state:fact"]
