"""A month of a ten-person team, simulated: 10,000 events, the shipped policy, people who answer."""

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import yaml
from rows import Row, at_most

from ledger import catalogue, policies
from ledger.collector import spare_the_collector
from routing.entry import Signal
from routing.event import Event, Status
from routing.instant import DAY, MINUTE
from routing.load import load
from routing.policy import Policy
from routing.reason import Origin
from routing.simulation.judge import rehearse
from routing.simulation.scenario import Behaviour, Happening, Scenario

CONFIG = Path(__file__).parents[1] / "config"
START = 1_764_576_000_000
EVENTS = 10_000
ROUNDS = 5
KINDS = ("SiteDown", "HighErrorRate", "SlowQueries", "HighMemory", "DiskFilling", "CertificateExpiring")
WEIGHTS = (1, 4, 20, 25, 30, 20)
TEAM = tuple(f"p{number}" for number in range(10))
HERE = Origin("benchmark", 0)


def rows(_room: Path) -> Iterator[Row]:
    policy = _ten_people()
    scenario = month()
    spare_the_collector()  # as in every process of ours
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        played = rehearse(policy, scenario).played
        lines = len(played.lines)
        taken.append(time.perf_counter() - began)
        messages = len(played.sent)
        del played  # so that no round pays for taking the one before apart
    told = f"{messages:,} messages, {lines:,} lines told; of {ROUNDS} {min(taken):.1f} to {max(taken):.1f} s"
    yield at_most("simulate a month of on-call with 10,000 events", median(taken), "s", 5, 1, told)


def month() -> Scenario:
    """Conditions of twelve services at random; each is reported every five minutes until it is resolved."""
    chance = random.Random(1)  # noqa: S311  # repeatable, not secret
    happenings: list[Happening] = []
    number = 0
    while len(happenings) < EVENTS:
        number += 1
        kind, service = chance.choices(KINDS, WEIGHTS)[0], f"service-{chance.randrange(12)}"
        after = chance.randrange(30 * DAY)
        until = after + chance.randrange(2 * MINUTE, 60 * MINUTE)
        firing = [(at, Status.FIRING) for at in range(after, until, 5 * MINUTE)]
        # The last has fewer reports, and is resolved as all are: cut off, it would be open, and rise, to the end.
        for at, status in [*firing[: EVENTS - len(happenings) - 1], (until, Status.RESOLVED)]:
            event = Event(
                source="alertmanager", vendor="alertmanager", kind=kind, status=status, key=f"{kind}:{number}",
                title=f"{kind} on {service}", labels={"service": service},
                starts_at=START + after, ends_at=START + until if status is Status.RESOLVED else 0,
            )  # fmt: skip
            happenings.append(Happening(at, Signal(at=START + at, event=event), HERE))
    answering = Behaviour(HERE, channel="voice", says="4", after_ms=90_000)
    by_text = Behaviour(HERE, channel="sms", says="ack", after_ms=10 * MINUTE)
    return Scenario("month", "a month", "Europe/Warsaw", START, 31 * DAY, True, tuple(happenings),
                    (answering, by_text))  # fmt: skip


def _ten_people() -> Policy:
    """The shipped policy, with ten people who take turns of a day, each with a telephone and letters of their own."""
    files = policies.read_files(CONFIG)
    oncall = yaml.safe_load(files["config/oncall.yaml"])
    like = json.dumps(oncall["contacts"]["anna"])
    for number, name in enumerate(TEAM):
        own = like.replace("+48500000001", f"+4850000001{number}").replace("anna@", f"{name}@")
        oncall["contacts"][name] = {**json.loads(own), "title": f"Person {number}"}
    for first, schedule in enumerate(oncall["schedules"].values()):
        schedule["rotation"].update(contacts=[*TEAM[first:], *TEAM[:first]], every="1d")
    return load({**files, "config/oncall.yaml": yaml.safe_dump(oncall)}, catalogue.catalogue())
