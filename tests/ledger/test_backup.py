"""A backup holds everything as of one instant, comes back as it was, and only where it harms nothing."""

import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, outage
from embedded import running_server
from redis import Redis
from small_policy import POLICY

from ledger import dead, log, wire
from ledger.archive import Archive, sweep
from ledger.archive.moving import sweeping
from ledger.backup import BackupError, restore, save
from ledger.clock import now_ms
from ledger.keys import Keys
from ledger.lease import Lease
from ledger.state import cursor, load_state
from routing.audit import audit
from routing.entry import Command, Lane, Verb
from routing.instant import DAY

CONFIG = {"config/routes.yaml": "routes: []\n"}


@pytest.fixture
def desk(redis_url: str, tmp_path: Path) -> Desk:
    """A desk with a bit of everything: decided and undecided, live and archived, every type of key."""
    desk = Desk(redis_url, tmp_path / "from", POLICY)
    desk.receive(outage(key="old"), b'{"old": "\xff"}')
    sweep(desk.client, desk.keys, desk.archive, now_ms() + DAY, 0, 1_000_000)
    desk.receive(outage(key="new", vendor_id="evt_1"), b"{}")
    desk.append(Command(at=now_ms(), by="anna", incident="INC-1", verb=Verb.ACK))
    log.append(
        desk.client, desk.keys, Lane.BULK, Command(at=1, incident="INC-1", verb=Verb.NOTE, text="later")
    )
    dead.bury_now(desk.client, desk.keys, dead.refused("stripe", "no", b"\x00\xff", 5))
    desk.client.set(desk.keys.seen("am", "evt_2"), "u1-0", px=3_600_000)
    desk.leave()
    return desk


@pytest.fixture(scope="module")
def other_url() -> Iterator[str]:
    with running_server() as server:
        yield server.url


@pytest.fixture
def other(other_url: str, tmp_path: Path) -> Desk:
    """An empty store, somewhere else."""
    Redis.from_url(other_url).flushall()
    return Desk(other_url, tmp_path / "to", POLICY)


def everything(client: Redis) -> dict[bytes, Any]:
    """All keys with their values; the lease and the fence are nobody's data."""
    reads: dict[str, tuple[str, ...]] = {
        "string": (), "hash": (), "set": (), "list": ("0", "-1"), "zset": ("0", "-1", "WITHSCORES"), "stream": ("-", "+"),
    }  # fmt: skip
    command = {
        "string": "GET", "hash": "HGETALL", "set": "SMEMBERS", "list": "LRANGE", "zset": "ZRANGE", "stream": "XRANGE",
    }  # fmt: skip
    found = {}
    for key in wire.call(client, "KEYS", "tocsin:*"):
        kind = wire.text(client.type(key))
        if key not in {b"tocsin:{0}:lease", b"tocsin:{0}:fence"}:
            found[key] = wire.call(client, command[kind], key, *reads[kind])
    return found


def back_up(desk: Desk, room: Path) -> Path:
    target = room / "tocsin.backup"
    save(desk.client, desk.keys, desk.archive, CONFIG, target, now_ms())
    return target


def test_what_comes_back_is_what_was_there(desk: Desk, other: Desk, tmp_path: Path) -> None:
    before = everything(desk.client)
    done = restore(other.client, other.keys, other.archive, back_up(desk, tmp_path))
    assert everything(other.client) == before
    assert Archive(other.archive).counts() == Archive(desk.archive).counts()
    assert done.config == {"config/routes.yaml": b"routes: []\n"}
    assert 3_500_000 < other.client.pttl(other.keys.seen("am", "evt_2")) <= 3_600_000


def test_work_goes_on_where_it_stopped(desk: Desk, other: Desk, tmp_path: Path) -> None:
    restore(other.client, other.keys, other.archive, back_up(desk, tmp_path))
    other.fold()
    whole = other.store.whole("INC-1")
    assert whole
    assert whole.timeline[-1].what == "note: later"
    assert audit(load_state(other.client, other.keys), now_ms()) == []
    again = log.append(other.client, other.keys, Lane.URGENT, Command(at=1, incident="INC-1", verb=Verb.ACK))
    assert log.instant_of(again) > log.instant_of(cursor(desk.client, desk.keys).positions[Lane.URGENT])


def test_a_dispatcher_of_before_cannot_commit_into_what_was_restored(
    desk: Desk, other: Desk, tmp_path: Path
) -> None:
    stale = Lease(other.client, other.keys)
    fence = stale.acquire()
    stale.release()
    restore(other.client, other.keys, other.archive, back_up(desk, tmp_path))
    assert fence is not None
    assert int(other.client.get(other.keys.fence) or 0) > fence


def test_a_backup_made_while_all_goes_on_belongs_together(desk: Desk, other: Desk, tmp_path: Path) -> None:
    """Every incident has its timeline, every timer its record, and the cursor is where the state is."""
    stop = threading.Event()
    writer = Desk(desk.settings.redis_url, desk.settings.data_dir, POLICY)

    def busy() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            writer.receive(outage(key=f"k{number}"), b"{}")

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        backups = [back_up(desk, _room(tmp_path, number)) for number in range(5)]
    finally:
        stop.set()
        thread.join()
    for backup in backups:
        restore(other.client, other.keys, other.archive, backup, force=True)
        state, keys = load_state(other.client, other.keys), other.keys
        decided = cursor(other.client, keys).positions[Lane.URGENT]
        raw_ids = {at for at, _ in wire.call(other.client, "XRANGE", keys.raw, "-", "+")}
        assert log.find(other.client, keys, decided)
        assert audit(state, now_ms()) == []
        assert set(state.timers()) == {
            key.decode() for key in wire.call(other.client, "ZRANGE", keys.timers, 0, -1)
        }
        for _, fields in wire.call(other.client, "XRANGE", keys.log("urgent"), "-", decided[1:]):
            assert fields[b"r"] in raw_ids


def _room(tmp_path: Path, number: int) -> Path:
    room = tmp_path / str(number)
    room.mkdir()
    return room


def test_a_store_that_is_not_empty_is_refused_and_left_alone(desk: Desk, other: Desk, tmp_path: Path) -> None:
    backup = back_up(desk, tmp_path)
    other.receive(outage(key="mine"), b"{}")
    other.leave()
    before = everything(other.client)
    with pytest.raises(BackupError, match=r"not empty: 1 incidents, 1 log entries.*--force"):
        restore(other.client, other.keys, other.archive, backup)
    assert everything(other.client) == before
    restore(other.client, other.keys, other.archive, backup, force=True)
    assert everything(other.client) == everything(desk.client)


def test_a_store_somebody_works_on_is_refused_even_by_force(desk: Desk, other: Desk, tmp_path: Path) -> None:
    backup = back_up(desk, tmp_path)
    other.fold()
    with pytest.raises(BackupError, match=r"Tocsin is at work here.*stop it first"):
        restore(other.client, other.keys, other.archive, backup, force=True)


def test_a_damaged_backup_is_refused_before_anything_is_written(
    desk: Desk, other: Desk, tmp_path: Path
) -> None:
    backup = back_up(desk, tmp_path)
    damaged = tmp_path / "damaged"
    with zipfile.ZipFile(backup) as old, zipfile.ZipFile(damaged, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data.replace(b"INC-1", b"INC-2") if name == "keys.jsonl" else data)
    with pytest.raises(BackupError, match=r"keys.jsonl is not what was written"):
        restore(other.client, other.keys, other.archive, damaged)
    assert everything(other.client) == {}


@pytest.mark.parametrize("content", [b"", b"not a zip file", b"PK\x03\x04"])
def test_what_is_no_backup_is_said_to_be_none(other: Desk, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(BackupError, match="is not a backup of Tocsin"):
        restore(other.client, other.keys, other.archive, path)


def test_a_restore_that_is_killed_has_changed_nothing_and_can_be_repeated(
    desk: Desk, other: Desk, tmp_path: Path
) -> None:
    backup = back_up(desk, tmp_path)
    program = (
        "import os, signal, sys; from pathlib import Path; from redis import Redis; from ledger.keys import Keys\n"
        "from ledger.backup import restore\n"
        "restore(Redis.from_url(sys.argv[1]), Keys(), Path(sys.argv[2]), Path(sys.argv[3]),"
        " progress=lambda _: os.kill(os.getpid(), signal.SIGKILL))"
    )
    child = subprocess.run(
        [sys.executable, "-c", program, other.settings.redis_url, str(other.archive), str(backup)],
        env=dict(os.environ), check=False,
    )  # fmt: skip
    assert child.returncode == -signal.SIGKILL
    assert (
        load_state(other.client, other.keys).tables
        == load_state(Redis.from_url(other.settings.redis_url), Keys(7)).tables
    )
    other.client.delete(other.keys.lease)  # what its expiry does within half a minute
    restore(other.client, other.keys, other.archive, backup)
    assert everything(other.client) == everything(desk.client)


def test_a_backup_waits_for_no_sweep_and_says_so(desk: Desk, tmp_path: Path) -> None:
    with sweeping(desk.client, desk.keys), pytest.raises(BackupError, match="try again"):
        back_up(desk, tmp_path)
    assert not list(tmp_path.glob("tocsin.backup*"))


def test_only_its_owner_may_read_a_backup(desk: Desk, tmp_path: Path) -> None:
    assert back_up(desk, tmp_path).stat().st_mode & 0o077 == 0


def test_a_backup_that_cannot_be_written_says_where(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"nowhere/b cannot be written: No such file or directory"):
        save(desk.client, desk.keys, desk.archive, CONFIG, tmp_path / "nowhere" / "b", now_ms())
