"""Matching: what 1,000 routes and 500 silences cost one event, by the functions the fold asks."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rows import Row, at_most, middle

from ledger import catalogue, policies
from routing import routes
from routing.language import matchers
from routing.language.index import Index
from routing.load import load
from routing.policy import Matcher, Policy

CONFIG = Path(__file__).parents[1] / "config"
ROUTES, SILENCES = 1_000, 500
PATTERNS_ONLY = 20
"""One in so many has nothing but a regular expression: 5 %."""
EVENTS, ROUNDS, ASKED_ONE_BY_ONE = 2_000, 5, 50
TEAMS, SERVICES, KINDS = 40, 300, 120

Labels = Mapping[str, str]
Known = tuple[tuple[Matcher, ...], ...]


def rows(_room: Path) -> Iterator[Row]:
    chance = random.Random(1)  # noqa: S311  # the same corpus every time, not secret
    policy, silences, events = corpus(chance)
    index = Index((each, number) for number, each in enumerate(silences))
    known = (*(each.matchers for each in policy.route.routes), *silences)
    took = middle([
        per_event(events, lambda labels: (routes.match(policy, labels), index.matching(labels)))
        for _ in range(ROUNDS)
    ])  # fmt: skip
    naive = per_event(events[:ASKED_ONE_BY_ONE], lambda labels: one_by_one(known, labels))
    said = f"asking each of them in turn: {naive:,.0f} us"
    yield at_most("an event against 1,000 routes and 500 silences", took, " us", 50, 20, said)


def corpus(chance: random.Random) -> tuple[Policy, Known, list[Labels]]:
    """Routes of teams and services, silences of what people mute, events of all of them."""
    shipped = load(policies.read_files(CONFIG), catalogue.catalogue())
    tree = tuple(
        replace(shipped.route, name=f"route-{number}", matchers=_matchers(chance, number), routes=())
        for number in range(ROUTES)
    )
    policy = replace(shipped, route=replace(shipped.route, routes=tree))
    silences = tuple(_matchers(chance, number) for number in range(SILENCES))
    return policy, silences, [_labels(chance) for _ in range(EVENTS)]


def _matchers(chance: random.Random, number: int) -> tuple[Matcher, ...]:
    if number % PATTERNS_ONLY == 0:
        return matchers.parse_all(f'instance=~"host-{chance.randrange(500)}[0-9]*\\\\.example"')
    said = f'service="service-{chance.randrange(SERVICES)}",kind="Kind{chance.randrange(KINDS)}"'
    more = chance.choice(("", ',severity=~"SEV-[01]"', ',team!="team-0"', ',instance=~"host-.*"'))
    return matchers.parse_all(said + more)


def _labels(chance: random.Random) -> Labels:
    return {
        "source": "alertmanager", "vendor": "alertmanager", "severity": f"SEV-{chance.randrange(5)}",
        "kind": f"Kind{chance.randrange(KINDS)}", "service": f"service-{chance.randrange(SERVICES)}",
        "team": f"team-{chance.randrange(TEAMS)}", "instance": f"host-{chance.randrange(5_000)}.example",
        "region": "eu-central", "cluster": f"c{chance.randrange(8)}", "title": "something is wrong",
    }  # fmt: skip


def per_event(events: Sequence[Labels], ask: Callable[[Labels], object]) -> float:
    """Microseconds for one of the events, on average."""
    began = time.perf_counter()
    for labels in events:
        ask(labels)
    return (time.perf_counter() - began) / len(events) * 1e6


def one_by_one(known: Known, labels: Labels) -> int:
    return sum(matchers.all_match(each, labels) for each in known)
