"""What is decided and over moves to the archive, is found there, and survives a kill between copy and delete."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from desk import Desk, outage
from small_policy import POLICY

from ledger import dead, log
from ledger.archive import Archive, ArchiveError, database, sweep
from ledger.archive.moving import sweeping
from ledger.clock import now_ms
from ledger.commit import commit
from ledger.lease import Lease
from ledger.views import entries, why
from routing.decision import Decision, Retire, Table
from routing.entry import Answer, Command, Lane, Verb
from routing.instant import DAY

ALL = 0
"""Keeps nothing: everything decided is old enough."""
MANY = 1_000_000


@pytest.fixture
def desk(redis_url: str, tmp_path: Path) -> Desk:
    return Desk(redis_url, tmp_path, POLICY)


def later() -> int:
    return now_ms() + DAY


def close_for_good(desk: Desk, incident: str) -> None:
    """Resolve it and retire it, as its timer would a week later."""
    desk.append(Command(at=now_ms(), by="anna", incident=incident, verb=Verb.RESOLVE))
    entry = log.append(desk.client, desk.keys, Lane.CONTROL, Answer(at=1, channel="sms", text="-"))
    desk.leave()
    fence = Lease(desk.client, desk.keys).acquire()
    assert fence is not None
    decision = Decision((Retire(incident),))
    commit(
        desk.client, desk.keys, fence, [(Lane.CONTROL, entry, decision)], {Lane.CONTROL: entry},
        lambda _pipe, _effects: None, now_ms(),
    )  # fmt: skip
    desk.client.delete(desk.keys.lease)


def test_a_decided_entry_moves_with_its_body_and_its_verdict(desk: Desk) -> None:
    entry = desk.receive(outage(vendor_id="evt_1"), b'{"alerts": []}')
    before = entries.find(desk.store, entry)
    assert sweep(desk.client, desk.keys, desk.archive, later(), ALL, MANY).entries == 1
    after = entries.find(desk.store, entry)
    assert before
    assert after
    assert (after.archived, before.archived) == (True, False)
    assert (after.entry, after.verdict, after.headers) == (before.entry, before.verdict, before.headers)
    assert after.body_bytes == 14
    assert desk.client.xlen(desk.keys.log("urgent")) == desk.client.xlen(desk.keys.raw) == 0
    assert not list(desk.client.scan_iter(match="*verdicts*"))


def test_an_entry_that_is_not_decided_yet_stays(desk: Desk) -> None:
    desk.receive(outage(), b"{}")
    log.append(desk.client, desk.keys, Lane.URGENT, Command(at=1, incident="INC-9", verb=Verb.ACK))
    sweep(desk.client, desk.keys, desk.archive, later(), ALL, MANY)
    assert desk.client.xlen(desk.keys.log("urgent")) == 1


def test_a_young_entry_stays_unless_there_are_too_many(desk: Desk) -> None:
    for number in range(5):
        desk.receive(outage(key=f"k{number}"), b"{}")
    assert sweep(desk.client, desk.keys, desk.archive, now_ms(), DAY, MANY).entries == 0
    assert sweep(desk.client, desk.keys, desk.archive, now_ms(), DAY, 2).entries == 3
    assert desk.client.xlen(desk.keys.log("urgent")) == 2


SWEEP = """
import sys
from pathlib import Path
from redis import Redis
from ledger.archive import sweep
from ledger.keys import Keys
sweep(Redis.from_url(sys.argv[1]), Keys(), Path(sys.argv[2]), int(sys.argv[3]), 0, 1000000)
"""


@pytest.mark.parametrize("copies", [1, 2, 3])
def test_a_kill_between_copy_and_delete_loses_and_doubles_nothing(desk: Desk, copies: int) -> None:
    """It dies after copying the control lane, the urgent lane, or the incidents."""
    entry = desk.receive(outage(), b"body")
    close_for_good(desk, "INC-1")
    whole = desk.store.whole("INC-1")
    child = subprocess.run(
        [sys.executable, "-c", SWEEP, desk.settings.redis_url, str(desk.archive), str(later())],
        env={**os.environ, "TOCSIN_FAULT": f"archive.copied:{copies}"}, check=False,
    )  # fmt: skip
    assert child.returncode == -signal.SIGKILL
    desk.client.delete(desk.keys.sweeping)  # what its expiry does within a minute
    sweep(desk.client, desk.keys, desk.archive, later(), ALL, MANY)
    found = desk.store.whole("INC-1")
    assert found
    assert whole
    assert (found.incident, found.timeline, found.alerts) == (whole.incident, whole.timeline, whole.alerts)
    assert found.archived
    assert entries.find(desk.store, entry)
    assert [incident.id for incident, _ in desk.store.incidents()] == ["INC-1"]


def test_a_retired_incident_moves_with_all_it_owns_and_is_still_explained(desk: Desk) -> None:
    desk.receive(outage(), b"{}")
    close_for_good(desk, "INC-1")
    live = desk.store.whole("INC-1")
    assert sweep(desk.client, desk.keys, desk.archive, later(), ALL, MANY).incidents == 1
    retired = desk.store.whole("INC-1")
    assert live
    assert retired
    assert (retired.deliveries, retired.runs, retired.timeline) == (live.deliveries, live.runs, live.timeline)
    assert [incident.id for incident, archived in desk.store.incidents() if archived] == ["INC-1"]
    assert not list(desk.client.scan_iter(match="*INC-1*"))
    assert desk.client.hlen(desk.keys.state(Table.INCIDENT)) == 0
    (life,) = why(desk.store, "INC-1")
    assert any(stage["what"].startswith("opened as SEV-0") for stage in life.stages)


def test_a_settled_dead_letter_moves_and_a_waiting_one_stays(desk: Desk) -> None:
    for body in (b"one", b"two"):
        dead.bury_now(desk.client, desk.keys, dead.refused("stripe", "no", body, 5))
    settled, waits = dead.dead_id(dead.Kind.REFUSED, "stripe", b"one"), 1
    dead.drop(desk.client, desk.keys, settled, "anna", now_ms())
    assert sweep(desk.client, desk.keys, desk.archive, later(), ALL, MANY).dead == 1
    assert dead.get(desk.client, desk.keys, settled) is None
    assert dead.waiting(desk.client, desk.keys) == waits
    (life,) = why(desk.store, settled)
    assert life.stages[-1]["what"] == "dropped by anna"


def test_nothing_moves_while_somebody_else_holds_the_right_to(desk: Desk) -> None:
    desk.receive(outage(), b"{}")
    with sweeping(desk.client, desk.keys) as token:
        assert token
        assert sweep(desk.client, desk.keys, desk.archive, later(), ALL, MANY).entries == 0
    assert sweep(desk.client, desk.keys, desk.archive, later(), ALL, MANY).entries == 1


def test_an_archive_of_a_newer_release_is_left_alone_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    Archive(path).put()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(ArchiveError, match=r"schema 99, from a newer release"):
        Archive(path).find_entry("u1-0")


def test_an_archive_that_is_not_there_yet_reads_as_empty(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "none.db")
    assert archive.find_incident("INC-1") is None
    assert list(archive.incidents()) == []
    assert not archive.path.exists()


def test_only_its_owner_may_read_the_archive(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive.db")
    archive.put()
    assert archive.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("query", [database.OF_ID, database.OF_VENDOR_ID, database.SPAN, database.OLDER])
def test_what_pages_ask_of_the_archive_is_found_by_an_index(tmp_path: Path, query: str) -> None:
    archive = Archive(tmp_path / "archive.db")
    archive.put()
    with sqlite3.connect(archive.path) as file:
        steps = [row[3] for row in file.execute(f"EXPLAIN QUERY PLAN {query}", ("1",) * query.count("?"))]
    assert any(step.startswith("SEARCH") for step in steps)
    assert not any(step.startswith(("SCAN entry", "SCAN incident")) for step in steps), steps
