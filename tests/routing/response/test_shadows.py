"""A shadow hears quietly what the one on call is paged for; the escalation waits for somebody else."""

from small_policy import POLICY, START, firing
from telling import HERE, ladder, pages, said, simulate, step

from routing.delivery import Purpose
from routing.instant import MINUTE
from routing.policy import Layer, Mode, Rotation, Schedule


def layer(name: str, contact: str, mode: Mode = Mode.REPLACE) -> Layer:
    return Layer(name, Rotation(((contact,),), "2025-01-06T09:00"), "Europe/Warsaw", HERE, mode=mode)


def test_a_shadow_is_told_without_ringing_and_never_awaited() -> None:
    watched = Schedule(
        "watched", "Europe/Warsaw", (layer("base", "anna"), layer("new", "bob", Mode.SHADOW)), HERE
    )
    steps = (step(("schedule", "watched"), wait_ms=5 * MINUTE), step(("contact", "cto")))
    sim = simulate(ladder(*steps, schedules={**POLICY.schedules, "watched": watched}))
    sim.feed(firing("worse"))
    assert {contact for _, contact, _ in pages(sim)} == {"anna"}
    assert [(contact, channel) for _, contact, channel in said(sim, Purpose.UPDATE)] == [("bob", "sms")]
    sim.pass_time(START + 5 * MINUTE)
    assert {contact for _, contact, _ in pages(sim)} == {"anna", "cto"}


def test_a_shadow_alone_is_nobody_so_the_next_step_is_called_at_once() -> None:
    alone = Schedule("alone", "Europe/Warsaw", (layer("new", "bob", Mode.SHADOW),), HERE)
    steps = (step(("schedule", "alone"), wait_ms=5 * MINUTE), step(("contact", "cto")))
    sim = simulate(ladder(*steps, schedules={**POLICY.schedules, "alone": alone}))
    sim.feed(firing("worse"))
    assert {(at, contact) for at, contact, _ in pages(sim)} == {(0, "cto")}
