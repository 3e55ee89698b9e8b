"""Kill -9 loses nothing: every process, at any instant and at every fault point, while mixed events come in.

The senders' and the vendors' own logs are the truth. `make chaos` lets each die twenty times and prints the toll.
"""

import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from deaths import Armoury, Killer, at_any_instant
from doomed import Doomed, doomed
from embedded import DISTRIBUTION
from judge import SETTLED_S, Deaths, Records, calm, count_events, forgotten
from outages import Outages
from owed import missing_pages, repeats, rollbacks
from stage import until
from toll import Death, Toll
from traffic import Traffic

ROUNDS = int(os.environ.get("TOCSIN_CHAOS_ROUNDS", "1"))  # how long the test runs is no setting of ours
VICTIMS = (
    "receiver", "dispatch-1", "dispatch-2", "urgent", "deliver", "remediate", "evidence", "watchdog", "upkeep",
    "database", "supervisor", "forks",
)  # fmt: skip
SENDERS = 4
BETWEEN = 20
"""Events that are accepted between two deaths of the same process: it does get to work."""
pytestmark = [pytest.mark.kill, pytest.mark.timeout(300 + 60 * ROUNDS), pytest.mark.xdist_group("kill")]
ROUND_S = 90.0
SERVERS = ("embedded", "distribution") if ROUNDS > 1 else ("embedded",)
"""One round is for every change; the second server is for `make chaos`, and for the stories of `test_other_server`."""


@pytest.fixture(params=SERVERS)
def distribution(request: pytest.FixtureRequest) -> bool:
    """Whether the database is the distribution's Redis, where one is installed."""
    if request.param == "distribution" and not DISTRIBUTION:
        pytest.skip("no redis-server is installed")
    return bool(request.param == "distribution")


def test_a_death_at_a_named_point_loses_nothing(
    tmp_path: Path, distribution: bool, record_property: Callable[[str, object], None]
) -> None:
    armoury = Armoury(tmp_path / "leave", ROUNDS)
    with doomed(tmp_path, armoury.environ, distribution=distribution) as found:
        with Traffic(found.town, SENDERS) as traffic, Outages(found.town, found.twilio) as outages:
            until(
                lambda: not armoury.turn(traffic.accepted(), BETWEEN),
                ROUND_S * (ROUNDS + 1),
                lambda: f"{armoury.waiting()}\n{found.town.output()}",
            )
        toll = judge(found, traffic, outages, armoury.deaths(), armoury.owed)
    toll.keep(record_property)
    assert not toll.faults, "\n".join(toll.faults)
    assert {row.point: row.kills for row in toll.rows.values() if row.rounds} == armoury.owed


def test_any_process_killed_at_any_instant_loses_nothing(
    tmp_path: Path, distribution: bool, record_property: Callable[[str, object], None]
) -> None:
    chance = random.Random(7)  # noqa: S311  # repeatable, not secret
    rounds = {at_any_instant(victim): ROUNDS for victim in VICTIMS}
    with doomed(tmp_path, {}, distribution=distribution) as found:
        killer = Killer(found.town, found.restart_server if distribution else None)
        with Traffic(found.town, SENDERS) as traffic, Outages(found.town, found.twilio) as outages:
            for victim in (victim for _ in range(ROUNDS) for victim in chance.sample(VICTIMS, len(VICTIMS))):
                time.sleep(chance.uniform(0.2, 0.8))  # any instant, not a condition
                killer.kill(victim)
                if victim == "supervisor":
                    found.town.start()
        toll = judge(found, traffic, outages, killer.deaths, rounds)
    toll.keep(record_property)
    assert not toll.faults, "\n".join(toll.faults)
    assert {row.point: row.kills for row in toll.rows.values() if row.rounds} == rounds


def judge(
    found: Doomed, traffic: Traffic, outages: Outages, deaths: Sequence[Death], rounds: Mapping[str, int]
) -> Toll:
    """Everything accepted is decided, everything owed is done; then the records are held against the logs."""
    outages.see_through(until, SETTLED_S)
    until(lambda: calm(found), SETTLED_S, found.town.output)
    records, counted = Records(found), Deaths(deaths, rounds)
    counted.toll.faults += forgotten(records)
    count_events(records, [*traffic.log(), *outages.log], counted)
    counted.toll.faults += [*missing_pages(records, outages), *rollbacks(records, found.vercel)]
    repeats(records, found, counted)
    return counted.toll
