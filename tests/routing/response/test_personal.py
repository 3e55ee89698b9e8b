"""Each person's own rules: which methods by severity and hour, with what delays, quiet hours, and what may be collected."""

from dataclasses import replace
from typing import Any

import pytest
from small_policy import HERE, POLICY, START, World, firing
from telling import deliveries, do, ladder, lines, pages, said, simulate, step, told

from routing.calendar.hours import Hours, Span
from routing.delivery import Progress, Purpose
from routing.entry import Outcome, Verb
from routing.instant import DAY, HOUR, MINUTE, SECOND, iso, parse_iso
from routing.policy import AtHours, Contact, Digest, HourlyPage, Method, Policy
from routing.severity import Severity
from routing.simulation import Simulation

DAYTIME = parse_iso("2025-11-25T10:00+01:00")
NIGHT = parse_iso("2025-11-25T02:30+01:00")
OFFICE = Hours("office", "Europe/Warsaw", (Span(frozenset(range(7)), 540, 1020),), frozenset(), HERE)
BOB = POLICY.contacts["bob"]
VOICE, SMS, MAIL = BOB.methods
SLEEPS = AtHours("office", outside=True)
KINDS = {
    Severity.SEV0: "site-down", Severity.SEV1: "worse", Severity.SEV2: "odd", Severity.SEV3: "deployment.error",
}  # fmt: skip


def policy(bob: Contact, **more: Any) -> Policy:
    """Bob alone is paged, then the last resort."""
    steps = (step(("contact", "bob"), wait_ms=more.pop("wait_ms", HOUR)),)
    return ladder(*steps, contacts={**POLICY.contacts, "bob": bob}, hours={"office": OFFICE}, **more)


def page(bob: Contact, severity: Severity, at: int, world: World | None = None, **more: Any) -> Simulation:
    sim = simulate(policy(bob, **more), world, at)
    sim.feed(firing(KINDS[severity], at=at))
    return sim


def ways(sim: Simulation, contact: str = "bob") -> list[tuple[int, str]]:
    """Minutes since the beginning and channel of every page that left."""
    began = sim.incidents()[0].opened_at
    start = pages(sim)
    base = (began - 1_764_000_000_000) // SECOND
    return [((at - base) // 60, channel) for at, who, channel in start if who == contact]


@pytest.mark.parametrize(
    ("severity", "by_day", "by_night"),
    [
        (Severity.SEV0, ["voice", "sms"], ["voice", "sms"]),
        (Severity.SEV1, ["voice", "sms"], ["sms"]),
        (Severity.SEV2, ["sms"], ["sms"]),
        (Severity.SEV3, ["mail"], ["mail"]),
    ],
)
def test_methods_go_by_severity_and_in_quiet_hours_nothing_rings_but_a_complete_outage(
    severity: Severity, by_day: list[str], by_night: list[str]
) -> None:
    bob = replace(BOB, quiet_hours=SLEEPS)
    assert [channel for _, channel in ways(page(bob, severity, DAYTIME))] == by_day
    assert [channel for _, channel in ways(page(bob, severity, NIGHT))] == by_night


def test_the_timeline_says_that_these_are_quiet_hours() -> None:
    sim = page(replace(BOB, quiet_hours=SLEEPS), Severity.SEV1, NIGHT)
    assert "Bob is paged by sms: these are Bob's quiet hours" in lines(sim)


def test_who_is_only_called_is_written_to_in_quiet_hours() -> None:
    bob = replace(BOB, quiet_hours=SLEEPS, by_severity={Severity.SEV1: (VOICE,)}, quiet=(MAIL,))
    assert ways(page(bob, Severity.SEV1, NIGHT)) == [(0, "mail")]


def test_who_can_only_be_called_is_called_in_quiet_hours() -> None:
    bob = replace(BOB, quiet_hours=SLEEPS, methods=(VOICE,), by_severity={}, quiet=())
    assert ways(page(bob, Severity.SEV1, NIGHT)) == [(0, "voice")]


def test_the_last_resort_rings_in_its_quiet_hours() -> None:
    cto = replace(POLICY.contacts["cto"], quiet_hours=SLEEPS)
    sim = simulate(replace(policy(BOB), contacts={**POLICY.contacts, "cto": cto}), at=NIGHT)
    sim.feed(firing("worse", at=NIGHT))
    sim.pass_time(NIGHT + HOUR)
    assert ("cto", "voice") in [(who, channel) for _, who, channel in pages(sim)]


def test_what_becomes_a_complete_outage_rings_in_quiet_hours() -> None:
    sim = simulate(
        replace(policy(replace(BOB, quiet_hours=SLEEPS)), route=replace(POLICY.route, routes=())), at=NIGHT
    )
    sim.feed(firing("worse", at=NIGHT))
    assert ways(sim) == [(0, "sms")]
    sim.feed(firing("site-down", at=NIGHT, key="other"))
    assert ways(sim)[1:] == [(0, "voice"), (0, "sms")]


OUT = HourlyPage(AtHours("office", outside=True), {Severity.SEV1: (MAIL,)})
IN = HourlyPage(AtHours("office"), {Severity.SEV1: (SMS,), Severity.SEV2: (VOICE,)})


@pytest.mark.parametrize(
    ("at", "severity", "channels"),
    [
        (DAYTIME, Severity.SEV1, ["sms"]),
        (DAYTIME, Severity.SEV2, ["voice"]),
        (DAYTIME, Severity.SEV0, ["voice", "sms"]),
        (NIGHT, Severity.SEV1, ["mail"]),
        (NIGHT, Severity.SEV2, ["sms"]),
    ],
    ids=[
        "by day",
        "by day, milder",
        "a severity no rule names",
        "by night",
        "by night, a severity not named",
    ],
)
def test_methods_go_by_the_hour_where_a_rule_says_so(
    at: int, severity: Severity, channels: list[str]
) -> None:
    sim = page(replace(BOB, by_hour=(IN, OUT)), severity, at)
    assert [channel for _, channel in ways(sim)] == channels


def test_hours_that_are_gone_are_no_hours() -> None:
    gone = AtHours("gone", outside=True)
    bob = replace(BOB, quiet_hours=gone, by_hour=(HourlyPage(gone, {Severity.SEV1: (MAIL,)}),))
    assert [channel for _, channel in ways(page(bob, Severity.SEV1, NIGHT))] == ["voice", "sms"]


# ── delays ───────────────────────────────────────────────────────────────────────────────────────────────

PATIENT = replace(
    BOB,
    by_severity={
        Severity.SEV1: (SMS, replace(VOICE, after_ms=3 * MINUTE), replace(MAIL, after_ms=10 * MINUTE))
    },
)


def test_the_next_method_has_its_turn_while_nobody_answers() -> None:
    sim = page(PATIENT, Severity.SEV1, DAYTIME)
    sim.pass_time(DAYTIME + 30 * MINUTE)
    assert ways(sim) == [(0, "sms"), (3, "voice"), (10, "mail")]


@pytest.mark.parametrize("verb", [Verb.ACK, Verb.RESOLVE])
def test_an_answer_takes_the_turn_of_the_later_methods_away(verb: Verb) -> None:
    sim = page(PATIENT, Severity.SEV1, DAYTIME)
    sim.pass_time(DAYTIME + 5 * MINUTE)
    do(sim, verb)
    sim.pass_time(DAYTIME + 50 * MINUTE)
    assert ways(sim) == [(0, "sms"), (3, "voice")]
    left = [each.progress for each in deliveries(sim) if (each.contact, each.channel) == ("bob", "mail")]
    assert left == [Progress.CANCELLED]


def test_a_method_that_fails_gives_its_turn_to_the_next_at_once() -> None:
    world = World()
    world.refuses = {"sms": Outcome.PERMANENT}
    sim = page(PATIENT, Severity.SEV1, DAYTIME, world)
    sim.pass_time(DAYTIME + 2 * MINUTE)
    assert ways(sim) == [(0, "sms"), (0, "voice")]


def test_in_quiet_hours_the_first_method_that_is_left_does_not_wait_for_one_that_is_not() -> None:
    late = (VOICE, replace(SMS, after_ms=5 * MINUTE), replace(MAIL, after_ms=8 * MINUTE))
    bob = replace(BOB, quiet_hours=SLEEPS, by_severity={Severity.SEV1: late})
    sim = page(bob, Severity.SEV1, NIGHT)
    sim.pass_time(NIGHT + 30 * MINUTE)
    assert ways(sim) == [(0, "sms"), (3, "mail")]


# ── digests ──────────────────────────────────────────────────────────────────────────────────────────────

COLLECTED = replace(BOB, digest=Digest(frozenset({Severity.SEV3}), 570, "Europe/Warsaw"))
HALF_PAST_NINE = parse_iso("2025-11-25T09:30+01:00")


def collected(*keys: str) -> Simulation:
    sim = simulate(
        replace(policy(COLLECTED), route=replace(POLICY.route, group_by=("shard",), routes=())), at=NIGHT
    )
    for key in keys:
        sim.feed(firing("deployment.error", at=sim.now, key=key, labels={"shard": key}))
    return sim


def test_what_is_mild_is_collected_and_told_in_one_message_at_the_hour_of_the_digest() -> None:
    sim = collected("a", "b", "c")
    sim.pass_time(HALF_PAST_NINE - 1)
    assert pages(sim) == []
    sim.pass_time(HALF_PAST_NINE)
    assert len(ways(sim)) == 1
    (digest,) = [each for each in deliveries(sim) if each.listed]
    assert digest.listed == ["INC-1", "INC-2", "INC-3"]
    assert digest.message.title == "Digest: 3 incidents"


def test_what_is_severe_is_not_collected() -> None:
    assert [channel for _, channel in ways(page(COLLECTED, Severity.SEV2, NIGHT))] == ["sms"]


def test_what_is_over_before_the_digest_is_not_in_it() -> None:
    sim = collected("a", "b", "c")
    do(sim, Verb.RESOLVE, "INC-1")
    do(sim, Verb.ACK, "INC-3")
    sim.pass_time(HALF_PAST_NINE)
    (digest,) = [each for each in deliveries(sim) if each.listed]
    assert digest.listed == ["INC-2"]


def test_the_time_to_answer_begins_with_the_digest() -> None:
    sim = collected("a")
    incident = sim.incidents()[0]
    assert iso(incident.respond_by) == iso(HALF_PAST_NINE + 4 * HOUR)
    sim.pass_time(HALF_PAST_NINE + 59 * MINUTE)
    assert [who for _, who, _ in pages(sim)] == ["bob"]
    sim.pass_time(HALF_PAST_NINE + HOUR)
    assert [who for _, who, _ in pages(sim)][1] == "cto"


def test_what_gets_worse_does_not_wait_for_the_digest() -> None:
    sim = collected("a")
    sim.feed(firing("worse", at=sim.now, key="b", labels={"shard": "a"}))
    assert [channel for _, channel in ways(sim)] == ["voice", "sms"]


def test_a_digest_that_fails_is_told_another_way() -> None:
    world = World()
    world.refuses = {"sms": Outcome.PERMANENT}
    sim = simulate(policy(COLLECTED), world, NIGHT)
    sim.feed(firing("deployment.error", at=NIGHT))
    sim.pass_time(NIGHT + DAY)
    told = [each for each in deliveries(sim) if each.contact == "bob" and each.purpose is Purpose.PAGE]
    assert [(each.channel, each.progress) for each in told][:2] == [
        ("sms", Progress.FAILED),
        ("voice", Progress.SENT),
    ]


def test_methods_are_the_contacts_own_when_no_severity_names_any() -> None:
    bob = replace(BOB, by_severity={}, methods=(Method("mail", "bob@example.com"),))
    assert ways(page(bob, Severity.SEV0, DAYTIME)) == [(0, "mail")]


@pytest.mark.parametrize(("kind", "way"), [("deployment.error", "mail"), ("worse", "sms")])
def test_how_it_goes_on_is_told_by_the_way_by_which_one_is_paged_for_such(kind: str, way: str) -> None:
    """A SEV-3 pages by mail alone, a SEV-1 by telephone and text; both are quiet methods, the text before the mail."""
    sim = simulate(ladder(step(("contact", "anna"))))
    sim.feed(firing(kind))
    sim.pass_time(START + MINUTE)
    do(sim, Verb.ACK)
    do(sim, Verb.RESOLVE)
    assert {channel for _, _, channel in said(sim, Purpose.UPDATE)} == {way}
    assert [text.split(":")[0] for _, text in told(sim)] == [f"anna acknowledged {kind}", "Resolved"]


def test_who_is_paged_by_no_quiet_method_is_told_by_the_first() -> None:
    anna = POLICY.contacts["anna"]
    called = replace(anna, by_severity={Severity.SEV1: (anna.methods[0],)})
    sim = simulate(ladder(step(("contact", "anna")), contacts={**POLICY.contacts, "anna": called}))
    sim.feed(firing("worse"))
    sim.pass_time(START + MINUTE)
    do(sim, Verb.RESOLVE)
    assert {channel for _, _, channel in said(sim, Purpose.UPDATE)} == {"sms"}
