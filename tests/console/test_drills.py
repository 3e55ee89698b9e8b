"""`tocsin drills`: when the next one comes, and how soon the last ones were answered, apart from what is real."""

from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import seeing
import shipped
from click.testing import CliRunner
from desk import Ask, Desk, Run
from seeing import Seen, console
from small_policy import POLICY
from working import until

from console import drills
from console.api.declared import PREFIX
from console.main import tocsin
from console.measured import Reports
from console.trust.acts import Role, Scope
from ledger import policies
from ledger.clock import now_ms
from routing.decision import Table
from routing.entry import Command, Opened, PolicySet, TimerDue, Verb
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


@pytest.fixture
def seen(desk: Desk, redis_url: str, tmp_path: Path) -> Iterator[Seen]:
    with console(seeing.site(redis_url, tmp_path)) as found:
        yield found


def shown(seen: Seen, path: str = "/oncall/drills") -> str:
    """Once everything is read."""
    vera = seen.signed_in("vera", Role.VIEWER)
    until(lambda: "Look again" not in vera.get(path).text, 10, "the drills to be read")
    return unescape(vera.get(path).text)


def test_the_page_has_what_comes_what_was_held_and_how_all_went(desk: Desk, seen: Seen) -> None:
    page = shown(seen)
    assert "None was held yet." in page
    assert "No drill is over yet." in page
    assert "calls" in page
    answered = hold(desk, "calls")
    act(desk, answered, Verb.ACK)
    act(desk, answered, Verb.RESOLVE)
    missed = hold(desk, "mails")
    unanswered(desk, missed)
    seen.site.reports = Reports()  # as if a minute had passed
    page = shown(seen)
    for incident in (answered, missed):
        assert f'href="/incidents/{incident}"' in page
    assert page.count("FINDING: nobody answered") == 2, "of the last one, and of all together"
    assert answered in shown(seen, f"/oncall/drills?after={missed}")
    assert missed not in shown(seen, f"/oncall/drills?after={missed}")


def test_over_the_api_drills_are_paged_and_over_a_console_told_in_the_same_words(
    desk: Desk, seen: Seen, run: Run
) -> None:
    held = []
    for _ in range(3):
        held.append(hold(desk, "calls"))
        act(desk, held[-1], Verb.ACK)
        act(desk, held[-1], Verb.RESOLVE)
    unanswered(desk, hold(desk, "mails"))
    token = seen.token("eyes", Role.VIEWER, Scope.READ)
    found: list[str] = []
    after = ""
    while True:
        page = seen.client.get(
            f"{seen.url}{PREFIX}/drills", params={"limit": 2, "after": after}, headers={"authorization": f"Bearer {token}"}
        ).json()  # fmt: skip
        found += [each["id"] for each in page["held"]]
        after = page["after"]
        if not after:
            break
    assert found[1:] == held[::-1]
    environ = {
        "TOCSIN_CONSOLE_URL": seen.url,
        "TOCSIN_CONSOLE_TOKEN": token,
        "TOCSIN_REDIS_URL": "unix:///nowhere.sock",
    }
    for command, code in (
        (("drills", "list"), 0), (("drills", "list", "--limit", "2", "--json"), 0), (("drills", "report"), 1),
        (("drills", "report", "--json"), 1),
    ):  # fmt: skip
        over = CliRunner().invoke(tocsin, list(command), env=environ)
        assert (over.exit_code, over.stdout) == (code, run(*command, code=code).stdout), over.output


def test_a_page_reads_so_many_incidents_and_says_where_to_go_on(desk: Desk, seen: Seen) -> None:
    first = hold(desk, "calls")
    for number in range(3):
        desk.append(Opened(at=now_ms(), by="ben", title=f"no drill {number}", severity=3))
    none, after = drills.page(seen.site.context, 5, most=2)
    assert (none, bool(after)) == ([], True)
    (one,), after = drills.page(seen.site.context, 5, after, most=2)
    assert (one.incident.id, after) == (first, "")
