"""Why an event is taken for another's is said in so many words, with the event and in the incident's timeline."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from noise_story import off, on, policy, relation, service, simulation
from small_policy import HERE, POLICY, START, failed_card, firing

from routing.entry import AnyEntry, Command, Verb
from routing.incident import Verdict
from routing.instant import MINUTE, SECOND
from routing.policy import Policy, Source, Tie
from routing.reason import Reason
from routing.simulation import Simulation

CHAIN = {each.name: each for each in (service("database"), service("api", "database"))}
CORRELATED = relation(Tie.CAUSES, 'kind="major-db"', 'kind="major-web"', "cluster", within_ms=10 * MINUTE)
BY_LABELS = {"am": Source("am", "alertmanager", (), HERE, fingerprint=("alertname", "service"))}


def by_labels(instance: str) -> AnyEntry:
    return firing("minor", key=f"am/{instance}", labels={"alertname": "Slow", "instance": instance})


def merge(sim: Simulation) -> None:
    sim.feed(Command(at=sim.now, incident="INC-2", verb=Verb.MERGE, to="INC-1", by="anna"))


def last(sim: Simulation) -> Verdict:
    verdict = sim.decisions[-1][1].verdict
    assert verdict is not None
    return verdict


EXPLAINED: dict[str, tuple[Policy, list[AnyEntry | Callable[[Simulation], None]], str, str]] = {
    "fires on": (policy(), [on("minor"), on("minor")], "repeated", "am calls it 'minor[]'"),
    "fires on, told apart by labels": (
        policy(sources=BY_LABELS), [by_labels("a"), by_labels("b")], "repeated",
        "am tells its alerts apart by alertname='Slow', service=''",
    ),
    "joins its group": (
        policy(), [on("minor", pod="a", service="site"), on("minor", pod="b", service="site")], "joined",
        'it shares the group root{service="site",kind="minor"}',
    ),
    "joins its cause": (
        policy(services=CHAIN), [on("major", service="database"), on("major", service="api")], "joined",
        "api depends on database",
    ),
    "is the cause": (
        policy(services=CHAIN), [on("major", service="api"), on("major", service="database")], "joined",
        "api depends on database",
    ),
    "joins by a rule": (
        policy(CORRELATED), [on("major-db", cluster="a"), on("major-web", cluster="a")], "joined",
        "major-web is an effect of major-db: both began within 10m with the same cluster",
    ),
    "is back": (
        policy(), [on("minor"), off("minor"), on("minor", START + 40 * SECOND)], "reopened",
        "am calls it 'minor[]', and it fired again 40 s after it was resolved",
    ),
    "ends": (policy(), [on("minor"), off("minor")], "resolved", "am calls it 'minor[]'"),
    "fires on after a merge": (
        policy(), [on("minor"), on("major"), merge, on("major")], "repeated", "am calls it 'major[]'",
    ),
    "counts for a threshold": (
        POLICY, [failed_card(number) for number in range(21)], "repeated", "it counts for payments-failing",
    ),
}  # fmt: skip
"""What the policy and the log are, what becomes of the log's last event, and why it is taken for another's."""


def play(known: Policy, log: list[AnyEntry | Callable[[Simulation], None]]) -> Simulation:
    sim = simulation(replace(known, runbooks=()))
    for step in log:
        if callable(step):
            step(sim)
        else:
            sim.pass_time(step.at)
            sim.feed(step)
    return sim


@pytest.mark.parametrize(("known", "log", "did", "because"), EXPLAINED.values(), ids=EXPLAINED)
def test_what_is_taken_for_another_says_so_and_why(
    known: Policy, log: list[AnyEntry | Callable[[Simulation], None]], did: str, because: str
) -> None:
    verdict = last(play(known, log))
    assert (verdict.did, verdict.incident) == (did, "INC-1")
    assert [each.text for each in verdict.reasons if each.text.startswith("same as")] == [
        f"same as INC-1 because {because}"
    ]


@pytest.mark.parametrize(
    ("name", "line", "rule"),
    [
        ("joins its group", "joined by minor", ""),
        ("joins its cause", "joined by major", "service api"),
        ("joins by a rule", "joined by major-web", "correlation r"),
        ("is back", "reopened: it is back", ""),
    ],
)
def test_the_timeline_says_so_too_and_names_the_rule(name: str, line: str, rule: str) -> None:
    known, log, _, because = EXPLAINED[name]
    (moment,) = [moment for _, moment in play(known, log).moments if moment.what == line]
    origin = "config/test.yaml:7" if rule else ""
    assert moment.reasons == [Reason(text=f"same as INC-1 because {because}", rule=rule, origin=origin)]
