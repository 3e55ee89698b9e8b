"""The report on a while: numbers that can be counted by hand, of live and archived incidents."""

from pathlib import Path
from typing import Any

import pytest
from desk import Desk, outage
from past import OPENED, incident, month, page, repair, retired
from small_policy import POLICY

from ledger.archive import Archive, ArchivedIncident
from ledger.clock import now_ms
from ledger.views.reports import period_markdown, period_page
from ledger.views.reports.period import cases, measure
from ledger.views.store import Store
from routing.delivery import Progress
from routing.incident import Phase
from routing.instant import DAY, HOUR, MINUTE
from routing.run import RunPhase

UNTIL = OPENED + 30 * DAY
ZONES = {"anna": "Europe/Warsaw", "ben": "America/New_York"}


@pytest.fixture
def desk(redis_url: str, tmp_path: Path) -> Desk:
    return Desk(redis_url, tmp_path, POLICY)


def of(store: Store, since: int = OPENED, until: int = UNTIL) -> dict[str, Any]:
    return measure(list(cases(store, since, until)), since, until, UNTIL, ZONES, "Europe/Warsaw")


def report(desk: Desk, *incidents: ArchivedIncident) -> dict[str, Any]:
    Archive(desk.archive).put(incidents=incidents)
    return of(desk.store)


def answered(number: int, at: int, after: int, over: int, by: str = "anna") -> Any:
    return incident(
        number, at, acknowledged_at=at + after, acknowledged_by=by, resolved_at=at + over, resolved_by=by
    )


def test_how_fast_people_answer_and_mend(desk: Desk) -> None:
    found = report(
        desk,
        *(
            retired(answered(number, OPENED + number * HOUR, after * MINUTE, over * HOUR))
            for number, after, over in ((1, 1, 1), (2, 2, 2), (3, 12, 6))
        ),
    )
    assert found["acknowledged"] == {
        "count": 3, "mean_ms": 5 * MINUTE, "median_ms": 2 * MINUTE, "p90_ms": 12 * MINUTE,
    }  # fmt: skip
    assert found["resolved"]["mean_ms"] == 3 * HOUR
    (promise,) = found["promises"]
    assert promise["response"] == {"kept": 3, "missed": 0, "running": 0, "share": 1.0}
    assert promise["resolution"] == {"kept": 2, "missed": 1, "running": 0, "share": 0.667}


def test_pages_are_counted_by_person_and_by_their_own_hour(desk: Desk) -> None:
    """01:30 UTC is 02:30 in Warsaw and 20:30 in New York. Two methods of one step are one page, two messages."""
    at = OPENED + 90 * MINUTE
    found = report(
        desk,
        retired(
            answered(1, at, MINUTE, HOUR),
            [
                page("INC-1", 1, "anna", at),
                page("INC-1", 2, "anna", at, channel="voice", stage=1),
                page("INC-1", 3, "ben", at, stage=2),
                page("INC-1", 4, "ben", at, stage=3, progress=Progress.CANCELLED),
            ],
        ),
    )["pages"]
    assert (found["all"], found["messages"], found["at_night"]) == (2, 3, 1)
    assert [(each["contact"], each["pages"], each["at_night"]) for each in found["people"]] == [
        ("anna", 1, 1), ("ben", 1, 0),
    ]  # fmt: skip
    assert {hour: many for hour, many in enumerate(found["hours"]) if many} == {2: 1, 20: 1}


def test_noise_is_what_paged_and_ended_without_anybodys_doing(desk: Desk) -> None:
    def ended(number: int, by: str, *, paged: bool = True, flapped: bool = False) -> ArchivedIncident:
        one = incident(number, OPENED + number, resolved_at=OPENED + HOUR, resolved_by=by)
        return retired(one, [page(one.id, 1, "anna", OPENED + number)] if paged else [], flapped=flapped)

    found = report(
        desk,
        ended(1, "source"),
        ended(2, "source", flapped=True),
        ended(3, "source", paged=False),
        ended(4, "anna"),
        ended(5, "runbook rollback"),
    )["noise"]
    assert found == {
        "paged": 4, "without_action": 2, "pages_without_action": 2, "ended_by_itself": 3, "flapping": 1, "share": 0.5,
    }  # fmt: skip


def test_what_repaired_itself_is_what_a_runbook_ended_and_nobody_took(desk: Desk) -> None:
    def ended(number: int, by: str, phase: RunPhase, **changes: Any) -> ArchivedIncident:
        one = incident(number, OPENED + number, resolved_at=OPENED + HOUR, resolved_by=by, **changes)
        return retired(one, runs=[repair(one.id, OPENED, phase)])

    found = report(
        desk,
        ended(1, "runbook rollback", RunPhase.SUCCEEDED),
        ended(
            2, "runbook rollback", RunPhase.SUCCEEDED, acknowledged_at=OPENED + MINUTE, acknowledged_by="anna"
        ),
        ended(3, "anna", RunPhase.FAILED),
        ended(4, "anna", RunPhase.HANDED_OVER),
    )["automation"]
    assert (found["repaired"], found["over"], found["share"]) == (1, 4, 0.25)
    assert found["runs"] == {"failed": 1, "handed over": 1, "succeeded": 2}


def test_only_what_was_opened_in_that_while_counts_and_nothing_twice(desk: Desk) -> None:
    """INC-3 was merged into another, and INC-2 is in both: its sweep was killed between copy and delete."""
    Archive(desk.archive).put(
        incidents=[
            retired(incident(1, OPENED - 1, resolved_at=OPENED, resolved_by="anna")),
            retired(incident(2, OPENED, resolved_at=OPENED + 1, resolved_by="anna")),
            retired(incident(3, OPENED, resolved_at=OPENED + 1, resolved_by="merge", merged_into="INC-2")),
            retired(incident(4, UNTIL, resolved_at=UNTIL + 1, resolved_by="anna")),
        ]
    )
    assert of(desk.store)["incidents"]["all"] == 1
    assert of(desk.store, OPENED - DAY, UNTIL + DAY)["incidents"]["all"] == 3


def test_what_is_live_counts_as_well(desk: Desk) -> None:
    desk.receive(outage(), b"{}")
    now = now_ms()
    found = measure(
        list(cases(desk.store, now - HOUR, now + HOUR)), now - HOUR, now + HOUR, now, ZONES, "UTC"
    )
    assert (found["incidents"]["all"], found["incidents"]["open"]) == (1, 1)
    assert found["promises"][0]["response"]["running"] == 1
    assert found["pages"]["messages"] == 0  # no worker has taken them up
    assert found["automation"]["tried"] == 1


def test_a_quiet_while_is_told_without_numbers_that_mean_nothing(desk: Desk) -> None:
    found = of(desk.store)
    assert (found["incidents"]["all"], found["noise"]["share"], found["acknowledged"]["mean_ms"]) == (
        0,
        None,
        None,
    )
    assert "0 incidents, 0 still open; 0 pages." in period_markdown.text(found, "UTC")
    assert "<h1>01 Dec 2025 to 31 Dec 2025</h1>" in period_page.page(found, "UTC")


def test_many_are_read_a_piece_at_a_time_and_progress_is_told(desk: Desk) -> None:
    Archive(desk.archive).put(incidents=month(1_234))
    told: list[int] = []
    assert len(list(cases(desk.store, OPENED, UNTIL, told.append))) == 1_234
    assert told == [200] * 6 + [34]


def test_the_page_and_the_text_say_the_same(desk: Desk) -> None:
    Archive(desk.archive).put(incidents=month(60))
    found = of(desk.store)
    text, html = period_markdown.text(found, "UTC"), period_page.page(found, "UTC")
    assert found["incidents"]["all"] == 60
    assert found["incidents"]["open"] == sum(
        one.incident.phase is not Phase.RESOLVED for one in cases(desk.store, OPENED, UNTIL)
    )
    for number in (found["noise"]["without_action"], found["automation"]["repaired"]):
        assert f"{number} of " in text
        assert f"{number} of " in html
    assert html.count("<svg") >= 4
