"""The embedded server beside the supervisor."""

import os
from pathlib import Path

import pytest
from stage import until

from ledger.connection import connect
from ledger.server import EmbeddedServer
from ledger.settings import LedgerSettings
from workers.database import Database


def test_a_rewrite_that_the_server_begins_by_itself_gives_way_to_senders(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    database = Database(server, lambda _line: None)
    database.start()
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children")
    try:
        if not children.exists():
            pytest.skip("no /proc on this system")
        with connect(LedgerSettings(data_dir=tmp_path)) as client:
            client.mset({f"key{number}": "value" for number in range(1_000)})
            client.config_set("rdb-key-save-delay", 50_000)  # µs: it lasts until it was looked at
            client.bgrewriteaof()
            (rewriting,) = map(int, children.read_text().split())
            until(lambda: os.getpriority(os.PRIO_PROCESS, rewriting) >= 10, 20)
    finally:
        database.stop()


def test_what_a_rewrite_leaves_is_freed_bit_by_bit(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    database = Database(server, lambda _line: None)
    database.start()
    try:
        with connect(LedgerSettings(data_dir=tmp_path)) as client:
            for number in range(40):
                client.set(f"key{number % 2}", os.urandom(1_000_000))
            (old,) = server.home.glob("appendonlydir/*.incr.aof")
            until(lambda: held(old), 20)
            (descriptor,) = held(old)
            client.bgrewriteaof()
            until(lambda: not os.fstat(descriptor).st_nlink, 20)
            assert os.fstat(descriptor).st_size > 0, "not freed when it was removed"
            until(lambda: closed(descriptor), 20)
    finally:
        database.stop()


def held(file: Path) -> list[int]:
    """Our descriptors of it."""
    mine = (int(entry.name) for entry in Path("/proc/self/fd").iterdir())
    return [each for each in mine if not closed(each) and os.fstat(each).st_ino == file.stat().st_ino]


def closed(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return True
    return False
