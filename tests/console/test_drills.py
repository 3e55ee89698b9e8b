"""`tocsin drills`: when the next one comes, and how soon the last ones were answered, apart from what is real."""

from pathlib import Path
from typing import Any

import pytest
import shipped
from desk import Ask, Desk, Run
from small_policy import POLICY

from ledger import policies
from ledger.clock import now_ms
from routing.decision import Table
from routing.entry import Command, PolicySet, TimerDue, Verb
from routing.load import load
from routing.timer import Timer

DRILLS = """drills:
  - {name: calls, every: week, day: tue, at: "11:00", timezone: Europe/Warsaw, escalation: on-call}
  - {name: mails, every: month, day: 15, at: "10:00", timezone: Europe/Warsaw, escalation: team-room, severity: SEV-3}
"""


@pytest.fixture
def desk(redis_url: str, tmp_path: Path) -> Desk:
    """The shipped configuration with two drills; the test decides when they come."""
    files = shipped.files()
    files["config/calendar.yaml"] += DRILLS
    desk = Desk(redis_url, tmp_path, POLICY)
    desk.policy = load(files, shipped.vendors())
    policies.publish(desk.client, desk.keys, files, shipped.vendors(), desk.policy, "test")
    desk.append(PolicySet(at=now_ms(), version=desk.policy.version))
    return desk


def hold(desk: Desk, name: str) -> str:
    """It comes now; returns its incident."""
    before = {incident.id for incident, _ in desk.store.incidents()}
    timer = desk.store.records(Table.TIMER, Timer)[f"drill:{name}"]
    desk.append(TimerDue(at=now_ms(), timer=timer.id, due_at=timer.at))
    (found,) = [each.id for each, _ in desk.store.incidents() if each.id not in before]
    return found


def act(desk: Desk, incident: str, verb: Verb, by: str = "anna") -> None:
    desk.append(Command(at=now_ms(), by=by, incident=incident, verb=verb))


def unanswered(desk: Desk, incident: str) -> None:
    """Every step of its policy passes."""
    for _ in range(8):
        timers = desk.store.records(Table.TIMER, Timer)
        if (timer := timers.get(f"escalate:{incident}")) is not None:
            desk.append(TimerDue(at=now_ms(), timer=timer.id, due_at=timer.at))


def test_what_comes_and_what_was_held_is_listed(desk: Desk, ask: Ask, run: Run) -> None:
    first = hold(desk, "calls")
    act(desk, first, Verb.ACK)
    second = hold(desk, "calls")
    found: dict[str, Any] = ask("drills", "list")
    assert [each["drill"] for each in found["next"]] != []
    assert {each["drill"]: each["escalation"] for each in found["next"]} == {
        "calls": "on-call", "mails": "team-room",
    }  # fmt: skip
    assert [(each["id"], each["outcome"], each["answered_by"]) for each in found["held"]] == [
        (second, "under way", ""), (first, "answered", "anna"),
    ]  # fmt: skip
    assert 0 <= found["held"][1]["answer_ms"] < 60_000
    assert "answered" in run("drills", "list").stdout


def test_the_report_counts_answers_and_ends_with_1_while_the_last_is_a_finding(desk: Desk, ask: Ask) -> None:
    assert ask("drills", "report") == []
    act(desk, hold(desk, "calls"), Verb.ACK)
    act(desk, hold(desk, "calls"), Verb.RESOLVE)  # whoever ends it by hand has answered it
    (row,) = ask("drills", "report")
    assert (row["held"], row["answered"], row["last"]) == (2, 2, "answered")
    missed = hold(desk, "mails")
    unanswered(desk, missed)
    rows = {row["drill"]: row for row in ask("drills", "report", code=1)}
    assert (rows["mails"]["answered"], rows["mails"]["findings"]) == (0, [missed])
    assert rows["mails"]["last"] == "FINDING: nobody answered"
    act(desk, hold(desk, "mails"), Verb.ACK)
    assert ask("drills", "report")[1]["last"] == "answered"


def test_a_drill_counts_in_no_statistics(desk: Desk, ask: Ask) -> None:
    act(desk, hold(desk, "calls"), Verb.ACK)
    told = ask("report", "--period", "week")
    assert told["incidents"]["all"] == 0
    assert told["acknowledged"]["count"] == 0
