"""Bodies go when their time is over, live or archived, each source's by its own; what was decided of them stays."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from desk import Desk, outage
from small_policy import POLICY

from ledger import dead, wire
from ledger.archive import Archive, sweep
from ledger.archive.database import ArchivedRaw
from ledger.archive.forgetting import Keeping, forget_archived, forget_live
from ledger.clock import now_ms
from ledger.views import bodies, entries
from routing.instant import DAY, HOUR


@pytest.fixture
def desk(redis_url: str, tmp_path: Path) -> Desk:
    return Desk(redis_url, tmp_path, POLICY)


def receive(desk: Desk, number: int, source: str = "am") -> str:
    event = msgspec.structs.replace(outage(key=f"k{number}"), source=source)
    return desk.receive(event, b"secret-%d" % number)


def kept(desk: Desk, *found: str) -> list[bool]:
    seen = [entries.find(desk.store, each) for each in found]
    return [each is not None and each.body_bytes >= 0 for each in seen]


def archive(desk: Desk) -> None:
    sweep(desk.client, desk.keys, desk.archive, now_ms() + 10 * DAY, 0, 1_000_000)


def test_live_bodies_go_by_their_sources_own_time(desk: Desk) -> None:
    theirs, others = receive(desk, 1, "stripe"), receive(desk, 2)
    later = now_ms() + 2 * HOUR
    assert forget_live(desk.client, desk.keys, Keeping(DAY, {"stripe": HOUR}), later) == 1
    assert kept(desk, theirs, others) == [False, True]
    assert forget_live(desk.client, desk.keys, Keeping(DAY, {"am": 3 * DAY}), later + DAY) == 0
    assert forget_live(desk.client, desk.keys, Keeping(DAY), later + DAY) == 1


def test_all_of_many_live_ones_are_looked_at(desk: Desk) -> None:
    for number in range(450):
        source = b"stripe" if number % 3 else b"am"
        wire.call(desk.client, "XADD", desk.keys.raw, "*", "b", b"x", "h", b"{}", "s", source)
    assert forget_live(desk.client, desk.keys, Keeping(DAY, {"stripe": 0}), now_ms() + 1) == 300
    assert desk.client.xlen(desk.keys.raw) == 150


def test_archived_bodies_go_and_what_was_decided_of_them_stays(desk: Desk) -> None:
    theirs, others = receive(desk, 1, "stripe"), receive(desk, 2)
    archive(desk)
    assert kept(desk, theirs, others) == [True, True]
    later = now_ms() + 2 * DAY
    assert forget_archived(desk.archive, Keeping(10 * DAY, {"stripe": DAY}), later) == 1
    assert kept(desk, theirs, others) == [False, True]
    seen = entries.find(desk.store, theirs)
    assert seen is not None
    assert seen.verdict is not None
    assert forget_archived(desk.archive, Keeping(DAY), later) == 1
    assert Archive(desk.archive).counts()["entry"] == 2


def test_more_of_one_source_than_go_at_once_all_go(desk: Desk) -> None:
    Archive(desk.archive).put(raws=[ArchivedRaw(f"17324064{n:05}-0", "am", b"x", b"{}") for n in range(1200)])
    assert forget_archived(desk.archive, Keeping(DAY), now_ms()) == 1200
    assert Archive(desk.archive).counts()["raw"] == 0


def test_what_is_forgotten_is_not_left_in_the_file(desk: Desk) -> None:
    receive(desk, 7)
    archive(desk)
    forget_archived(desk.archive, Keeping(0), now_ms() + 1)
    with closing(sqlite3.connect(desk.archive)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"secret-7" not in desk.archive.read_bytes()


def test_the_body_of_a_settled_dead_letter_goes_and_the_letter_stays(desk: Desk) -> None:
    for raw, settled in ((b"settled", True), (b"waiting", False)):
        letter = dead.bury_now(desk.client, desk.keys, dead.refused("am", "no alerts", raw, now_ms()))
        if settled:
            dead.drop(desk.client, desk.keys, letter, "anna", now_ms())
    archive(desk)
    assert forget_archived(desk.archive, Keeping(DAY), now_ms() + 2 * DAY) == 1
    assert forget_archived(desk.archive, Keeping(DAY), now_ms() + 2 * DAY) == 0
    gone = desk.store.settled(dead.dead_id(dead.Kind.REFUSED, "am", b"settled"))
    assert gone is not None
    assert (gone.raw, gone.why) == (b"", "no alerts")
    waits = dead.get(desk.client, desk.keys, dead.dead_id(dead.Kind.REFUSED, "am", b"waiting"))
    assert waits is not None
    assert waits.raw == b"waiting"


def test_there_need_be_no_archive(tmp_path: Path) -> None:
    assert forget_archived(tmp_path / "none.db", Keeping(0), now_ms()) == 0
    assert not (tmp_path / "none.db").exists()


def test_a_body_that_is_gone_is_none(desk: Desk) -> None:
    assert bodies.find(desk.store, "1-0") is None
    assert bodies.find(desk.store, "nonsense") is None
