"""Handoffs: who is told that a shift begins soon, has begun or is over, when, and how it reaches them."""

from dataclasses import replace
from datetime import datetime

import pytest
from small_policy import HERE, POLICY, World, firing
from telling import deliveries

from routing.audit import audit
from routing.calendar.hours import Hours, Span
from routing.calendar.wall import instant_of
from routing.decision import Table
from routing.delivery import Delivery, Progress, Purpose
from routing.effect import Deliver
from routing.entry import Command, Outcome, OverrideSet, PolicySet, Revived, Verb
from routing.instant import DAY, HOUR, MINUTE
from routing.oncall import Standing, shifts
from routing.policy import Layer, Notices, Policy, Rotation, Schedule
from routing.simulation import Simulation

ZONE = "Europe/Warsaw"


def local(text: str) -> int:
    return instant_of(datetime.fromisoformat(text), ZONE)


SUNDAY = local("2025-11-30T12:00")
HANDOFF = local("2025-12-01T09:00")
"""From Anna to Carol."""
ROOM = Notices((DAY, 15 * MINUTE), (("contact", "room"),))


def policy(notices: Notices | None = ROOM, *layers: Layer, version: str = "p1") -> Policy:
    primary = POLICY.schedules["primary"]
    schedule = replace(primary, notices=notices, layers=layers or primary.layers)
    return replace(POLICY, schedules={"primary": schedule}, runbooks=(), version=version)


def live(policy: Policy, at: int = SUNDAY, world: World | None = None) -> Simulation:
    sim = Simulation(policy, at, world or World())
    sim.feed(PolicySet(at=at, version=policy.version))
    return sim


def notices(sim: Simulation) -> list[tuple[int, str, str]]:
    """Every notice that left: when (ms), to whom, its title."""
    return [
        (at, each.contact, each.message.title)
        for at, each in sim.effects
        if isinstance(each, Deliver) and each.purpose is Purpose.NOTICE and each.attempt == 1
    ]


def kept(sim: Simulation) -> list[Delivery]:
    return [each for each in sim.state.tables[Table.NOTICE].values() if isinstance(each, Delivery)]


def take(contact: str, from_at: int, until_at: int, id: str = "o-1") -> OverrideSet:  # noqa: A002
    return OverrideSet(
        at=from_at, by="ben", id=id, schedule="primary", contact=contact, from_at=from_at, until_at=until_at
    )


def test_who_begins_who_ends_and_the_room_are_told_at_the_handoff_and_who_begins_before_it() -> None:
    sim = live(policy())
    sim.pass_time(HANDOFF + HOUR)
    assert notices(sim) == [
        (HANDOFF - 15 * MINUTE, "carol", "Your shift in primary begins in 15m, Mon 01 Dec 09:00 CET"),
        (HANDOFF, "carol", "You are on call in primary until Mon 08 Dec 09:00 CET"),
        (HANDOFF, "anna", "Your shift in primary is over"),
        (HANDOFF, "room", "primary: Carol on call until Mon 08 Dec 09:00 CET"),
    ]
    sim.pass_time(HANDOFF + 7 * DAY - DAY)
    assert notices(sim)[4:] == [
        (HANDOFF + 6 * DAY, "anna", "Your shift in primary begins in 1d, Mon 08 Dec 09:00 CET")
    ]


def test_each_reads_it_by_their_own_clock() -> None:
    base = policy()
    carol = replace(base.contacts["carol"], timezone="America/New_York")
    sim = live(replace(base, contacts={**base.contacts, "carol": carol}))
    sim.pass_time(HANDOFF)
    assert [title for _, contact, title in notices(sim) if contact == "carol"] == [
        "Your shift in primary begins in 15m, Mon 01 Dec 03:00 EST",
        "You are on call in primary until Mon 08 Dec 03:00 EST",
    ]


def test_who_begins_reads_what_is_open_and_who_ends_what_is_theirs() -> None:
    sim = live(policy())
    sim.pass_time(HANDOFF - 10 * MINUTE)
    sim.feed(firing("api-broken"))
    sim.feed(Command(at=sim.now, incident="INC-1", verb=Verb.ACK, by="anna"))
    sim.pass_time(HANDOFF)
    bodies = {each.contact: each.message.body for each in kept(sim) if each.created_at == HANDOFF}
    assert "Open now:\nINC-1 SEV-1" in bodies["carol"]
    assert "Before you: Anna." in bodies["carol"]
    assert "tocsin incidents reassign ID --to primary" in bodies["anna"]
    assert "INC-1 SEV-1 acknowledged" in bodies["anna"]
    assert "Now: Carol until Mon 08 Dec 09:00 CET." in bodies["anna"]


def test_who_takes_a_shift_now_is_told_at_once_and_the_other_when_it_is_theirs_again() -> None:
    sim = live(policy(Notices()))
    sim.pass_time(SUNDAY + HOUR)
    sim.feed(take("bob", SUNDAY + HOUR, SUNDAY + 3 * HOUR))
    sim.pass_time(SUNDAY + 4 * HOUR)
    assert [(at - SUNDAY, contact, title.split(" until")[0]) for at, contact, title in notices(sim)] == [
        (HOUR, "bob", "You are on call in primary"),
        (HOUR, "anna", "Your shift in primary is over"),
        (3 * HOUR, "anna", "You are on call in primary"),
        (3 * HOUR, "bob", "Your shift in primary is over"),
    ]


def test_an_override_of_the_future_is_told_when_it_comes_and_one_taken_back_never() -> None:
    sim = live(policy(Notices((HOUR,))))
    sim.feed(take("bob", SUNDAY + 5 * HOUR, SUNDAY + 6 * HOUR))
    sim.feed(take("cto", SUNDAY + 2 * HOUR, SUNDAY + 3 * HOUR, "o-2"))
    sim.pass_time(SUNDAY + MINUTE)
    sim.feed(take("", SUNDAY + 2 * HOUR, SUNDAY + 3 * HOUR, "o-2"))
    sim.pass_time(SUNDAY + 7 * HOUR)
    assert [(at - SUNDAY, contact) for at, contact, _ in notices(sim)] == [
        (4 * HOUR, "bob"),
        (5 * HOUR, "bob"), (5 * HOUR, "anna"), (5 * HOUR, "anna"),  # over for now, and hers again in 1h
        (6 * HOUR, "anna"), (6 * HOUR, "bob"),
    ]  # fmt: skip


def test_the_first_look_and_a_policy_that_changes_nothing_tell_nobody() -> None:
    sim = live(policy())
    sim.pass_time(SUNDAY + HOUR)
    sim.policy = policy(version="p2")
    sim.feed(PolicySet(at=sim.now, version="p2"))
    sim.pass_time(SUNDAY + 2 * HOUR)
    assert notices(sim) == []


def test_a_policy_that_puts_somebody_else_on_call_tells_them() -> None:
    sim = live(policy())
    sim.pass_time(SUNDAY + HOUR)
    other = Layer("rotation", Rotation((("cto",),), "2025-11-10T09:00"), ZONE, HERE)
    sim.policy = policy(ROOM, other, version="p2")
    sim.feed(PolicySet(at=sim.now, version="p2"))
    sim.pass_time(SUNDAY + 2 * HOUR)
    assert [contact for _, contact, _ in notices(sim)] == ["cto", "anna", "room"]


def test_a_handoff_that_nobody_was_there_to_tell_is_told_afterwards_once() -> None:
    sim = live(policy())
    sim.pass_time(SUNDAY + HOUR)
    sim.now = HANDOFF + 2 * HOUR
    sim.pass_time(HANDOFF + 3 * HOUR)
    assert [(at, contact) for at, contact, _ in notices(sim)] == [
        (HANDOFF + 2 * HOUR, "carol"), (HANDOFF + 2 * HOUR, "anna"), (HANDOFF + 2 * HOUR, "room"),
    ]  # fmt: skip


def test_without_notices_nobody_is_told_also_once_they_were_taken_out() -> None:
    sim = live(policy())
    sim.policy = policy(None, version="p2")
    sim.feed(PolicySet(at=sim.now, version="p2"))
    sim.pass_time(HANDOFF + 30 * DAY)
    assert notices(sim) == []
    assert not [key for key in sim.state.tables[Table.FACT] if key.startswith("on-call")]


def test_a_gap_is_told_to_who_leaves_and_its_end_to_who_comes() -> None:
    office = Hours("office", ZONE, (Span(frozenset({0, 1}), 9 * 60, 17 * 60),), frozenset(), HERE)
    day = Layer("day", Rotation((("anna",),), "2025-11-10T09:00"), ZONE, HERE, during=office)
    sim = live(policy(Notices((), (("contact", "room"),)), day), HANDOFF + HOUR)
    sim.pass_time(HANDOFF + DAY + HOUR)
    assert [(at - HANDOFF, contact, title) for at, contact, title in notices(sim)] == [
        (8 * HOUR, "anna", "Your shift in primary is over"),
        (8 * HOUR, "room", "primary: nobody on call until Tue 02 Dec 09:00 CET"),
        (24 * HOUR, "anna", "You are on call in primary until Tue 02 Dec 17:00 CET"),
        (24 * HOUR, "room", "primary: Anna on call until Tue 02 Dec 17:00 CET"),
    ]


@pytest.mark.parametrize("zone", ["Europe/Warsaw", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
def test_over_a_year_each_handoff_is_told_once_and_each_shift_announced_once(zone: str) -> None:
    turns = Rotation((("anna",), ("bob",), ("carol",)), "2025-11-10T02:30", every=(1, 2))
    schedule = Schedule("primary", zone, (Layer("all", turns, zone, HERE),), HERE, "", Notices((HOUR,)))
    sim = live(replace(POLICY, schedules={"primary": schedule}))
    end = SUNDAY + 365 * DAY
    sim.pass_time(end)
    begun = [(at, contact) for at, contact, title in notices(sim) if title.startswith("You are on call")]
    soon = [(at, contact) for at, contact, title in notices(sim) if " begins in " in title]
    expected = [(each.since_at, each.contact) for each in shifts(schedule, Standing(), SUNDAY, end + 1)][1:]
    assert begun == expected
    assert soon == [(at - HOUR, contact) for at, contact in expected if at - HOUR > SUNDAY] + [
        (each.since_at - HOUR, each.contact)
        for each in shifts(schedule, Standing(), end, end + HOUR + 1)[1:]
        if each.since_at - HOUR <= end and (each.since_at, each.contact) not in expected
    ]


def test_a_notice_that_failed_goes_by_the_next_quiet_method_and_is_a_dead_letter() -> None:
    world = World()
    world.refuses["sms"] = Outcome.PERMANENT
    sim = live(policy(Notices()), world=world)
    sim.pass_time(HANDOFF + HOUR)
    found = [(each.contact, each.channel, each.progress) for each in kept(sim)]
    assert sorted(found) == [
        ("anna", "mail", Progress.SENT), ("anna", "sms", Progress.FAILED),
        ("carol", "mail", Progress.SENT), ("carol", "sms", Progress.FAILED),
    ]  # fmt: skip


def test_an_operator_can_retry_a_notice_that_failed() -> None:
    world = World()
    world.refuses = {"sms": Outcome.PERMANENT, "mail": Outcome.PERMANENT}
    sim = live(policy(Notices()), world=world)
    sim.pass_time(HANDOFF + HOUR)
    world.refuses.clear()
    failed = kept(sim)[0]
    sim.feed(Revived(at=sim.now, by="ben", dead="dl-1", subject=failed.id))
    sim.pass_time(HANDOFF + 2 * HOUR)
    assert sim.state.tables[Table.NOTICE][failed.id].progress is Progress.SENT  # type: ignore[attr-defined]


def test_a_notice_nobody_takes_up_is_watched_and_after_a_week_given_up_with_all_that_was_kept_of_it() -> None:
    world = World()
    world.asleep.add("sms")
    sim = live(policy(Notices()), world=world)
    sim.pass_time(HANDOFF + HOUR)
    assert {each.progress for each in kept(sim)} == {Progress.PENDING}
    assert not audit(sim.state, sim.now)
    sim.pass_time(HANDOFF + 7 * DAY - MINUTE)
    assert len(kept(sim)) == 2
    sim.pass_time(HANDOFF + 7 * DAY)
    assert {each.created_at for each in kept(sim)} == {HANDOFF + 7 * DAY}
    assert not [key for key in sim.state.timers() if key.endswith(("notice-1", "notice-2"))]


def test_notices_belong_to_no_incident() -> None:
    sim = live(policy())
    sim.pass_time(HANDOFF + HOUR)
    assert kept(sim)
    assert not deliveries(sim)
    assert not sim.moments
    assert not sim.incidents()


def test_who_is_only_ever_called_is_told_nothing() -> None:
    base = policy(Notices())
    carol = replace(base.contacts["carol"], quiet=())
    sim = live(replace(base, contacts={**base.contacts, "carol": carol}))
    sim.pass_time(HANDOFF + HOUR)
    assert [contact for _, contact, _ in notices(sim)] == ["anna"]
