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
