"""A heartbeat as the page on probes writes it: what is posted, and the absence that misses it."""

import re

import pages
import shipped
from small_policy import START, World

from receiver.sources import prometheus
from routing.entry import PolicySet, Signal
from routing.event import Event
from routing.incident import Incident, Phase
from routing.instant import HOUR
from routing.load import load
from routing.policy import Source
from routing.ports import Inbound
from routing.simulation import Simulation

PAGE = pages.ROOT / "docs/probes.md"


def block(language: str, words: str) -> str:
    (found,) = [each.text for each in pages.blocks(language) if each.page == PAGE and words in each.text]
    return found


def live() -> Simulation:
    """The shipped configuration with the page's absence."""
    files = shipped.files()
    severity = files["config/severity.yaml"]
    absence = block("yaml", "Heartbeat").removeprefix("absences:\n")
    files["config/severity.yaml"] = severity.replace("\nabsences:\n", f"\nabsences:\n{absence}", 1)
    policy = load(files, shipped.vendors())
    sim = Simulation(policy, START, World(), keep=False)
    sim.feed(PolicySet(at=START, version="p1"))
    return sim


def beat(at: int, source: Source) -> Event:
    """What becomes of the line's body."""
    body = re.search(r"-d '([^']+)'", block("sh", "Heartbeat"))
    assert body
    (event,) = prometheus.parse(Inbound(body[1].encode(), {}, {}, at), source).events
    return event


def of_jobs(sim: Simulation) -> list[Incident]:
    """Those that what ships opens by the calendar left out."""
    return [each for each in sim.incidents() if "job" in each.labels]


def test_a_job_that_reports_opens_nothing_and_one_that_stops_is_missed_until_it_reports_again() -> None:
    sim = live()
    source = sim.policy.sources["alerts-api"]
    for hours in (1, 25, 49):
        sim.pass_time(START + hours * HOUR)
        sim.feed(Signal(at=sim.now, event=beat(sim.now, source)))
    sim.pass_time(START + (49 + 25) * HOUR - 1)
    assert of_jobs(sim) == []
    sim.pass_time(START + (49 + 25) * HOUR)
    (incident,) = of_jobs(sim)
    assert (incident.title, incident.labels["job"]) == ("A nightly job has not reported", "nightly-import")
    sim.pass_time(START + 76 * HOUR)
    sim.feed(Signal(at=sim.now, event=beat(sim.now, source)))
    assert [each.phase for each in of_jobs(sim)] == [Phase.RESOLVED]
