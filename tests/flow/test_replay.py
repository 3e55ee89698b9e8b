"""What was decided while processes died is decided byte for byte the same when the log is simulated again."""

import random
import time
from contextlib import closing
from pathlib import Path

import pytest
from deaths import Killer
from doomed import doomed
from judge import SETTLED_S, calm
from outages import Outages
from refolding import differences, refold
from stage import until
from traffic import Traffic

from ledger import policies
from ledger.connection import connect
from ledger.keys import Keys
from ledger.server import EmbeddedServer
from ledger.settings import LedgerSettings
from ledger.views.store import Store

pytestmark = [pytest.mark.kill, pytest.mark.timeout(400), pytest.mark.xdist_group("kill")]

VICTIMS = ("dispatch-1", "database", "deliver", "dispatch-2", "remediate", "receiver")
SENDERS = 4


def test_the_log_of_a_night_of_deaths_simulates_to_the_same_bytes(tmp_path: Path) -> None:
    chance = random.Random(3)  # noqa: S311  # repeatable, not secret
    with doomed(tmp_path, {}, distribution=False, retire=False) as found:
        killer = Killer(found.town, lambda: None)
        with Traffic(found.town, SENDERS) as traffic, Outages(found.town, found.twilio) as outages:
            for victim in VICTIMS:
                time.sleep(chance.uniform(0.2, 0.8))  # any instant, not a condition
                killer.kill(victim)
        outages.see_through(until, SETTLED_S)
        until(lambda: calm(found), SETTLED_S, found.town.output)
        found.town.stop()
        server = EmbeddedServer(found.town.data_dir)
        server.start()
        try:
            entries, different = _refolded(found.town.data_dir)
        finally:
            server.stop()
    assert entries > traffic.accepted() > 0
    assert different == []


def _refolded(data_dir: Path) -> tuple[int, list[str]]:
    """How many entries the log has, and what differs after they were decided again."""
    live, again = Keys(), Keys(partition=7)
    with closing(connect(LedgerSettings(data_dir=data_dir))) as client:
        store = Store(client, live, data_dir / "archive.db")
        entries = refold(store, again, lambda version: policies.by_version(client, live, version))
        return entries, differences(client, live, again)
