"""Another policy against what happened: no difference where there is none, and every one that there is."""

from dataclasses import replace

from small_policy import POLICY, START, World, failed_card, firing, resolved

from routing.entry import Answer, AnyEntry, Command, Verb
from routing.instant import HOUR, MINUTE
from routing.policy import Policy
from routing.severity import Severity
from routing.simulation import Simulation
from routing.simulation.history import Recorded, course, differences


def recorded(*entries: tuple[int, AnyEntry]) -> list[Recorded]:
    """What a live system would have recorded of these entries, each after so many ms."""
    live, found = Simulation(POLICY, START, World()), []
    for after, entry in entries:
        live.pass_time(START + after)
        decision = live.feed(entry)
        incident = decision.verdict.incident if decision.verdict else ""
        found.append(Recorded(live.decisions[-1][0], entry, live.now, incident))
    return found


def night() -> list[Recorded]:
    return recorded(
        (0, firing()),
        (2 * MINUTE, Answer(at=START, channel="voice", text="4", delivery="INC-1-d1")),
        (20 * MINUTE, resolved(at=START + 20 * MINUTE)),
        (2 * HOUR, firing("worse", key="w", at=START + 2 * HOUR)),
        (2 * HOUR + MINUTE, Command(at=START, by="bob", incident="INC-2", verb=Verb.RESOLVE)),
        *((3 * HOUR + n, failed_card(n, START + 3 * HOUR + n)) for n in range(3)),
    )


def stricter() -> Policy:
    """One failed card is a major failure here."""
    rules = tuple(
        replace(rule, severity=Severity.SEV1, handling="alert") if rule.name == "failed cards" else rule
        for rule in POLICY.rules
    )
    return replace(POLICY, version="p2", rules=rules)


def test_the_same_policy_makes_no_difference() -> None:
    events = night()
    before, after = course(POLICY, events), course(replace(POLICY, version="p2"), events)
    assert before == after
    assert list(differences(events, before, after)) == []


def test_what_people_did_is_done_again() -> None:
    found = course(POLICY, night())
    assert found.incidents == {Severity.SEV0: 1, Severity.SEV1: 1}
    assert found.unanswered_minutes < 5
    assert found.open_minutes == 21
    assert "bob" not in found.pages


def test_a_stricter_rule_shows_as_incidents_pages_people_and_events() -> None:
    events = night()
    before, after = course(POLICY, events), course(stricter(), events)
    assert after.incidents[Severity.SEV1] == before.incidents[Severity.SEV1] + 1
    assert after.pages.total() > before.pages.total()
    found = list(differences(events, before, after))
    assert [each.event for each in found] == [each.id for each in events[5:]]
    assert (found[0].before.did, found[0].after.did) == ("counted", "opened")
    assert found[0].after.paged[0] == "anna"


def test_an_incident_the_other_policy_never_opens_is_not_acknowledged() -> None:
    quiet = replace(
        POLICY, version="p3", rules=tuple(replace(rule, handling="record") for rule in POLICY.rules)
    )
    assert course(quiet, night()).incidents == {}
