"""Chains: what is tried for the same incident when a run has not repaired it, within every guard rail."""

import re
from dataclasses import replace
from typing import Any

import pytest
import shipped
from small_policy import POLICY, ROLLBACK, START, World, firing
from telling import do, lines, only, pages, told

from routing.audit import audit
from routing.automation.chains import MOST
from routing.decision import Table
from routing.effect import AnyEffect
from routing.entry import AnyEntry, Outcome, StepDone, SwitchSet, Verb
from routing.errors import Fault
from routing.incident import Phase
from routing.instant import HOUR, MINUTE
from routing.language import matchers
from routing.policy import Approvers, Guard, Limits, Runbook, Task
from routing.run import Run
from routing.simulation import Simulation

REDEPLOY = replace(
    ROLLBACK, id="redeploy", title="Deploy anew", guards=(), followups=(),
    remediate=(replace(ROLLBACK.remediate[0], id="redeploy", action="vercel.redeploy", params={}),),
)  # fmt: skip
FIRST = replace(ROLLBACK, guards=(), next_on_failure="redeploy", timeout_ms=2 * MINUTE, followups=())


class Site(World):
    """The site answers once the named action was carried out."""

    def __init__(self, mended_by: str, *, refuses: str = "") -> None:
        super().__init__()
        self._mended_by = mended_by
        self.site_is_up_after_rollback = False
        if refuses:
            self.refuses[refuses] = Outcome.PERMANENT

    def __call__(self, effect: AnyEffect, now: int) -> list[tuple[int, AnyEntry]]:
        found = super().__call__(effect, now)
        done = any(isinstance(each, StepDone) and each.outcome is Outcome.OK for _, each in found)
        if done and getattr(effect, "action", "") == self._mended_by:
            self.site_is_up_after_rollback = True
        return found


def began(*books: Runbook, world: World, kind: str = "api-broken", **more: Any) -> Simulation:
    sim = Simulation(replace(POLICY, runbooks=books, **more), START, world)
    sim.feed(firing(kind))
    return sim


def runs(sim: Simulation) -> list[tuple[str, str, str]]:
    table = sim.state.tables[Table.RUN]
    found = [each for key in sorted(table) if isinstance(each := table[key], Run)]
    return [(each.runbook, str(each.phase), each.follows) for each in found]


def test_when_a_step_fails_the_next_is_tried_and_nobody_is_woken_if_it_helps() -> None:
    sim = began(FIRST, REDEPLOY, world=Site("vercel.redeploy", refuses="vercel.rollback"))
    sim.pass_time(START + 4 * MINUTE)
    assert runs(sim) == [("rollback", "failed", ""), ("redeploy", "succeeded", "INC-1-r1")]
    assert only(sim).phase is Phase.RESOLVED
    assert pages(sim) == []
    assert audit(sim.state, sim.now) == []


def test_a_symptom_that_stays_is_a_failure_too() -> None:
    sim = began(FIRST, REDEPLOY, world=Site("vercel.redeploy"))
    sim.pass_time(START + 4 * MINUTE)
    assert [each[:2] for each in runs(sim)] == [("rollback", "failed"), ("redeploy", "succeeded")]


def test_the_page_waits_no_longer_for_two_than_for_one_and_says_what_both_did() -> None:
    sim = began(FIRST, REDEPLOY, world=Site(""))
    sim.pass_time(START + 5 * MINUTE - 1)
    assert [each[:2] for each in runs(sim)] == [("rollback", "failed"), ("redeploy", "verify")]
    assert pages(sim) == []
    sim.pass_time(START + 5 * MINUTE)
    assert pages(sim)[0][1] == "anna"
    sim.pass_time(START + 15 * MINUTE)
    assert only(sim).tried.startswith(
        "Roll back production: failed, its time was up during verify; then Deploy anew: failed"
    )


def test_where_nothing_is_held_the_paged_hear_that_another_is_tried() -> None:
    sim = began(FIRST, REDEPLOY, world=Site("vercel.redeploy"), kind="site-down")
    sim.pass_time(START + 4 * MINUTE)
    said = "Runbook rollback failed: its time was up during verify; redeploy is tried"
    assert ("anna", said) in told(sim)


@pytest.mark.parametrize(("changed", "why"), [
    ({"matchers": matchers.parse_all('kind="other"')}, "it is for other alerts"),
    ({"when_severity": ()}, ""),
    ({"mode": "off"}, "it is switched off"),
])  # fmt: skip
def test_what_does_not_fit_the_incident_is_not_tried_and_the_page_goes_out(
    changed: dict[str, Any], why: str
) -> None:
    sim = began(FIRST, replace(REDEPLOY, **changed), world=Site("", refuses="vercel.rollback"))
    sim.pass_time(START + MINUTE)
    said = f"runbook rollback failed, and redeploy is not tried: {why}"
    assert (said in lines(sim)) is bool(why)
    assert bool(pages(sim)) is bool(why)


def test_a_guard_rail_of_the_next_holds_as_ever() -> None:
    limits = Limits(cooldown_ms=HOUR, per_hour=1)
    sim = began(FIRST, replace(REDEPLOY, limits=limits), world=Site("", refuses="vercel.rollback"))
    sim.pass_time(START + 20 * MINUTE)
    do(sim, Verb.RUN, text="rollback")
    sim.pass_time(START + 40 * MINUTE)
    assert [each[:2] for each in runs(sim)][-1] == ("redeploy", "refused")
    assert any(line.startswith("runbook redeploy not run: cooldown") for line in lines(sim))


def test_what_follows_a_run_by_hand_is_nobodys_wish_but_still_not_theirs_to_approve() -> None:
    sim = Simulation(replace(POLICY, runbooks=(FIRST, REDEPLOY)), START, Site("", refuses="vercel.rollback"))
    sim.feed(SwitchSet(at=START, by="anna", name="freeze", on=True))
    sim.feed(firing("api-broken"))
    do(sim, Verb.RUN, text="rollback", by="carol")
    sim.pass_time(START + MINUTE)
    table = sim.state.tables[Table.RUN]
    first, second = (
        each for key in sorted(table) if isinstance(each := table[key], Run) and each.requested_by
    )
    assert (str(first.phase), first.requested_by) == ("failed", "carol")
    assert (second.runbook, second.requested_by, second.why) == ("redeploy", "carol", "change freeze by anna")


def test_what_is_tried_next_may_be_a_task() -> None:
    task = Task("find out why", (("contact", "cto"),), HOUR, ROLLBACK.origin)
    look = replace(REDEPLOY, id="redeploy", remediate=(), verify=None, task=task)
    sim = began(FIRST, look, world=Site("", refuses="vercel.rollback"))
    sim.pass_time(START + MINUTE)
    assert [each[:2] for each in runs(sim)] == [("rollback", "failed"), ("redeploy", "handed_over")]
    assert pages(sim)[0][:2] == (0, "anna")


def test_a_chain_that_became_a_ring_while_it_ran_ends() -> None:
    ring = (FIRST, replace(REDEPLOY, next_on_failure="rollback"))
    free = Limits(cooldown_ms=0, per_hour=60, per_day=60, breaker_failures=60)
    world = Site("", refuses="vercel.rollback")
    world.refuses["vercel.redeploy"] = Outcome.PERMANENT
    sim = began(*(replace(each, limits=free) for each in ring), world=world)
    sim.pass_time(START + 4 * MINUTE)
    assert [each[0] for each in runs(sim)] == ["rollback", "redeploy"] * 2
    assert "runbook redeploy failed, and rollback is not tried: 4 runs in a row have failed" in lines(sim)


NEVER = Guard("`false`", "never", "stop", ROLLBACK.origin)
STOPS = replace(FIRST, guards=(NEVER,), next_on_failure="")
LOOK = replace(
    REDEPLOY, id="look", title="Look", remediate=(), verify=None,
    task=Task("find out why", (("contact", "cto"),), HOUR, ROLLBACK.origin),
)  # fmt: skip


def test_what_a_guard_stops_makes_room_for_the_next_that_fits_and_the_page_waits_for_it() -> None:
    other = replace(STOPS, id="other", matchers=matchers.parse_all('kind="other"'))
    sim = began(STOPS, other, REDEPLOY, LOOK, world=Site("vercel.redeploy"))
    sim.pass_time(START + 4 * MINUTE)
    assert runs(sim) == [("rollback", "stopped", ""), ("redeploy", "succeeded", "INC-1-r1")]
    assert pages(sim) == []
    assert only(sim).tried.startswith("Roll back production: stopped, never; then Deploy anew: succeeded")


def test_each_is_asked_once_and_then_it_is_handed_over() -> None:
    books = [replace(STOPS, id=f"book-{number}") for number in range(6)]
    sim = began(*books, LOOK, world=Site(""))
    sim.pass_time(START + 4 * MINUTE)
    assert [each[:2] for each in runs(sim)] == [
        *((f"book-{number}", "stopped") for number in range(MOST)),
        ("look", "handed_over"),
    ]
    assert pages(sim)[0][:2] == (0, "anna")
    assert "never; then Look: handed over" in only(sim).tried


def test_who_was_paged_is_told_of_all_that_stopped_in_one_message() -> None:
    books = [replace(STOPS, id=f"book-{number}") for number in range(3)]
    sim = began(*books, world=Site(""), kind="site-down")
    sim.pass_time(START + MINUTE)
    said = [text for _, text in told(sim) if "stopped" in text]
    assert [text.count("never") for text in said] == [3]


def test_a_failure_that_names_nothing_is_handed_over_and_nothing_else_is_tried() -> None:
    sim = began(replace(FIRST, next_on_failure=""), REDEPLOY, LOOK, world=Site("", refuses="vercel.rollback"))
    sim.pass_time(START + MINUTE)
    assert [each[:2] for each in runs(sim)] == [("rollback", "failed"), ("look", "handed_over")]


def test_after_a_dry_run_nothing_else_is_tried() -> None:
    sim = began(replace(FIRST, mode="dry_run"), REDEPLOY, LOOK, world=Site(""))
    sim.pass_time(START + MINUTE)
    assert [each[:2] for each in runs(sim)] == [("rollback", "stopped"), ("look", "handed_over")]


def test_what_nobody_has_agreed_to_is_the_end_of_it() -> None:
    asks = replace(
        FIRST, mode="approve", approval=Approvers((("contact", "cto"),), 1, MINUTE, ROLLBACK.origin)
    )
    sim = began(asks, REDEPLOY, LOOK, world=Site(""))
    sim.pass_time(START + 10 * MINUTE)
    assert [each[:2] for each in runs(sim)] == [("rollback", "refused")]


def test_a_run_by_hand_that_stops_is_followed_by_nothing() -> None:
    sim = began(replace(STOPS, matchers=matchers.parse_all('kind="other"')), LOOK, world=Site(""))
    do(sim, Verb.RUN, text="rollback")
    sim.pass_time(START + MINUTE)
    assert [each[0] for each in runs(sim)] == ["look", "rollback"]


def test_a_worse_alert_that_joins_starts_nothing_beside_what_is_under_way_for_it() -> None:
    sim = began(FIRST, REDEPLOY, LOOK, world=Site("vercel.redeploy"))
    sim.pass_time(START + MINUTE // 2)
    sim.feed(firing("site-down", key="another"))
    sim.pass_time(START + MINUTE)
    assert pages(sim)
    assert [each[:2] for each in runs(sim)] == [("rollback", "verify")]
    sim.pass_time(START + 4 * MINUTE)
    assert [each[:2] for each in runs(sim)] == [("rollback", "failed"), ("redeploy", "succeeded")]


def shipped_with(**following: str) -> tuple[dict[str, str], list[Fault]]:
    """The shipped files and their faults, each of these runbooks going on with another."""
    files = {name: re.sub(r"\non_failure: .*\n", "", text) for name, text in shipped.files().items()}
    for name, after in following.items():
        key = f"config/runbooks/{name.replace('_', '-')}.yaml"
        files[key] = files[key].replace("\ntests:", f"\non_failure: {{next: {after}}}\n\ntests:", 1)
    return files, list(shipped.faults(files))


@pytest.mark.parametrize(("following", "file", "found"), [
    ({"rollback": "rollback"}, "rollback", "a cycle: rollback then rollback"),
    ({"rollback": "memory", "memory": "attack", "attack": "memory"}, "attack", "a cycle: attack then memory then attack"),
    ({"rollback": "redploy"}, "rollback", 'no runbook "redploy"'),
    ({"rollback": "memory", "memory": "attack", "attack": "backup", "backup": "booksy"}, "rollback", "5 runbooks in a row"),
])  # fmt: skip
def test_a_chain_without_an_end_is_refused_at_its_line(
    following: dict[str, str], file: str, found: str
) -> None:
    files, (fault,) = shipped_with(**following)
    assert fault.found.startswith(found)
    assert fault.file == f"config/runbooks/{file}.yaml"
    assert fault.path == "on_failure.next"
    assert fault.line == shipped.line_of(f"runbooks/{file}.yaml", "on_failure", files)


def test_a_chain_that_ends_is_taken() -> None:
    assert shipped_with(rollback="memory", memory="attack", attack="backup")[1] == []
