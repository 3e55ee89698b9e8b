"""A job's addresses, and what becomes of what they say: a failure, a success, and nothing at all."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
import senders
from small_policy import HERE, POLICY, START, World

from receiver import heartbeats
from receiver.sources import heartbeat
from routing.entry import PolicySet, Signal
from routing.incident import Phase
from routing.instant import HOUR, MINUTE
from routing.language import matchers
from routing.policy import Absence
from routing.ports import Inbound
from routing.severity import Severity
from routing.simulation import Simulation

LATE = Absence(
    name="backup-late",
    matchers=matchers.parse_all('kind="heartbeat.success", job="nightly-backup"'),
    within_ms=25 * HOUR,
    severity=Severity.SEV2,
    title="The backup did not run",
    origin=HERE,
)
SOURCE = senders.source_of("heartbeat")
ADDRESSES = heartbeats.addresses("nightly-backup", SOURCE, senders.SECRET, "https://tocsin.example/")


def asked(sim: Simulation, state: str) -> None:
    """The address is asked now."""
    query = dict(parse_qsl(urlsplit(ADDRESSES[state]).query))
    inbound = Inbound(b"", {}, query, sim.now)
    heartbeat.verify(inbound, [senders.SECRET], SOURCE)
    [event] = heartbeat.parse(inbound, SOURCE).events
    sim.feed(Signal(at=sim.now, event=event))


@pytest.fixture
def sim() -> Simulation:
    policy = replace(POLICY, absences=(LATE,), thresholds=(), sources={**POLICY.sources, "heartbeat": SOURCE})
    simulation = Simulation(policy, START, World(), keep=False)
    simulation.feed(PolicySet(at=START, version="p1"))
    return simulation


def phases(sim: Simulation) -> list[Phase]:
    return [incident.phase for incident in sim.incidents()]


def test_the_addresses_name_the_job_and_its_key() -> None:
    assert set(ADDRESSES) == {"start", "success", "fail"}
    assert ADDRESSES["fail"].startswith("https://tocsin.example/hooks/heartbeat?job=nightly-backup&key=")
    assert senders.SECRET not in str(ADDRESSES)
    with pytest.raises(ValueError, match="letters, digits"):
        heartbeats.addresses("nightly backup", SOURCE, senders.SECRET, "https://tocsin.example")


def test_a_job_that_ran_is_quiet_until_it_is_late(sim: Simulation) -> None:
    for day in range(3):
        sim.pass_time(START + 24 * HOUR * (day + 1))
        asked(sim, "start")
        sim.pass_time(sim.now + MINUTE)
        asked(sim, "success")
    assert phases(sim) == []
    last = sim.now
    sim.pass_time(last + 24 * HOUR)
    asked(sim, "start")
    sim.pass_time(last + 25 * HOUR)
    assert [incident.title for incident in sim.incidents()] == ["The backup did not run"]
    asked(sim, "success")
    sim.pass_time(sim.now + HOUR)
    assert phases(sim) == [Phase.RESOLVED]


def test_a_job_that_fails_is_an_incident_until_it_succeeds(sim: Simulation) -> None:
    asked(sim, "fail")
    assert [incident.title for incident in sim.incidents()] == ["Job nightly-backup failed"]
    assert phases(sim) == [Phase.TRIGGERED]
    sim.pass_time(sim.now + MINUTE)
    asked(sim, "success")
    sim.pass_time(sim.now + HOUR)
    assert phases(sim) == [Phase.RESOLVED]
