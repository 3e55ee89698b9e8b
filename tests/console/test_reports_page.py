"""The console's reports: a while as charts, and one incident's report, added to and taken along."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import seeing
from desk import Desk
from notices import HOSTILE
from past import OPENED, month
from seeing import Seen, console
from small_policy import POLICY
from working import until

from console.context import Context
from console.measured import Look, Reading, Reports
from console.periods import read
from console.trust.acts import Role
from ledger import log
from ledger.archive import Archive
from ledger.clock import now_ms
from ledger.keys import Keys
from ledger.views.store import Store
from routing.calendar.wall import local
from routing.entry import Lane, Opened
from routing.instant import MINUTE


@pytest.fixture
def seen(desk: Desk, redis_url: str, tmp_path: Path) -> Iterator[Seen]:
    with console(seeing.site(redis_url, tmp_path)) as found:
        yield found


def _opened(desk: Desk, title: str) -> str:
    entry = Opened(at=now_ms(), by="ben", title=title, severity=1, service="site", team="platform")
    log.append(desk.client, desk.keys, Lane.CONTROL, entry)
    return until(lambda: next((one.id for one in desk.store.open_incidents()), ""), 10, "an incident")


def test_a_month_of_many_incidents_is_drawn_and_read_once_a_minute(redis_url: str, tmp_path: Path) -> None:
    still = Desk(redis_url, tmp_path, POLICY)
    still.publish()
    Archive(still.archive).put(incidents=month(300))
    day = f"{local(OPENED, 'UTC'):%Y-%m}"
    with console(seeing.site(redis_url, tmp_path)) as found:
        vera = found.signed_in("vera", Role.VIEWER)

        def there() -> str:
            found = vera.get(f"/reports?period={day}&zone=UTC").text
            return "" if "It is being read" in found else found

        page = until(there, 20, "the report to be read")
        for told in (
            "MTTA",
            "Pages by the hour",
            "Hatched: night",
            "at night",
            "service-1",
            "responded",
            "flapped",
        ):
            assert told in page or told.capitalize() in page, told
        assert page.count('class="hatched"') > 0
        Archive(still.archive).put(incidents=month(301))
        assert ">300<" in vera.get(f"/reports?period={day}&zone=UTC").text
        text = vera.get(f"/reports/files/{day}.md?zone=UTC")
        assert text.headers["content-disposition"] == 'attachment; filename="report.md"'
        assert "## Promises" in text.text


def test_a_report_is_read_anew_after_a_minute(redis_url: str, tmp_path: Path) -> None:
    still = Desk(redis_url, tmp_path, POLICY)
    still.publish()
    context, reports = seeing.site(redis_url, tmp_path).context, Reports()
    now, name = OPENED + 31 * 24 * 60 * MINUTE, "2025-12-01..2026-01-01"
    counts = []
    for later, many in ((0, 10), (MINUTE - 1, 11), (MINUTE, 12)):
        Archive(still.archive).put(incidents=month(many))
        found = reports.get(context, name, read(name), "UTC", now + later)
        counts.append(found.facts["incidents"]["all"])
    assert counts == [10, 10, 12]


class Slow(Context):
    """It is read once it may be."""

    may = threading.Event()
    fails = False

    @property
    def store(self) -> Store:  # each time anew
        assert self.may.wait(20)
        if Slow.fails:
            raise OSError("the archive cannot be read")
        return Store(self.client, self.keys, self.archive)


def test_nobody_waits_for_a_report_that_takes_its_time(redis_url: str, tmp_path: Path) -> None:
    still = Desk(redis_url, tmp_path, POLICY)
    still.publish()
    Archive(still.archive).put(incidents=month(30))
    context, reports = Slow(still.settings, still.client, Keys()), Reports()
    now, name = OPENED + 31 * 24 * 60 * MINUTE, "2025-12-01..2026-01-01"

    def look(later: int = 0) -> Look:
        return reports.look(context, name, read(name), "UTC", now + later)

    def reading(of: Look) -> Reading:
        assert of.reading is not None
        return of.reading

    first, second = look(), look()
    assert first.found is None
    assert reading(second) is reading(first), "it is read once for all who wait"
    Slow.may.set()
    assert reading(first).over.wait(20)
    assert reading(first).read == 30
    there = look()
    assert there.reading is None
    assert there.found is not None
    assert there.found.facts["incidents"]["all"] == 30
    Slow.may.clear()
    stale = look(MINUTE)
    assert stale.found is there.found, "meanwhile they see what was read last"
    Slow.fails = True
    Slow.may.set()
    assert reading(stale).over.wait(20)
    with pytest.raises(OSError, match="archive"):
        until(lambda: look(MINUTE).reading is None, 20, "a failure that is told")
    Slow.fails = False
    assert reports.get(context, name, read(name), "UTC", now + MINUTE).at == now + MINUTE


@pytest.mark.parametrize(
    "name", ["yesterday", "2026-13", "2026-11-30..2026-11-01", "9999-12", "../etc/passwd"]
)
def test_a_while_that_is_none_is_said_to_be_none(desk: Desk, seen: Seen, name: str) -> None:
    answer = seen.signed_in("vera", Role.VIEWER).get("/reports", params={"period": name})
    assert answer.status_code == 404
    assert "no while" in answer.text


def test_an_empty_while_says_so(desk: Desk, seen: Seen) -> None:
    assert "No incident was opened in this while" in seen.signed_in("vera", Role.VIEWER).get("/reports").text


def test_what_no_record_tells_is_added_and_stays_harmless(desk: Desk, seen: Seen) -> None:
    incident_id = _opened(desk, HOSTILE)
    other = seen.signed_in("otto", Role.RESPONDER, "another")
    assert other.post(f"/reports/{incident_id}/review", data={"impact": "x"}).status_code == 403
    anna = seen.signed_in("anna")
    sent = anna.post(
        f"/reports/{incident_id}/review", data={"impact": "41 <b>left</b>", "root_cause": HOSTILE}
    )
    assert sent.status_code == 303
    page = anna.get(f"/reports/{incident_id}").text
    assert "41 &lt;b&gt;left" in page
    assert "<script>alert" not in page
    for form, kind in (("md", "text/markdown"), ("html", "text/html"), ("json", "application/json")):
        file = anna.get(f"/reports/files/{incident_id}.{form}")
        assert file.headers["content-type"].startswith(kind)
        assert file.headers["content-disposition"].startswith("attachment")
        assert "<script>alert" not in file.text or form == "json"
    assert anna.get(f"/reports/files/{incident_id}.exe").status_code == 404
    assert anna.get("/reports/INC-999").status_code == 404
