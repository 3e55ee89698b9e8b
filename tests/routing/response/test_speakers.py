"""Who it was in a chat: mapped to the contact reached there, else named as the chat knows them."""

from dataclasses import replace

import pytest
from small_policy import ROLLBACK, START, firing
from telling import deliveries, do, lines, only, simulate
from threaded import CHATTING, Chat, chatting, in_chat

from routing.decision import Table
from routing.delivery import Progress, Purpose
from routing.effect import Deliver
from routing.entry import Answer, Command, Speaker, Verb
from routing.incident import Phase
from routing.instant import MINUTE, SECOND
from routing.policy import Approvers, EscalationPolicy, EscalationStep, Policy
from routing.reason import Origin
from routing.run import Run, RunPhase
from routing.simulation import Simulation

HERE = Origin("config/test.yaml", 7)
BOB, ZOE = Speaker(vendor="slack", id="UBOB", name="bob.b"), Speaker(vendor="slack", id="UZOE", name="zoe.z")


def calling(*targets: tuple[str, str], until: str = "ack") -> Policy:
    """The chat's policy, with one step that calls these."""
    step = EscalationStep(targets, 5 * MINUTE, HERE, until)
    return replace(
        CHATTING, escalations={**CHATTING.escalations, "oncall": EscalationPolicy("oncall", (step,), 0, HERE)}
    )


def open_in(policy: Policy) -> Simulation:
    sim = simulate(policy, Chat())
    sim.feed(firing("site-down", at=START))
    sim.pass_time(START + SECOND)
    return sim


def press(sim: Simulation, who: Speaker | None, text: str = "ack") -> None:
    room = in_chat(sim)[0][0]
    sim.feed(Answer(at=sim.now, by="slack", channel="Slack", text=text, delivery=room, who=who))


@pytest.mark.parametrize(("who", "name"), [(BOB, "bob"), (ZOE, "zoe.z (Slack)"), (None, "room")])
def test_an_ack_in_a_room_is_of_whoever_pressed(who: Speaker | None, name: str) -> None:
    sim = open_in(calling(("contact", "room")))
    press(sim, who)
    assert (only(sim).phase, only(sim).acknowledged_by) == (Phase.ACKNOWLEDGED, name)
    assert f"acknowledged by {name} via Slack" in lines(sim)
    assert deliveries(sim)[0].progress is Progress.ANSWERED


def test_an_id_of_another_vendor_is_nobody_here() -> None:
    sim = open_in(calling(("contact", "room")))
    press(sim, Speaker(vendor="telegram", id="UBOB", name="bob"))
    assert only(sim).acknowledged_by == "bob (Telegram)"


def test_where_the_room_is_awaited_whoever_presses_answers_for_it() -> None:
    sim = open_in(calling(("contact", "room"), ("contact", "anna"), until="all"))
    press(sim, ZOE)
    assert only(sim).phase is Phase.TRIGGERED
    steps = only(sim).escalation
    assert steps is not None
    assert (steps.awaited, steps.acked) == (["anna"], ["room"])
    assert "zoe.z (Slack) answers for room" in lines(sim)


def test_where_they_are_awaited_themselves_they_answer_for_themselves() -> None:
    sim = open_in(calling(("contact", "room"), ("contact", "bob"), until="all"))
    press(sim, BOB)
    steps = only(sim).escalation
    assert steps is not None
    assert (steps.awaited, steps.acked) == (["room"], ["bob"])


@pytest.mark.parametrize(("who", "name"), [(BOB, "bob"), (ZOE, "zoe.z (Slack)")])
def test_a_command_in_the_chat_is_of_whoever_wrote_it(who: Speaker, name: str) -> None:
    sim = open_in(CHATTING)
    sim.feed(
        Command(at=sim.now, incident="INC-1", verb=Verb.RESOLVE, by="zoe.z (Slack)", via="Slack", who=who)
    )
    assert only(sim).resolved_by == name
    assert f"resolved by {name} via Slack" in lines(sim)


def asking(*targets: tuple[str, str], by: str = "") -> Simulation:
    """A repair that asks these before it changes anything; `by` has started it."""
    book = replace(ROLLBACK, mode="approve", approval=Approvers(targets, 1, 15 * MINUTE, HERE))
    policy = replace(chatting(), runbooks=(book,))
    sim = Simulation(CHATTING if by else policy, START, Chat())
    sim.feed(firing("api-broken"))
    sim.pass_time(START + 10 * SECOND)
    if by:
        sim.policy = policy
        do(sim, Verb.RUN, text="rollback", by=by)
        sim.pass_time(sim.now + 10 * SECOND)
    return sim


def decide(sim: Simulation, who: Speaker, text: str) -> RunPhase:
    asked = [
        each for _, each in sim.effects if isinstance(each, Deliver) and each.purpose is Purpose.APPROVAL
    ]
    sim.feed(Answer(at=sim.now, by="slack", channel="Slack", text=text, delivery=asked[-1].id, who=who))
    run = sim.state.tables[Table.RUN]["INC-1-r1"]
    assert isinstance(run, Run)
    return run.phase


def test_a_button_in_a_room_approves_for_whoever_was_asked() -> None:
    sim = asking(("contact", "room"), ("contact", "bob"))
    assert decide(sim, BOB, "approve") is not RunPhase.WAITING
    assert "runbook rollback approved by bob via Slack" in lines(sim)


def test_where_the_room_was_asked_anybody_of_us_there_may_and_it_is_said_who() -> None:
    sim = asking(("contact", "room"))
    assert decide(sim, BOB, "approve") is not RunPhase.WAITING
    assert "bob answers for room" in lines(sim)


def test_whoever_is_not_configured_may_say_no_and_not_yes() -> None:
    sim = asking(("contact", "room"))
    assert decide(sim, ZOE, "approve") is RunPhase.WAITING
    assert "zoe.z (Slack) approved INC-1-r1 via Slack: they were not asked; room may" in lines(sim)
    assert decide(sim, ZOE, "deny") is RunPhase.REFUSED


def test_whoever_started_it_cannot_approve_it_from_a_room() -> None:
    sim = asking(("contact", "room"), by="bob")
    assert decide(sim, BOB, "approve") is RunPhase.WAITING
    assert "bob approved INC-1-r1 via Slack: who starts a run cannot approve it; room may" in lines(sim)
