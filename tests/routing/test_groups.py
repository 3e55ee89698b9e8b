"""Groups: when the first page of an incident leaves, and who hears again of what joined, ended or stays open."""

from dataclasses import replace

import pytest
from noise_story import lines, off, on, paged, policy, simulation, told, updates
from small_policy import POLICY, START

from routing.delivery import Purpose
from routing.effect import Deliver
from routing.entry import Command, Opened, SilenceSet, Verb
from routing.incident import Phase
from routing.instant import HOUR, MINUTE, SECOND
from routing.policy import Method
from routing.severity import Severity
from routing.simulation import Simulation

# ── groups ───────────────────────────────────────────────────────────────────────────────────────────────

GATHERING = {"group_by": (), "group_wait_ms": 30 * SECOND, "group_interval_ms": 5 * MINUTE, "repeat_ms": HOUR}


def test_the_first_page_waits_for_the_group_and_tells_of_all_of_it() -> None:
    sim = simulation(policy(route=GATHERING))
    sim.feed(on("minor-a"))
    sim.pass_time(START + 10 * SECOND)
    sim.feed(on("minor-b", sim.now))
    assert paged(sim) == []
    sim.pass_time(START + 30 * SECOND)
    assert [at for at, _, _ in told(sim)] == [30]
    sim.pass_time(START + 4 * MINUTE)
    assert updates(sim) == [], "what the page told is no news"


@pytest.mark.parametrize("kind", ["outage", "major"])
def test_what_is_urgent_does_not_wait_for_its_group(kind: str) -> None:
    sim = simulation(policy(route=GATHERING))
    sim.feed(on(kind))
    assert len(paged(sim)) == 1


def test_what_becomes_urgent_while_it_waits_is_paged_at_once() -> None:
    sim = simulation(policy(route=GATHERING))
    sim.feed(on("minor-a"))
    sim.feed(on("major-b"))
    assert len(paged(sim)) == 1


def test_a_severity_may_be_made_to_wait_but_the_worst_never() -> None:
    sim = simulation(policy(route={**GATHERING, "at_once": Severity.SEV0}))
    sim.feed(on("major"))
    assert paged(sim) == []


def test_what_ends_within_its_groups_wait_is_told_to_nobody() -> None:
    sim = simulation(policy(route=GATHERING))
    sim.feed(on("minor"))
    sim.feed(off("minor"))
    sim.pass_time(START + HOUR)
    assert (paged(sim), updates(sim)) == ([], [])
    assert sim.incidents()[0].phase is Phase.RESOLVED


def test_what_joins_is_told_quietly_at_the_groups_interval_and_once() -> None:
    sim = simulation(policy(route=GATHERING))
    sim.feed(on("major-a"))
    sim.feed(Command(at=START, incident="INC-1", verb=Verb.ACK, by="anna"))
    told_of_ack = len(updates(sim))
    sim.pass_time(START + MINUTE)
    sim.feed(on("major-b", sim.now))
    sim.feed(on("major-b", sim.now))
    sim.pass_time(START + 20 * MINUTE)
    news = [(at, title) for at, _, title in told(sim, Purpose.UPDATE)][told_of_ack:]
    assert news == [(300, "[INC-1] joined: major-b; 2 of 2 alerts firing")]
    assert len(paged(sim)) == 1


def test_once_somebody_has_it_what_joins_is_told_to_them_and_to_rooms_and_wakes_nobody_else() -> None:
    room = replace(
        POLICY.contacts["bob"], name="room", title="Room", methods=(Method("mail", "room@example.com"),)
    )
    room = replace(room, quiet=room.methods)
    known = policy(route=GATHERING)
    sim = simulation(replace(known, contacts={**known.contacts, "room": room}))
    sim.feed(on("major-a"))
    for who in ("contact:bob", "contact:room", "contact:anna"):
        sim.feed(Command(at=sim.now, incident="INC-1", verb=Verb.REASSIGN, by="anna", to=who))
    sim.pass_time(START + MINUTE)
    paged_before = sim.incidents()[0].paged
    sim.feed(Command(at=sim.now, incident="INC-1", verb=Verb.ACK, by="bob"))
    sim.feed(on("major-b", sim.now))
    sim.pass_time(START + 20 * MINUTE)
    heard = {who for _, who, title in told(sim, Purpose.UPDATE) if "joined: major-b" in title}
    assert (set(paged_before), heard) == ({"anna", "bob", "room"}, {"bob", "room"})
    assert "told bob, room: joined: major-b; 2 of 2 alerts firing" in lines(sim)


TRUTH = [
    # What was told before and is so now; how it came to that; who hears what of the last step.
    ("never told, fires", "+a", ["anna is paged", "bob is paged"]),
    ("never told, ended before the wait", "+a,-a", []),
    ("never told, silenced", "silence +a", []),
    ("never told, silenced, all ended", "silence +a | -a", []),
    ("fires on", "+a ack | +a", []),
    ("fires on, reported after a tick", "+a ack | | | +a", []),
    ("another fires", "+a ack +b", ["anna: joined: minor-b; 2 of 2 alerts firing"]),
    ("another fires after ticks", "+a ack | | +b", ["anna: joined: minor-b; 2 of 2 alerts firing"]),
    ("the page told of both", "+a,+b ack |", []),
    ("one of two ended", "+a,+b ack -b", ["anna: ended: minor-b; 1 of 2 alerts firing"]),
    (
        "one joined, another ended",
        "+a,+b ack -b,+c",
        ["anna: joined: minor-c; ended: minor-b; 2 of 3 alerts firing"],
    ),
    ("joined and ended within one tick", "+a ack +b,-b", ["anna: ended: minor-b; 1 of 2 alerts firing"]),
    (
        "joined, ended, joined within one tick",
        "+a ack +b,-b,+b",
        ["anna: joined: minor-b; 2 of 2 alerts firing"],
    ),
    ("told as firing, ended", "+a ack +b | -b", ["anna: ended: minor-b; 1 of 2 alerts firing"]),
    ("told as firing, ended and back within one tick", "+a ack +b | -b,+b", []),
    ("told as ended, fires", "+a ack +b,-b | +b", ["anna: joined: minor-b; 2 of 2 alerts firing"]),
    ("told as ended, back and ended within one tick", "+a ack +b,-b | +b,-b", []),
    ("all ended", "+a ack -a", ["anna: Resolved: minor-a (all its alerts are resolved)"]),
    (
        "all ended, the last of two",
        "+a,+b ack -a | -b",
        ["anna: Resolved: minor-a (all its alerts are resolved)"],
    ),
    (
        "all ended within one tick",
        "+a,+b ack -a,-b",
        ["anna: Resolved: minor-a (all its alerts are resolved)"],
    ),
    ("all ended, nobody has answered", "+a -a", ["anna: Resolved: minor-a (all its alerts are resolved)"]),
    ("all ended, ended again", "+a ack -a | -a", []),
    (
        "all ended while silenced",
        "+a ack silence -a",
        ["anna: Resolved: minor-a (all its alerts are resolved)"],
    ),
    ("all ended, back", "+a ack -a | +a", ["anna is paged", "bob is paged"]),
    ("another fires, silenced", "+a ack silence-b +b", []),
    (
        "another fires, silenced until now",
        "+a ack silence-b +b | heard |",
        ["anna: joined: minor-b; 2 of 2 alerts firing"],
    ),
    ("another fires and ends, silenced", "+a ack silence-b +b | | -b", []),
    (
        "told as firing, silenced, ended",
        "+a ack +b | silence-b -b",
        ["anna: ended: minor-b; 1 of 2 alerts firing"],
    ),
    ("repeat interval not yet over", "+a ack almost", []),
    ("repeat interval elapsed", "+a ack repeat", ["room: Still acknowledged after 1h: minor-a"]),
    ("repeat interval elapsed twice", "+a ack repeat repeat", ["room: Still acknowledged after 2h: minor-a"]),
    ("repeat interval elapsed while silenced", "+a ack silence repeat", []),
    (
        "all ended, after the repeat",
        "+a ack repeat -a",
        [
            "anna: Resolved: minor-a (all its alerts are resolved)",
            "room: Resolved: minor-a (all its alerts are resolved)",
        ],
    ),
    (
        "repeat interval elapsed, silenced before the ack",
        "+a silence ack heard repeat",
        ["room: Still acknowledged after 1h: minor-a"],
    ),
    ("repeat interval elapsed after all ended", "+a ack -a repeat", []),
]
"""Alertmanager's table of when to notify. Its last column is split: what is unanswered is repeated by the escalation,
so its repeat interval is for those who are informed."""


@pytest.mark.parametrize(("happens", "heard"), [row[1:] for row in TRUTH], ids=[row[0] for row in TRUTH])
def test_who_is_told_is_decided_as_alertmanagers_notification_log_does(
    happens: str, heard: list[str]
) -> None:
    sim = simulation(policy(route=GATHERING, noise={"flapping": None}))
    before = 0
    for step in happens.split():
        before = len(sim.effects)
        carry_out(sim, step)
    if step[0] in "+-":
        sim.pass_time(sim.now + 5 * MINUTE)
    assert messages(sim, before) == heard


def carry_out(sim: Simulation, step: str) -> None:
    """A bar is a tick of the group's interval; alerts that change together do so within one."""
    match step:
        case "|":
            sim.pass_time(sim.now + 5 * MINUTE)
        case "almost":
            sim.pass_time(START + HOUR)
        case "repeat":
            sim.pass_time(sim.incidents()[0].opened_at + ((sim.now - START) // HOUR + 1) * HOUR)
        case "ack":
            sim.feed(Command(at=sim.now, incident="INC-1", verb=Verb.ACK, by="anna"))
        case "silence" | "silence-b" | "heard":
            muted = 'kind="minor-b"' if step == "silence-b" else 'kind=~"minor.*"'
            until = sim.now if step == "heard" else START + 9 * HOUR
            sim.feed(SilenceSet(at=sim.now, id="s-1", matchers=[muted], until_at=until, by="bob"))
        case _:
            for change in step.split(","):
                sim.pass_time(sim.now + SECOND)
                sim.feed((on if change[0] == "+" else off)(f"minor-{change[1]}", sim.now))
            sim.pass_time(sim.now + 31 * SECOND)


def messages(sim: Simulation, before: int) -> list[str]:
    """Who was told what since there were so many effects, once for all their methods."""
    found = [
        f"{each.contact} is paged"
        if each.purpose is Purpose.PAGE
        else f"{each.contact}: {each.message.title.partition('] ')[2]}"
        for _, each in sim.effects[before:]
        if isinstance(each, Deliver)
    ]
    return list(dict.fromkeys(found))


def test_those_who_are_informed_hear_again_that_it_is_still_open() -> None:
    sim = simulation(policy(route={**GATHERING, "repeat_ms": 40 * MINUTE}))
    sim.feed(on("major"))
    sim.feed(Command(at=START, incident="INC-1", verb=Verb.ACK, by="anna"))
    sim.pass_time(START + 2 * HOUR - MINUTE)
    room = [(at, title) for at, who, title in told(sim, Purpose.UPDATE) if who == "room"]
    assert room == [
        (2400, "[INC-1] Still acknowledged after 40m: major"),
        (4800, "[INC-1] Still triggered after 1h20m: major"),
    ]
    sim.feed(Command(at=sim.now, incident="INC-1", verb=Verb.RESOLVE, by="anna"))
    before = len(updates(sim))
    sim.pass_time(START + 5 * HOUR)
    assert len(updates(sim)) == before


def test_what_a_person_opened_waits_for_no_group() -> None:
    sim = simulation(policy(route=GATHERING))
    sim.feed(Opened(at=sim.now, by="anna", title="Slow", severity=int(Severity.SEV2)))
    assert len(paged(sim)) == 1


def test_what_a_person_opened_does_not_end_with_an_alert_that_joined_it() -> None:
    sim = simulation(policy(route={"group_by": ("team",)}))
    sim.feed(Opened(at=sim.now, by="anna", title="Customers call in", severity=int(Severity.SEV1)))
    sim.feed(on("major", sim.now))
    sim.pass_time(sim.now + MINUTE)
    sim.feed(off("major", sim.now))
    (incident,) = sim.incidents()
    assert (incident.phase, incident.firing, incident.opened_by) == (Phase.TRIGGERED, 0, "anna")
    assert incident.next_action is not None
    assert "until a person resolves it, for anna opened it" in updates(sim)[-1]
    sim.feed(Command(at=sim.now, incident=incident.id, verb=Verb.RESOLVE, by="anna"))
    assert sim.incidents()[0].phase is Phase.RESOLVED
