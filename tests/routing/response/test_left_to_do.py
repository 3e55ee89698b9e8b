"""What is left to do after incidents is said once in the morning, not at the hour of the night at which they were."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeGuard

from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from small_policy import HERE, POLICY, ROLLBACK, START, firing, resolved
from telling import deliveries, do, simulate

from routing.audit import audit
from routing.calendar.wall import local
from routing.delivery import Progress
from routing.effect import AnyEffect, Deliver
from routing.entry import Verb
from routing.instant import HOUR, MINUTE
from routing.policy import Digest, Policy, Task
from routing.severity import Severity
from routing.simulation import Simulation

NINE = "09:00"
LOOK = replace(
    ROLLBACK, id="look", remediate=(), verify=None, followups=(), guards=(ROLLBACK.guards[0],), when_severity=(),
    task=Task("look at it", (("contact", "cto"),), 8 * HOUR, HERE), target="site:{{ incident.id }}",
)  # fmt: skip


def policy(digest: Digest | None = None) -> Policy:
    cto = replace(POLICY.contacts["cto"], digest=digest)
    return replace(
        POLICY, runbooks=(LOOK,), contacts={**POLICY.contacts, "cto": cto},
        route=replace(POLICY.route, group_by=("shard",), routes=(), inform=()),
    )  # fmt: skip


def over(after: Sequence[int], policy: Policy) -> Simulation:
    """Incidents, each so many ms after the one before, and each over after a few minutes."""
    sim = simulate(policy)
    for number, wait in enumerate(after):
        sim.pass_time(sim.now + wait)
        labels = {"shard": f"s{number}"}
        sim.feed(firing("api-broken", at=sim.now, key=f"k{number}", labels=labels))
        sim.pass_time(sim.now + 2 * MINUTE)
        sim.feed(resolved("api-broken", at=sim.now, key=f"k{number}", labels=labels))
    return sim


def reminders(sim: Simulation) -> list[tuple[str, Deliver]]:
    """When by the clock on the wall in Warsaw, and what left."""
    return [(f"{local(at, 'Europe/Warsaw'):%H:%M}", each) for at, each in sim.effects if is_reminder(each)]


def is_reminder(effect: AnyEffect) -> TypeGuard[Deliver]:
    told = effect.message if isinstance(effect, Deliver) else None
    return told is not None and ("Still to do" in told.body or "Left to do" in told.title)


def test_all_that_is_left_is_one_message_in_the_morning() -> None:
    sim = over([HOUR] * 4, policy())
    sim.pass_time(START + 20 * HOUR)
    ((clock, message),) = reminders(sim)
    assert clock == NINE, "they fell due from two to five in the night"
    assert message.message.title == "Left to do after 4 incidents, INC-1 the first"
    assert message.message.body.split("\n") == [f"Still to do after INC-{n}: look at it" for n in range(1, 5)]
    assert audit(sim.state, sim.now) == []


def test_what_is_left_after_one_incident_is_said_in_its_own_words() -> None:
    sim = over([HOUR], policy())
    sim.pass_time(START + 20 * HOUR)
    ((clock, message),) = reminders(sim)
    assert (clock, message.message.title) == (NINE, "[INC-1] Still to do after INC-1: look at it")


def test_many_are_counted_and_the_first_are_named() -> None:
    sim = over([5 * MINUTE] * 14, policy())
    sim.pass_time(START + 20 * HOUR)
    ((_, message),) = reminders(sim)
    assert message.message.body.split("\n")[-1] == "and after 4 more: tocsin incidents list"
    held = [each for each in deliveries(sim) if "Still to do" in each.message.body]
    assert {each.progress for each in held} == {Progress.SENT}
    assert len(held) == 14


def test_what_is_done_meanwhile_is_not_reminded_of() -> None:
    sim = over([HOUR] * 3, policy())
    sim.pass_time(START + 15 * HOUR)
    do(sim, Verb.DONE, "INC-2", by="cto")
    sim.pass_time(START + 20 * HOUR)
    ((_, message),) = reminders(sim)
    assert "INC-2" not in message.message.body
    assert [each.error for each in deliveries(sim) if each.progress is Progress.CANCELLED] == ["done by cto"]


def test_it_comes_with_the_hour_of_ones_own_digest() -> None:
    sim = over([HOUR] * 2, policy(Digest(frozenset({Severity.SEV4}), 7 * 60 + 30, "Europe/Warsaw")))
    sim.pass_time(START + 20 * HOUR)
    assert [clock for clock, _ in reminders(sim)] == ["07:30"]


def test_while_it_burns_a_reminder_comes_at_its_own_time() -> None:
    sim = simulate(policy())
    sim.feed(firing("api-broken", at=sim.now, key="k", labels={"shard": "s"}))
    sim.pass_time(START + 9 * HOUR)
    assert [clock for clock, _ in reminders(sim)] == ["01:00"]


@given(st.lists(st.integers(0, 30 * HOUR), min_size=1, max_size=6))
@examples(20)
def test_whatever_is_left_is_told_in_a_morning_and_none_of_it_lost(after: list[int]) -> None:
    sim = over(after, policy())
    sim.pass_time(sim.now + 34 * HOUR)
    assert {clock for clock, _ in reminders(sim)} == {NINE}
    mornings = [local(at, "Europe/Warsaw").date() for at, each in sim.effects if is_reminder(each)]
    assert len(mornings) == len(set(mornings)), "one a day"
    left = [each for each in deliveries(sim) if "Still to do" in each.message.body]
    assert {each.incident for each in left if each.progress is Progress.SENT} == {
        each.id for each in sim.incidents()
    }
    assert audit(sim.state, sim.now) == []
