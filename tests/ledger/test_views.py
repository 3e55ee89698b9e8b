"""The read side tells the same of what is live and of what was archived."""

from pathlib import Path

import pytest
from desk import Desk, outage
from small_policy import POLICY

from ledger.archive import Archive, ArchivedIncident
from ledger.clock import now_ms
from ledger.views import Wanted, detail, page, status
from ledger.views.entries import order
from ledger.views.incidents import number_of
from routing.decision import Table
from routing.entry import Opened
from routing.incident import Incident, Phase
from routing.record import encode
from routing.severity import Severity


@pytest.fixture
def desk(redis_url: str, tmp_path: Path) -> Desk:
    return Desk(redis_url, tmp_path, POLICY)


def archived(number: int) -> ArchivedIncident:
    incident = Incident(
        id=f"INC-{number}", number=number, title=f"Old {number}", severity=Severity.SEV2, phase=Phase.RESOLVED,
        group="", opened_at=number, changed_at=number,
    )  # fmt: skip
    return ArchivedIncident(incident.id, number, encode(incident), {}, ())


def test_a_page_goes_from_the_live_into_the_archived_without_gap_or_repeat(desk: Desk) -> None:
    """INC-2 is in both: its sweep was killed between copy and delete."""
    for number in range(4):
        desk.append(Opened(at=now_ms(), by="anna", title=f"New {number}", severity=1))
    moved = ["INC-1", "INC-2", "INC-3"]
    Archive(desk.archive).put(incidents=[archived(number) for number in (1, 2, 3)])
    desk.client.hdel(desk.keys.state(Table.INCIDENT), *(each for each in moved if each != "INC-2"))
    seen: list[tuple[str, bool]] = []
    after = ""
    while True:
        found = page(desk.store, Wanted(), 1, after)
        seen += [(row["id"], row["archived"]) for row in found.rows]
        after = found.after
        if not after:
            break
    assert seen == [("INC-4", False), ("INC-3", True), ("INC-2", False), ("INC-1", True)]


def test_many_archived_incidents_are_read_a_page_at_a_time(desk: Desk) -> None:
    Archive(desk.archive).put(incidents=[archived(number) for number in range(1, 451)])
    found = page(desk.store, Wanted(text="OLD 1"), 1000)
    assert len(found.rows) == 111
    assert found.rows[0]["id"] == "INC-199"


def test_an_open_incident_has_a_next_action_with_a_time(desk: Desk) -> None:
    desk.receive(outage(), b"{}")
    whole = desk.store.whole("INC-1")
    assert whole
    shown = detail(whole)
    assert shown["next_action"]["at"] > shown["opened_at"]
    assert [alert["status"] for alert in shown["alerts"]] == ["firing"]
    assert {delivery["kind"] for delivery in shown["deliveries"]} == {"page"}
    assert shown["runs"][0]["steps"][0]["id"] == "health"
    assert shown["acknowledged_at"] is None


def test_an_incident_nobody_heard_of_is_none(desk: Desk) -> None:
    assert desk.store.whole("INC-1") is None
    assert desk.store.incident("INC-1") is None


@pytest.mark.parametrize("text", ["", "12", "INC-", "INC-x", "inc-1", "INC--1"])
def test_what_is_no_incident_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ids look like INC-12"):
        number_of(text)


def test_positions_are_ordered_by_number_not_by_letter() -> None:
    assert order("u999-10") > order("u999-9")
    assert order("b1000-0") > order("b999-99")


def test_a_timer_that_is_overdue_makes_the_status_bad(desk: Desk) -> None:
    desk.append(Opened(at=now_ms(), by="anna", title="x", severity=1))
    assert status(desk.store, now_ms())["ok"]
    late = status(desk.store, now_ms() + 3_600_000)
    assert not late["ok"]
    assert late["timer_overdue_ms"] > 0
    assert (late["incidents_open"], late["incidents_unacknowledged"]) == (1, 1)
