"""Approvals: nothing is changed before somebody who may has said yes, and no answer means no."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from small_policy import HERE, POLICY, ROLLBACK, START, World, firing
from telling import do, lines, only, said

from routing.audit import audit
from routing.decision import Table
from routing.delivery import Purpose
from routing.effect import Deliver
from routing.entry import Answer, Outcome, Verb
from routing.incident import Phase
from routing.instant import DAY, MINUTE, SECOND
from routing.policy import Approvers, Policy, Runbook
from routing.run import Run, RunPhase
from routing.simulation import Simulation

ASKED = Approvers((("contact", "carol"), ("contact", "bob")), 1, 15 * MINUTE, HERE)


def policy(approval: Approvers | None = ASKED, **more: Any) -> Policy:
    """SEV-1, nobody is paged while the repair may still come."""
    book: Runbook = replace(ROLLBACK, **{"mode": "approve", "approval": approval, **more})
    levels = {key: replace(level, hold_ms=30 * MINUTE) for key, level in POLICY.levels.items()}
    return replace(POLICY, runbooks=(book,), levels=levels)


def begun(policy: Policy, world: World | None = None) -> tuple[Simulation, World]:
    world = world or World()
    sim = Simulation(policy, START, world)
    sim.feed(firing("api-broken"))
    sim.pass_time(START + 10 * SECOND)
    return sim, world


def run(sim: Simulation, number: int = 1) -> Run:
    found = sim.state.tables[Table.RUN][f"INC-1-r{number}"]
    assert isinstance(found, Run)
    return found


def questions(sim: Simulation) -> list[Deliver]:
    found = [each for _, each in sim.effects if isinstance(each, Deliver)]
    return [each for each in found if each.purpose is Purpose.APPROVAL]


def asked(sim: Simulation) -> list[str]:
    return [each.contact for each in questions(sim)]


def test_it_waits_and_asks_and_changes_nothing_before_the_answer() -> None:
    sim, world = begun(policy())
    assert (run(sim).phase, asked(sim), world.rolled_back) == (RunPhase.WAITING, ["carol", "bob"], 0)
    assert audit(sim.state, sim.now) == []
    message = questions(sim)[0].message
    for part in ("vercel:site", "vercel.rollback", "it asks each time", "tocsin runbook approve INC-1-r1"):
        assert part in message.body


def test_a_yes_looks_anew_and_then_repairs() -> None:
    sim, world = begun(policy())
    do(sim, Verb.APPROVE, text="INC-1-r1", by="carol")
    sim.pass_time(START + 5 * MINUTE)
    assert (run(sim).phase, world.rolled_back, run(sim).approved_by) == (RunPhase.SUCCEEDED, 1, ["carol"])
    assert [step.attempt for step in run(sim).steps if step.id == "health"] == [2]
    assert only(sim).phase is Phase.RESOLVED


def test_what_has_mended_itself_meanwhile_is_not_repaired_though_it_was_approved() -> None:
    sim, world = begun(policy())
    world.health_failures = 0
    do(sim, Verb.APPROVE, text="INC-1-r1", by="carol")
    sim.pass_time(START + MINUTE)
    assert (run(sim).phase, world.rolled_back) == (RunPhase.STOPPED, 0)


def test_no_answer_means_no_and_is_recorded_so() -> None:
    sim, world = begun(policy())
    sim.pass_time(START + DAY)
    assert (run(sim).phase, world.rolled_back) == (RunPhase.REFUSED, 0)
    assert run(sim).why == "denied: 0 of 1 approved in time, and no answer means no"
    assert "runbook rollback refused: denied: 0 of 1 approved in time, and no answer means no" in lines(sim)


def test_the_page_goes_out_as_soon_as_it_is_denied() -> None:
    sim, world = begun(policy())
    assert said(sim, Purpose.PAGE) == []
    do(sim, Verb.DENY, text="INC-1-r1", by="anna")
    assert run(sim).why == "denied by anna via the command line"
    assert {contact for _, contact, _ in said(sim, Purpose.PAGE)} == {"anna"}
    do(sim, Verb.APPROVE, text="INC-1-r1", by="carol")
    sim.pass_time(START + MINUTE)
    assert world.rolled_back == 0


def test_the_page_never_waits_longer_for_an_answer_than_its_level_holds_it() -> None:
    book = policy()
    levels = {key: replace(level, hold_ms=5 * MINUTE) for key, level in POLICY.levels.items()}
    sim, _ = begun(replace(book, levels=levels))
    sim.pass_time(START + 5 * MINUTE)
    assert {contact for _, contact, _ in said(sim, Purpose.PAGE)} == {"anna"}
    assert run(sim).phase is RunPhase.WAITING


@pytest.mark.parametrize("by", ["anna", "stranger", "room"])
def test_who_was_not_asked_cannot_approve(by: str) -> None:
    sim, world = begun(policy())
    do(sim, Verb.APPROVE, text="INC-1-r1", by=by)
    sim.pass_time(START + MINUTE)
    assert (run(sim).phase, world.rolled_back) == (RunPhase.WAITING, 0)
    assert any(f"{by} approved INC-1-r1" in line and "they were not asked" in line for line in lines(sim))


def test_two_must_agree_where_two_are_wanted_and_one_twice_is_one() -> None:
    sim, world = begun(policy(replace(ASKED, people=2)))
    for _ in range(2):
        do(sim, Verb.APPROVE, text="INC-1-r1", by="carol")
    sim.pass_time(START + MINUTE)
    assert (run(sim).phase, world.rolled_back) == (RunPhase.WAITING, 0)
    do(sim, Verb.APPROVE, text="INC-1-r1", by="bob")
    sim.pass_time(START + 5 * MINUTE)
    assert (world.rolled_back, run(sim).approved_by) == (1, ["carol", "bob"])


def test_who_starts_it_by_hand_is_not_asked_and_cannot_approve_it() -> None:
    off = policy(id="other", mode="off")
    sim = Simulation(off, START, World())
    sim.feed(firing("api-broken"))
    sim.policy = policy(id="other")
    do(sim, Verb.RUN, text="other", by="carol")
    sim.pass_time(START + 10 * SECOND)
    assert asked(sim) == ["bob"]
    do(sim, Verb.APPROVE, text="INC-1-r1", by="carol")
    assert run(sim).phase is RunPhase.WAITING
    assert any("who starts a run cannot approve it" in line for line in lines(sim))


def test_with_nobody_left_to_ask_it_is_denied_at_once() -> None:
    sim, world = begun(policy(replace(ASKED, people=3)))
    assert (run(sim).phase, world.rolled_back) == (RunPhase.REFUSED, 0)
    assert "2 of the 3 who have to approve can be asked" in run(sim).why


def counted(most: int, expression: str, approval: Approvers | None = ASKED) -> Policy:
    step = replace(ROLLBACK.remediate[0], affects=expression)
    limits = replace(ROLLBACK.limits, max_affected=most)
    return policy(approval, mode="auto", remediate=(step,), limits=limits)


@pytest.mark.parametrize(
    ("most", "expression", "phase"),
    [
        (3, "health.failures", RunPhase.SUCCEEDED),
        (2, "health.failures", RunPhase.WAITING),
        (9, "deployments.candidate", RunPhase.WAITING),
        (9, "nothing.at.all", RunPhase.WAITING),
    ],
)
def test_what_affects_more_than_it_may_or_nobody_can_count_asks_first(
    most: int, expression: str, phase: RunPhase
) -> None:
    sim, _ = begun(counted(most, expression))
    sim.pass_time(START + 5 * MINUTE)
    assert run(sim).phase is phase


def test_a_yes_is_for_as_many_as_were_counted_when_it_was_asked_for_and_no_more() -> None:
    sim, world = begun(counted(2, "health.failures"))
    world.health_failures = 5
    do(sim, Verb.APPROVE, text="INC-1-r1", by="carol")
    sim.pass_time(START + MINUTE)
    assert (run(sim).phase, run(sim).approved_by, world.rolled_back) == (RunPhase.WAITING, [], 0)
    assert run(sim).approval is not None
    assert "rollback would affect 5, and 3 were approved" in questions(sim)[2].message.body
    do(sim, Verb.APPROVE, text="INC-1-r1", by="bob")
    sim.pass_time(START + 6 * MINUTE)
    assert (run(sim).phase, world.rolled_back) == (RunPhase.SUCCEEDED, 1)


def test_what_affects_too_much_and_nobody_may_approve_is_refused() -> None:
    sim, world = begun(counted(2, "health.failures", None))
    assert (run(sim).phase, world.rolled_back) == (RunPhase.REFUSED, 0)
    assert run(sim).why.startswith(
        "rollback would affect 3, and no more than 2 may be affected by itself, and nobody"
    )


@pytest.mark.parametrize("text", ["approve", "Approve!", "deny"])
def test_an_answer_to_the_message_counts_by_its_link_and_by_sms(text: str) -> None:
    for by_address in (False, True):
        sim, world = begun(policy())
        sent = questions(sim)[0]
        assert sent.contact == "carol"
        answer = Answer(at=sim.now, channel="SMS", text=text, delivery="" if by_address else sent.id)
        sim.feed(msgspec.structs.replace(answer, address=sent.address))
        sim.pass_time(START + 5 * MINUTE)
        approved = text != "deny"
        assert (world.rolled_back, run(sim).phase) == (
            (1, RunPhase.SUCCEEDED) if approved else (0, RunPhase.REFUSED)
        )


def test_an_approval_that_cannot_be_sent_one_way_goes_another() -> None:
    world = World()
    world.refuses["sms"] = Outcome.PERMANENT
    sim, _ = begun(policy(), world)
    assert [(contact, channel) for _, contact, channel in said(sim, Purpose.APPROVAL)] == [
        ("carol", "sms"), ("bob", "sms"), ("carol", "mail"), ("bob", "mail"),
    ]  # fmt: skip
    mail = next(each for each in questions(sim) if each.channel == "mail")
    sim.feed(Answer(at=sim.now, channel="a link", text="approve", delivery=mail.id))
    sim.pass_time(START + 5 * MINUTE)
    assert world.rolled_back == 1


def test_a_resolve_ends_what_waits_and_a_late_answer_changes_nothing() -> None:
    sim, world = begun(policy())
    do(sim, Verb.RESOLVE)
    assert run(sim).phase is RunPhase.STOPPED
    do(sim, Verb.APPROVE, text="INC-1-r1", by="carol")
    sim.pass_time(START + DAY)
    assert world.rolled_back == 0


def test_a_dry_run_asks_nobody() -> None:
    sim, _ = begun(policy(mode="dry_run"))
    sim.pass_time(START + 5 * MINUTE)
    assert (run(sim).phase, asked(sim)) == (RunPhase.STOPPED, [])
