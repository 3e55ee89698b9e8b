"""By forms and over the API: other shifts for a time, and those of a calendar, looked at before they are laid."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx2
import pytest
import seeing
from click.testing import CliRunner
from desk import Desk
from followed import follow
from ics import calendar
from seeing import Seen, console
from small_policy import POLICY

from console.api.declared import PREFIX
from console.main import tocsin
from console.overrides import laid
from console.trust.acts import Role, Scope
from routing.entry import OverrideKind
from routing.instant import HOUR, parse_iso

DUTY = "UID:d-1\nDTSTART:20300112T080000Z\nDURATION:PT8H\nRRULE:FREQ=DAILY;COUNT=3\nSUMMARY:Anna K. <b>"
LUNCH = "UID:l-1\nDTSTART:20300112T110000Z\nDURATION:PT1H\nSUMMARY:Lunch"
FROM = {"schedule": "primary", "from": "2030-01-01T00:00", "for": "60d"}


@pytest.fixture
def seen(desk: Desk, redis_url: str, tmp_path: Path) -> Iterator[Seen]:
    with console(seeing.site(redis_url, tmp_path)) as found:
        yield found


def looked(anna: httpx2.Client, text: str | bytes, **sent: str) -> httpx2.Response:
    raw = text if isinstance(text, bytes) else text.encode()
    return anna.post("/oncall/import", data={**FROM, **sent}, files={"calendar": ("shifts.ics", raw)})


def brought_along(page: str, after: str) -> dict[str, list[str]]:
    """The hidden fields of the form whose beginning is `after`."""
    form = page[page.index(after) :].partition("</form>")[0]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form):
        found.setdefault(name, []).append(unescape(value))
    return found


def test_shifts_are_laid_for_a_time_and_lines_without_a_name_are_left_out(seen: Seen) -> None:
    anna = seen.signed_in("anna")
    form = {
        "schedule": "primary", "zone": "America/New_York", "contact": ["cto", "", "ben"],
        "from": ["2027-01-05T18:00", "", "2027-01-05T20:00"], "until": ["2027-01-05T20:00", "", "2027-01-05T23:00"],
    }  # fmt: skip
    where = anna.post("/oncall/temporary", data=form).headers["location"]
    (one,) = laid(seen.site.context)
    assert (one.kind, one.by) == (OverrideKind.TEMPORARY, "anna")
    assert [(each.contact, each.until_at - each.from_at) for each in one.shifts] == [
        ("cto", 2 * HOUR), ("ben", 3 * HOUR),
    ]  # fmt: skip
    assert one.from_at == parse_iso("2027-01-05T23:00:00Z")
    assert f"{one.id}: cto, ben in primary, set by anna" in anna.get(where).text


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"contact": ["", ""]}, "no shift is given"),
        ({"contact": ["cto"], "from": ["2027-01-05T18:00"], "until": [""]}, "until: each shift needs one"),
        ({"contact": ["zoe"], "from": ["2027-01-05T18:00"], "until": ["2027-01-05T19:00"]}, "no contact"),
        ({"contact": ["cto"], "from": ["2027-01-05T18:00"], "until": ["soon"]}, "is no time"),
    ],
)
def test_shifts_that_make_no_sense_are_said_and_not_laid(
    seen: Seen, sent: dict[str, list[str]], said: str
) -> None:
    answer = seen.signed_in("anna").post(
        "/oncall/temporary", data={"schedule": "primary", "from": ["", ""], "until": ["", ""], **sent}
    )
    assert (answer.status_code, said in unescape(answer.text)) == (422, True), answer.text
    assert laid(seen.site.context) == []


def test_a_calendar_is_looked_at_its_titles_are_told_and_then_it_is_laid(seen: Seen) -> None:
    anna = seen.signed_in("anna")
    page = looked(anna, calendar(DUTY, LUNCH)).text
    assert "Whose are these?" in page
    assert "Anna K. &lt;b&gt;" in page
    assert "Lay them" not in page
    assert laid(seen.site.context) == []
    form = brought_along(page, 'action="/oncall/import#found" enctype="multipart/form-data" class="stack">')
    assert form["title"] == ["Anna K. <b>", "Lunch"]
    page = anna.post("/oncall/import", data={**form, "whose": ["ben", "-"]}).text
    assert "3 shifts over <b>primary</b>" in page
    assert "is skipped" in page
    assert "2030-01-12 09:00 CET" in page
    assert laid(seen.site.context) == [], "it was only looked at"
    where = anna.post("/oncall/import/lay", data=brought_along(page, "/oncall/import/lay")).headers[
        "location"
    ]
    (one,) = laid(seen.site.context)
    assert (one.id, one.by, [each.contact for each in one.shifts]) == ("ical-primary", "anna", ["ben"] * 3)
    assert one.client.startswith("session "), "the audit says from where"
    assert "ical-primary: ben in primary, set by anna" in anna.get(where).text
    again = looked(anna, calendar(DUTY), title="Anna K. <b>", whose="ben").text
    assert "they are laid as they are" in again
    assert "Lay them" not in again


@pytest.mark.parametrize(
    ("text", "sent", "said"),
    [
        ("<html>", {}, "shifts.ics: line 1: '<html>' where BEGIN:VCALENDAR is expected"),
        (b"\xff", {}, "it is not UTF-8"),
        (calendar(LUNCH), {"schedule": "nothing"}, "no schedule 'nothing'"),
        (calendar(LUNCH), {"for": "soon"}, "'soon' is not a duration"),
        (calendar(LUNCH), {"for": "9y"}, "is not a duration"),
        (calendar(LUNCH), {"for": "9999d"}, "two years at most"),
        (calendar(LUNCH), {"from": "soon"}, "is no time"),
        (calendar(LUNCH), {"from": "2031-01-01T00:00"}, "has no shift between"),
        ("", {}, "no calendar was chosen"),
        ("x" * 600_001, {}, "has more than 600,000 characters"),
    ],
)  # fmt: skip
def test_what_cannot_be_laid_is_said_on_the_page(
    seen: Seen, text: str | bytes, sent: dict[str, str], said: str
) -> None:
    answer = looked(seen.signed_in("anna"), text, **sent)
    assert answer.status_code == 200
    assert said in unescape(answer.text)


def test_what_nobody_told_is_not_laid_whoever_sends_the_form(seen: Seen) -> None:
    anna = seen.signed_in("anna")
    answer = anna.post("/oncall/import/lay", data={**FROM, "text": calendar(DUTY)})
    assert answer.status_code == 422
    assert "nothing was changed: whose is 'Anna K. <b>'?" in unescape(answer.text)
    assert laid(seen.site.context) == []


def test_who_only_looks_is_offered_no_form_to_lay_by(seen: Seen) -> None:
    vera = seen.signed_in("vera", Role.VIEWER)
    assert "/oncall/import" not in vera.get("/oncall").text
    for path in ("/oncall/temporary", "/oncall/import", "/oncall/import/lay"):
        assert vera.post(path, data=FROM).status_code == 403, path
    assert "/oncall/import" in seen.signed_in("anna").get("/oncall").text


def test_over_the_api_a_calendar_is_laid_once_and_a_repeat_is_told_as_the_first(seen: Seen) -> None:
    headers = {
        "authorization": f"Bearer {seen.token('duty', Role.RESPONDER, Scope.READ, Scope.ONCALL)}",
        "idempotency-key": "k1",
    }
    sent = {
        "schedule": "primary", "calendar": calendar(DUTY), "from": "2030-01-01T00:00:00Z", "names": {"anna k. <B>": "ben"},
    }  # fmt: skip
    place = f"{seen.url}{PREFIX}/oncall/import"
    first, again = (seen.client.post(place, json=sent, headers=headers) for _ in range(2))
    assert (first.status_code, first.json()["changed"], len(first.json()["shifts"])) == (200, True, 3)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    (one,) = laid(seen.site.context)
    assert (one.by, one.client.startswith("token ")) == ("duty", True)
    unknown = seen.client.post(
        place, json={**sent, "names": {}}, headers=headers | {"idempotency-key": "k2"}
    ).json()
    assert (unknown["changed"], unknown["entry"]) == (False, "")
    assert [(each["title"], each["times"]) for each in unknown["unknown"]] == [("Anna K. <b>", 3)]
    assert laid(seen.site.context) == [one]


def test_shifts_are_taken_along_with_a_token(seen: Seen) -> None:
    headers = {"authorization": f"Bearer {seen.token('eyes', Role.VIEWER, Scope.READ)}"}
    place = f"{seen.url}{PREFIX}/oncall/calendar.ics"
    answer = seen.client.get(place, params={"person": "anna", "for": "30d"}, headers=headers)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "SUMMARY:On call: primary (anna)" in answer.text
    assert "(ben)" not in answer.text
    for query, said in (({"person": "zoe"}, "no contact"), ({"for": "9999w"}, "two years at most")):
        refused = seen.client.get(place, params=query, headers=headers)
        assert (refused.status_code, said in refused.json()["detail"]) == (422, True)


def test_over_a_feed_nothing_is_laid(desk: Desk, seen: Seen) -> None:
    follow(desk, {"url": "https://calendar.example.com/basic.ics"})
    anna = seen.signed_in("anna")
    page = looked(anna, calendar(LUNCH), title="Lunch", whose="cto").text
    assert "1 shift over" in page
    assert "It follows a feed" in page
    assert "Lay them" not in page
    form = {**FROM, "text": calendar(LUNCH), "title": "Lunch", "whose": "cto"}
    answer = anna.post("/oncall/import/lay", data=form)
    assert (answer.status_code, "follows a feed" in answer.text) == (422, True)


def test_over_a_console_what_nobody_decides_yet_is_said_to_be_kept(redis_url: str, tmp_path: Path) -> None:
    desk = Desk(redis_url, tmp_path, POLICY)
    desk.publish()
    with console(seeing.site(redis_url, tmp_path)) as seen:
        token = seen.token("duty", Role.RESPONDER, Scope.READ, Scope.ONCALL)
        environ = {
            "TOCSIN_CONSOLE_URL": seen.url,
            "TOCSIN_CONSOLE_TOKEN": token,
            "TOCSIN_REDIS_URL": "unix:///nowhere",
        }
        shift = ["--shift", "ben", "2030-12-24T09:00", "2030-12-27T09:00"]
        done = CliRunner().invoke(tocsin, ["oncall", "temporary", "primary", *shift], env=environ)
        assert (done.exit_code, done.stdout.startswith("kept as ")) == (0, True), done.output
        desk.fold()
        (one,) = laid(seen.site.context)
        assert one.by == "duty"
