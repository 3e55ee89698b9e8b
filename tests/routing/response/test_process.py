"""The incident process: roles by rule, phases with their clocks, status updates that are owed, and phase 4 to its end."""

from dataclasses import replace
from typing import Any

import pytest
import shipped
from small_policy import HERE, POLICY, START, deploy, failed_card, firing, resolved
from telling import do, ladder, lines, only, pages, simulate, step, told
from threaded import Chat, chatting, in_chat

from routing.audit import audit
from routing.calendar.hours import FOREVER, next_start
from routing.course import Passage
from routing.decision import Table
from routing.entry import Verb
from routing.errors import ConfigError
from routing.instant import DAY, HOUR, MINUTE, SECOND, iso
from routing.language import matchers
from routing.load import load
from routing.policy import Policy, Process, Rate, Role
from routing.severity import Severity
from routing.simulation import Simulation

PROCESS = Process(
    severities=(Severity.SEV0, Severity.SEV1),
    assessment_ms=15 * MINUTE,
    coordination_ms=HOUR,
    recovery_ms=HOUR,
    roles=(
        Role("commander", matchers.parse_all('team="security"'), ("contact", "cto"), HERE),
        Role("commander", (), ("contact", "carol"), HERE),
        Role("voice", matchers.parse_all('severity="SEV-0"'), ("contact", "bob"), HERE),
    ),
    update_ms=15 * MINUTE,
    update_from="commander",
    postmortem_ms=3 * DAY,
    postmortem_hours="",
    origin=HERE,
)
STEPS = (step(("contact", "anna"), wait_ms=DAY),)


def policy(**more: Any) -> Policy:
    levels = {key: replace(level, ack_expires_ms=DAY) for key, level in POLICY.levels.items()}
    return ladder(*STEPS, process=replace(PROCESS, **more), levels=levels)


@pytest.fixture
def sim() -> Simulation:
    return simulate(policy())


def passage(sim: Simulation) -> Passage:
    course = only(sim).course
    assert course is not None
    return course.passage


def passage_of(sim: Simulation, incident: str) -> Passage:
    course = next(each.course for each in sim.incidents() if each.id == incident)
    assert course is not None
    return course.passage


def roles(sim: Simulation) -> dict[str, str]:
    course = only(sim).course
    assert course is not None
    return course.roles


def reminders(sim: Simulation) -> list[str]:
    return [contact for contact, text in told(sim) if text.startswith("No status update")]


def test_roles_are_given_by_the_first_rule_that_holds_and_each_holder_is_told_once(sim: Simulation) -> None:
    sim.feed(firing("worse"))
    sim.feed(firing("worse", key="again"))
    assert roles(sim) == {"commander": "carol"}
    assert [each for each in told(sim) if each[1].startswith("You are")] == [
        ("carol", "You are commander of: worse")
    ]


def test_what_gets_worse_gives_the_roles_of_the_worse(sim: Simulation) -> None:
    sim.feed(firing("worse"))
    sim.policy = replace(sim.policy, rules=tuple(replace(e, severity=Severity.SEV0) for e in POLICY.rules))
    sim.feed(firing("worse"))
    assert roles(sim) == {"commander": "carol", "voice": "bob"}


def test_a_mild_incident_is_not_run_by_the_process(sim: Simulation) -> None:
    sim.feed(firing("deployment.error"))
    sim.pass_time(START + 2 * HOUR)
    assert only(sim).course is None
    assert reminders(sim) == []


def test_an_acknowledgement_ends_assessment_and_the_clock_ends_it_without(sim: Simulation) -> None:
    sim.feed(firing("worse"))
    assert passage(sim) is Passage.ASSESSMENT
    sim.pass_time(START + 15 * MINUTE)
    assert passage(sim) is Passage.COORDINATION
    other = simulate(policy())
    other.feed(firing("worse"))
    other.pass_time(START + MINUTE)
    do(other, Verb.ACK)
    assert passage(other) is Passage.COORDINATION


@pytest.mark.parametrize(("kind", "minutes"), [("site-down", 30), ("worse", 60)])
def test_what_must_be_resolved_within_the_hour_is_coordinated_for_half_of_it(
    sim: Simulation, kind: str, minutes: int
) -> None:
    """The operators' phases take 60 minutes before resolution; SEV-0's one hour to resolve wins."""
    sim.feed(firing(kind))
    do(sim, Verb.ACK)
    sim.pass_time(START + minutes * MINUTE - SECOND)
    assert passage(sim) is Passage.COORDINATION
    sim.pass_time(START + minutes * MINUTE)
    assert passage(sim) is Passage.RESOLUTION


def test_who_owes_a_status_update_is_reminded_every_fifteen_minutes(sim: Simulation) -> None:
    sim.feed(firing("worse"))
    do(sim, Verb.ACK)
    sim.pass_time(START + 15 * MINUTE - SECOND)
    assert reminders(sim) == []
    sim.pass_time(START + 45 * MINUTE)
    assert reminders(sim) == ["carol"] * 3
    sim.pass_time(START + 60 * MINUTE)
    assert reminders(sim)[3:] == ["carol", "anna"], "everyone paged hears of it after three in a row"


def test_a_status_update_reaches_everyone_and_the_next_is_owed_a_quarter_later(sim: Simulation) -> None:
    sim.feed(firing("worse"))
    do(sim, Verb.ACK)
    sim.pass_time(START + 10 * MINUTE)
    before = len(told(sim))
    do(sim, Verb.STATUS, by="carol", text="no ETA yet")
    said = "Status of worse: no ETA yet (carol)"
    assert told(sim)[before:] == [("anna", said), ("carol", said), ("room", said)]
    sim.pass_time(START + 25 * MINUTE - SECOND)
    assert reminders(sim) == []
    sim.pass_time(START + 25 * MINUTE)
    assert reminders(sim) == ["carol"]


def test_nobody_is_reminded_while_it_is_snoozed_or_after_it_is_resolved(sim: Simulation) -> None:
    sim.feed(firing("worse"))
    do(sim, Verb.SNOOZE, until_at=START + HOUR)
    sim.pass_time(START + HOUR - SECOND)
    assert reminders(sim) == []
    do(sim, Verb.RESOLVE)
    sim.pass_time(START + 5 * HOUR)
    assert reminders(sim) == []


def test_recovery_follows_the_resolve_and_is_closed_when_nothing_came_back(sim: Simulation) -> None:
    sim.feed(firing("worse"))
    do(sim, Verb.ACK)
    sim.pass_time(START + 3 * HOUR)
    sim.feed(resolved("worse", at=sim.now, ends_at=sim.now))
    assert passage(sim) is Passage.RECOVERY
    sim.pass_time(START + 4 * HOUR - SECOND)
    assert passage(sim) is Passage.RECOVERY
    before = len(told(sim))
    sim.pass_time(START + 4 * HOUR)
    assert passage(sim) is Passage.CLOSED
    said = "Closed: worse (nothing came back within 1h). Its channels can be closed."
    assert told(sim)[before:] == [("anna", said), ("carol", said), ("room", said)]


def test_a_new_incident_on_its_service_is_told_as_a_regression_and_watched_anew(sim: Simulation) -> None:
    sim.feed(firing("worse"))
    do(sim, Verb.RESOLVE)
    sim.pass_time(START + 30 * MINUTE)
    sim.feed(firing("api-broken", key="b", at=sim.now, starts_at=sim.now))
    assert ("carol", "Perhaps a regression: INC-2, api-broken, 30m after INC-1 was resolved") in told(sim)
    sim.pass_time(START + 61 * MINUTE)
    assert next(each.course.passage for each in sim.incidents() if each.course) is Passage.RECOVERY
    sim.pass_time(START + 90 * MINUTE)
    assert "closed: nothing new for 1h after INC-2" in lines(sim, "INC-1")


def test_a_new_incident_elsewhere_or_after_the_watch_is_none(sim: Simulation) -> None:
    sim.feed(firing("worse"))
    do(sim, Verb.RESOLVE)
    sim.feed(firing("deployment.error", key="c", at=sim.now, labels={"service": "else"}))
    sim.pass_time(START + 61 * MINUTE)
    sim.feed(firing("api-broken", key="b", at=sim.now, starts_at=sim.now))
    regressions = [line for line in lines(sim, "INC-1") if "INC-3" in line]
    assert regressions == []


def test_what_comes_back_goes_on_at_resolution_and_owes_updates_again(sim: Simulation) -> None:
    sim.feed(firing("worse"))
    do(sim, Verb.ACK)
    sim.pass_time(START + MINUTE)
    sim.feed(resolved("worse", at=sim.now, ends_at=sim.now))
    sim.pass_time(START + 5 * MINUTE)
    sim.feed(firing("worse", at=sim.now, starts_at=sim.now))
    assert passage(sim) is Passage.RESOLUTION
    sim.pass_time(START + 20 * MINUTE)
    assert reminders(sim) == ["carol"]
    do(sim, Verb.RESOLVE)
    assert len(only(sim).followups) == 1, "one post-mortem, however often it came back"


def measured(sim: Simulation, each_hour: int, hours: range) -> None:
    """So many failed cards in each of these hours after the start."""
    for hour in hours:
        for number in range(each_hour):
            at = START + hour * HOUR + (number + 1) * HOUR // (each_hour + 1)
            sim.pass_time(at)
            sim.feed(failed_card(hour * 100 + number, at))


@pytest.fixture
def watched() -> Simulation:
    """Failed cards of the site are measured by the hour, against the three hours before."""
    rule = replace(POLICY.thresholds[0], count=6, window_ms=HOUR, rate=Rate(2, 3), service="site")
    sim = simulate(replace(policy(), thresholds=(rule,)))
    measured(sim, 4, range(6))
    sim.feed(firing("worse", at=sim.now, starts_at=sim.now))
    do(sim, Verb.RESOLVE)
    return sim


def test_what_is_measured_of_the_service_is_told_with_what_is_usual_when_it_is_closed(
    watched: Simulation,
) -> None:
    measured(watched, 4, range(6, 7))
    watched.pass_time(watched.now + HOUR)
    (closed,) = [moment for _, moment in watched.moments if moment.what.startswith("closed:")]
    assert [each.text for each in closed.reasons] == [
        "3 events within 1h, usual are 4; 2 times as many, and no fewer than 6, are too many"
    ]


def test_what_is_not_back_to_what_is_usual_is_watched_on_and_told(watched: Simulation) -> None:
    measured(watched, 20, range(6, 7))
    said = "Perhaps a regression: INC-2, Payments are failing"
    assert [text for contact, text in told(watched) if contact == "carol" and text.startswith(said)]
    until = next(each.course.until_at for each in watched.incidents() if each.course)
    while watched.now < until - 30 * MINUTE:
        watched.pass_time(watched.now + MINUTE)
    for number in range(30):
        watched.pass_time(until - 30 * MINUTE + number * MINUTE)
        watched.feed(failed_card(5000 + number, watched.now))
    watched.pass_time(until)
    assert passage_of(watched, "INC-1") is Passage.RECOVERY
    assert "not closed, and watched for another 1h" in lines(watched, "INC-1")
    said = "Not back to what is usual: worse (46 events within 1h, usual are 5.33; "
    assert [contact for contact, text in told(watched) if text.startswith(said)] == ["carol"]
    watched.pass_time(until + 5 * HOUR)
    assert passage_of(watched, "INC-1") is Passage.CLOSED


def test_a_role_is_handed_over_and_both_hear_of_it_and_what_gets_worse_does_not_take_it_back(
    sim: Simulation,
) -> None:
    sim.feed(firing("worse"))
    do(sim, Verb.ROLE, text="commander", to="contact:bob")
    assert roles(sim)["commander"] == "bob"
    assert told(sim)[-2:] == [
        ("bob", "You are commander of: worse"),
        ("carol", "Bob is commander now of: worse"),
    ]
    sim.pass_time(START + 15 * MINUTE)
    assert reminders(sim) == ["bob"]
    sim.policy = replace(sim.policy, rules=tuple(replace(e, severity=Severity.SEV0) for e in POLICY.rules))
    sim.feed(firing("worse", key="again", at=sim.now))
    assert roles(sim)["commander"] == "bob"


@pytest.mark.parametrize("to", ["contact:nobody", "schedule:gone", "bob"])
def test_a_role_cannot_be_given_to_nobody(sim: Simulation, to: str) -> None:
    sim.feed(firing("worse"))
    do(sim, Verb.ROLE, text="commander", to=to)
    assert roles(sim)["commander"] == "carol"
    assert lines(sim)[-1] == f"anna asked to make {to} commander: {to} means nobody now; nothing has changed"


def test_the_post_mortem_is_set_within_its_hours_and_reminded_of(sim: Simulation) -> None:
    working = shipped.policy().hours["working"]
    sim = simulate(replace(policy(postmortem_hours="working"), hours={"working": working}))
    sim.feed(firing("worse"))
    do(sim, Verb.RESOLVE)
    (followup,) = only(sim).followups
    assert followup.remind_at == next_start(working, START + 3 * DAY) < FOREVER
    assert iso(followup.remind_at) in followup.text
    before = len(told(sim))
    sim.pass_time(followup.remind_at)
    assert told(sim)[before:][-1] == ("anna", f"Still to do after INC-1: {followup.text}")


def test_what_was_merged_owes_nothing_any_more(sim: Simulation) -> None:
    sim.feed(firing("worse", key="a"))
    sim.feed(firing("api-broken", key="b"))
    do(sim, Verb.MERGE, "INC-2", to="INC-1")
    left = [timer for timer in sim.state.timers() if timer in {"phase:INC-2", "status:INC-2"}]
    assert left == []


def test_a_reminder_is_no_next_action_and_the_process_pages_nobody(sim: Simulation) -> None:
    """An incident that only reminders would ever move is a forgotten one."""
    sim.feed(firing("worse"))
    action = only(sim).next_action
    assert action is not None
    assert "status" not in action.what
    sim.pass_time(START + 14 * MINUTE)
    assert [contact for _, contact, _ in pages(sim)] == ["anna", "anna"]
    assert audit(sim.state, sim.now) == []


def test_deployments_and_a_policy_without_a_process_change_nothing() -> None:
    sim = simulate(ladder(*STEPS))
    sim.feed(deploy())
    sim.feed(firing("worse"))
    sim.pass_time(START + HOUR)
    assert only(sim).course is None
    assert not [key for key in sim.state.tables[Table.TIMER] if key.startswith(("phase:", "status:"))]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("from: incident commander", "from: comander", 'no role "comander"'),
        ("coordination: 60m", "coordination: 10m", "coordination ends before assessment does"),
        ("contact: press", "contact: presse", 'no contact "presse"'),
        ("during: working", "during: nights", 'no hours "nights"'),
        ("every: 15m", "every: 0s", "0s is no time at all"),
    ],
)
def test_a_fault_of_the_file_names_its_line_and_what_to_write(old: str, new: str, found: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(shipped.spoilt("process.yaml", old, new), shipped.vendors())
    (fault,) = raised.value.faults
    assert fault.file == "config/process.yaml"
    assert fault.line == shipped.line_of("process.yaml", old)
    assert found in fault.found
    assert fault.fix


def test_what_still_owes_its_post_mortem_is_looked_at_seldom(sim: Simulation) -> None:
    """Its reminder is in the past: the archive waits for it, and no timer comes due at once for ever."""
    sim.feed(firing("worse"))
    do(sim, Verb.RESOLVE)
    happened = sum(1 for _ in range(1000) if sim.step(START + 60 * DAY))
    assert 0 < happened < 200
    assert only(sim).followups


def test_the_room_is_told_first_and_of_all_that_follows_to_its_end() -> None:
    chat = chatting(policy(room=("contact", "room")))
    sim = simulate(chat, Chat())
    sim.feed(firing("site-down", at=START))
    sim.pass_time(START + MINUTE)
    do(sim, Verb.ACK)
    sim.pass_time(START + 10 * MINUTE)
    do(sim, Verb.STATUS, text="rolled back")
    sim.pass_time(START + 20 * MINUTE)
    sim.feed(resolved("site-down", at=sim.now))
    sim.pass_time(START + 2 * HOUR)
    said = in_chat(sim)
    assert [line for _, _, line in said] == [
        "Work on site-down goes on here",
        "anna has it: site-down",
        "Status of site-down: rolled back (anna)",
        "Resolved: site-down",
        "Closed: site-down (nothing came back within 1h). Its channels can be closed.",
    ]
    assert {thread for _, thread, _ in said[1:]} == {f"P-{said[0][0]}-1"}


def test_without_a_room_nothing_is_said_there() -> None:
    sim = simulate(chatting(policy()), Chat())
    sim.feed(firing("site-down", at=START))
    sim.pass_time(START + MINUTE)
    assert in_chat(sim) == []
