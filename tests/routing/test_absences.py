"""What is expected and does not come: told once, explained, over when it comes, in whatever order things arrive."""

from dataclasses import replace
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_policy import HERE, POLICY, START, World

from routing.alerts import expecting
from routing.calendar.hours import Hours, Span
from routing.decision import Table
from routing.entry import Command, PolicySet, Signal, SwitchSet, Verb
from routing.event import Event, Status
from routing.incident import Incident, Phase, Window
from routing.instant import DAY, HOUR, MINUTE, SECOND
from routing.language import matchers
from routing.policy import Absence
from routing.severity import Severity
from routing.simulation import Simulation

BACKUP = Absence(
    name="nightly-backup",
    matchers=matchers.parse_all('kind="backup.done"'),
    within_ms=25 * HOUR,
    severity=Severity.SEV2,
    title="No backup was made",
    origin=HERE,
    service="database",
)
MAIL = replace(
    BACKUP,
    name="booking-mail",
    matchers=matchers.parse_all('kind="mail.sent"'),
    after=matchers.parse_all('kind="booking.made"'),
    by=("booking",),
    within_ms=5 * MINUTE,
    title="A booking was not confirmed",
)
BEATS = replace(
    BACKUP, name="quiet-host", matchers=matchers.parse_all('kind="beat"'), by=("host",), within_ms=MINUTE
)
WEEKDAYS = Hours("shop", "Europe/Warsaw", (Span(frozenset(range(5)), 9 * 60, 17 * 60),), frozenset(), HERE)


def simulation(*absences: Absence) -> Simulation:
    return Simulation(replace(POLICY, absences=absences, thresholds=()), START, World(), keep=False)


def live(*absences: Absence) -> Simulation:
    sim = simulation(*absences)
    sim.feed(PolicySet(at=START, version="p1"))
    return sim


def event(kind: str, at: int, name: str = "", **labels: str) -> Signal:
    return Signal(
        at=at,
        event=Event(
            source="am",
            vendor="alertmanager",
            kind=kind,
            status=Status.INFO,
            key="",
            title=kind,
            vendor_id=name,
            labels=labels,
        ),
    )


def feed(sim: Simulation, *signals: Signal) -> None:
    for signal in signals:
        sim.pass_time(max(sim.now, signal.at))
        sim.feed(signal)


def phases(sim: Simulation) -> list[Phase]:
    return [incident.phase for incident in sim.incidents()]


def only(sim: Simulation) -> Incident:
    (incident,) = sim.incidents()
    return incident


def test_what_never_came_is_missed_from_when_the_policy_went_live() -> None:
    sim = live(BACKUP)
    sim.pass_time(START + 25 * HOUR - 1)
    assert sim.incidents() == []
    sim.pass_time(START + 25 * HOUR)
    incident = only(sim)
    assert (incident.title, incident.severity, incident.service, incident.opened_at) == (
        "No backup was made",
        Severity.SEV2,
        "database",
        START + 25 * HOUR,
    )


def test_why_names_since_when_until_when_rule_and_line() -> None:
    sim = live(BACKUP)
    sim.pass_time(START + 25 * HOUR)
    reasons = [str(reason) for _, moment in sim.moments for reason in moment.reasons]
    assert (
        "nothing came from 2025-11-24T16:00:00.000Z to 2025-11-25T17:00:00.000Z, 1d1h (nightly-backup, config/test.yaml:7)"
        in reasons
    )


def test_each_one_that_comes_moves_the_end_and_says_until_when() -> None:
    sim = live(BACKUP)
    for day in range(1, 6):
        sim.pass_time(START + day * DAY)
        verdict = sim.feed(event("backup.done", sim.now)).verdict
        assert verdict is not None
        assert verdict.did == "expected"
        assert "expected by nightly-backup; it is missed at" in verdict.reasons[-1].text
    sim.pass_time(START + 5 * DAY + 25 * HOUR - 1)
    assert sim.incidents() == []
    sim.pass_time(START + 5 * DAY + 25 * HOUR)
    assert phases(sim) == [Phase.TRIGGERED]


def test_it_is_over_when_it_comes() -> None:
    sim = live(BACKUP)
    sim.pass_time(START + 26 * HOUR)
    sim.feed(event("backup.done", sim.now))
    assert phases(sim) == [Phase.RESOLVED]


def test_while_it_is_missing_nobody_is_told_of_another_incident() -> None:
    sim = live(BACKUP)
    sim.pass_time(START + 9 * DAY)
    assert len(sim.incidents()) <= 1


def test_resolved_by_a_person_it_is_missed_anew_when_it_does_not_come_again() -> None:
    sim = live(BACKUP)
    sim.pass_time(START + 25 * HOUR)
    sim.feed(Command(at=sim.now, by="anna", verb=Verb.RESOLVE, incident=only(sim).id))
    assert phases(sim) == [Phase.RESOLVED]
    sim.pass_time(sim.now + 25 * HOUR)
    assert Phase.TRIGGERED in phases(sim)


def test_a_paused_source_is_not_a_quiet_one() -> None:
    sim = live(BACKUP)
    sim.feed(SwitchSet(at=START, name="pause:am", on=True, by="anna", reason="maintenance"))
    feed(sim, event("backup.done", START + 24 * HOUR))
    sim.pass_time(START + 26 * HOUR)
    assert sim.incidents() == []


def test_a_host_that_stops_beating_is_one_alert_and_the_others_go_on() -> None:
    sim = live(BEATS)
    for second in range(0, 300, 30):
        hosts = ["a", "b"] if second < 120 else ["a"]
        feed(sim, *(event("beat", START + second * SECOND, host=host) for host in hosts))
    incident = only(sim)
    assert (incident.labels["host"], incident.opened_at) == ("b", START + 150 * SECOND)
    feed(sim, event("beat", START + 310 * SECOND, host="b"))
    assert phases(sim) == [Phase.RESOLVED]


def test_a_host_that_a_person_resolved_is_waited_for_no_more_until_it_beats_again() -> None:
    sim = live(BEATS)
    feed(sim, event("beat", START, host="a"))
    sim.pass_time(START + MINUTE)
    sim.feed(Command(at=sim.now, by="anna", verb=Verb.RESOLVE, incident=only(sim).id))
    sim.pass_time(START + HOUR)
    assert phases(sim) == [Phase.RESOLVED]
    assert sim.state.tables[Table.WINDOW] == {}


@pytest.mark.parametrize(
    ("signals", "missed"),
    [
        ([("booking.made", 0)], True),
        ([("booking.made", 0), ("mail.sent", 4 * MINUTE)], False),
        ([("mail.sent", 4 * MINUTE), ("booking.made", 0)], False),  # folded in another order than received
        ([("mail.sent", 0), ("booking.made", 1)], True),
        ([("mail.sent", 0)], False),
        ([("booking.made", 0), ("mail.sent", 1), ("booking.made", 2)], True),
    ],
)
def test_what_is_to_follow_another_event_is_missed_only_after_it(
    signals: list[tuple[str, int]], missed: bool
) -> None:
    sim = live(MAIL)
    for number, (kind, at) in enumerate(signals):
        sim.feed(event(kind, START + at, f"e{number}", booking="bk_1"))
    sim.pass_time(START + HOUR)
    assert bool(sim.incidents()) is missed


def test_another_bookings_mail_does_not_count() -> None:
    sim = live(MAIL)
    feed(sim, event("booking.made", START, booking="1"), event("mail.sent", START + 1, booking="2"))
    sim.pass_time(START + HOUR)
    assert only(sim).labels["booking"] == "1"


def test_nothing_is_kept_of_what_was_followed() -> None:
    sim = live(MAIL)
    for n in range(100):
        feed(
            sim,
            event("booking.made", START + n, booking=str(n)),
            event("mail.sent", START + n, booking=str(n)),
        )
    sim.pass_time(START + HOUR)
    assert sim.state.tables[Table.WINDOW] == {}
    assert [key for key in sim.state.timers() if key.startswith("absence")] == []
    assert sim.incidents() == []


def test_time_runs_only_inside_of_its_hours() -> None:
    """Friday 16:30 in Warsaw, one hour: missed on Monday at 9:30."""
    friday, monday = 1_764_343_800_000, 1_764_577_800_000
    rule = replace(BACKUP, within_ms=HOUR, hours=WEEKDAYS)
    assert expecting.missed_at(rule, Window(key="w", times=[], came_at=friday)) == monday


def test_a_shorter_time_counts_as_soon_as_its_policy_is_live() -> None:
    sim = live(BACKUP)
    sim.policy = replace(sim.policy, absences=(replace(BACKUP, within_ms=HOUR),))
    sim.pass_time(START + MINUTE)
    sim.feed(PolicySet(at=sim.now, version="p2"))
    sim.pass_time(START + HOUR)
    assert phases(sim) == [Phase.TRIGGERED]


def test_a_rule_that_is_gone_misses_nothing_and_keeps_nothing() -> None:
    sim = live(BACKUP)
    sim.policy = replace(sim.policy, absences=())
    sim.pass_time(START + 3 * DAY)
    assert sim.incidents() == []
    assert sim.state.tables[Table.WINDOW] == {}


def test_a_storm_of_hosts_keeps_no_more_than_the_most_and_says_so() -> None:
    sim = live(replace(BEATS, most=50))
    for n in range(20_000):
        sim.feed(event("beat", START + n // 1000, host=f"h{n}"))
    assert len(sim.state.tables[Table.WINDOW]) == 51
    assert [incident.title for incident in sim.incidents()] == ["quiet-host counts by too much"]


moments = st.lists(st.tuples(st.integers(0, 20 * MINUTE), st.booleans()), min_size=1, max_size=15)


@given(moments, st.randoms(use_true_random=False))
def test_what_is_missed_is_the_same_in_whatever_order_and_however_often_it_comes(
    found: list[tuple[int, bool]], random: Random
) -> None:
    rule = replace(MAIL, by=())
    signals = [
        event("mail.sent" if sent else "booking.made", START + at, f"e{number}")
        for number, (at, sent) in enumerate(found)
    ]
    asked = sum(not sent for _, sent in found)
    again = [
        msgspec.structs.replace(each, at=each.at + random.randrange(MINUTE))
        for each in random.sample([each for each in signals if each.event.kind == "booking.made"], asked // 2)
    ]
    again += signals
    random.shuffle(again)
    assert _window(rule, again) == _window(rule, sorted(signals, key=lambda each: each.at))


def _window(rule: Absence, signals: list[Signal]) -> list[bytes]:
    """All at once, before anything comes due."""
    sim = live(rule)
    for signal in signals:
        sim.feed(signal)
    return [msgspec.json.encode(each) for each in sim.state.tables[Table.WINDOW].values()]
