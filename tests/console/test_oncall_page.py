"""The console's calendar: whose shift is when in whose zone, what nobody has, and taking over by a form."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import seeing
from desk import Desk
from seeing import Seen, console
from working import until

from console.overrides import laid
from console.pages.oncall_calendar import Shown, Span, days
from console.trust.acts import Role
from ledger import log
from routing.calendar.wall import local
from routing.entry import Lane, OverrideKind, OverrideSet
from routing.instant import DAY, HOUR, parse_iso
from routing.oncall import OnCall

WARSAW = "Europe/Warsaw"


@pytest.fixture
def seen(desk: Desk, redis_url: str, tmp_path: Path) -> Iterator[Seen]:
    with console(seeing.site(redis_url, tmp_path)) as found:
        yield found


def _set(desk: Desk, seen: Seen, contact: str, from_at: int, until_at: int) -> None:
    one = OverrideSet(
        at=from_at, by="cto", id=f"o-{contact}", schedule="primary", contact=contact, from_at=from_at,
        until_at=until_at, kind=OverrideKind.REMOVE,
    )  # fmt: skip
    log.append(desk.client, desk.keys, Lane.CONTROL, one)
    until(lambda: one.id in [each.id for each in laid(seen.site.context)], 10, one.id)


def test_a_day_with_an_hour_twice_is_longer_than_the_others() -> None:
    span = Span(date(2026, 10, 25), 2, WARSAW)
    assert span.until_at - span.from_at == 49 * HOUR
    assert [day["x"] for day in days(span, span.from_at)] == [0, round(100 * 25 / 49, 3)]


def test_a_shift_begins_where_the_reader_s_clock_has_it() -> None:
    at = parse_iso("2026-11-28T23:00:00Z")
    shift = OnCall(("anna",), "", at, at + HOUR)
    for zone, day, begins in ((WARSAW, 29, "Sun 29 Nov 00:00"), ("UTC", 28, "Sat 28 Nov 23:00")):
        shown = Shown(Span(date(2026, 11, day), 1, zone), {"anna": 0}, frozenset())
        (row,) = shown.by_schedule({"primary": [shift]})
        assert row.bars[0].begins == begins
        assert row.bars[0].x == (0 if zone == WARSAW else round(100 * 23 / 24, 3))


def test_people_have_rows_of_their_own_and_what_nobody_has_is_a_gap() -> None:
    span = Span(date(2026, 11, 28), 1, "UTC")
    at = span.from_at
    found = {"primary": [OnCall(("anna", "ben"), "", at, at + HOUR), OnCall((), "", at + HOUR, at + DAY)]}
    shown = Shown(span, {"anna": 0, "ben": 1}, frozenset({"ben"}))
    assert [bar.tone for bar in shown.by_schedule(found)[0].bars] == ["t0", "gap"]
    assert [(row.name, row.bars[0].unreached) for row in shown.by_person(found, ("anna", "ben"))] == [
        ("anna", False), ("ben", True),
    ]  # fmt: skip


def test_gaps_and_who_is_not_proven_to_be_reached_are_named(desk: Desk, seen: Seen) -> None:
    now = seen.site.now()
    for contact in ("anna", "ben"):
        _set(desk, seen, contact, now + DAY, now + 2 * DAY)
    page = seen.signed_in("vera", Role.VIEWER).get("/oncall?zone=UTC").text
    gap = Span(local(now, "UTC").date(), 7, "UTC").text(now + DAY)
    assert f"primary: nobody from {gap}" in page
    assert "not proven to be reached" in page
    assert '<form method="post"' not in page, "who may only look is offered no override"


def test_an_override_by_the_form_is_local_to_the_zone_it_names(desk: Desk, seen: Seen) -> None:
    anna = seen.signed_in("anna")
    form = {
        "schedule": "primary", "contact": "cto", "zone": "America/New_York", "from": "2027-01-05T18:00",
        "until": "2027-01-05T20:00", "kind": "add",
    }  # fmt: skip
    where = anna.post("/oncall/overrides", data=form).headers["location"]
    (one,) = laid(seen.site.context)
    assert (one.from_at, one.until_at) == tuple(
        map(parse_iso, ("2027-01-05T23:00:00Z", "2027-01-06T01:00:00Z"))
    )
    assert (one.kind, one.by) == (OverrideKind.ADD, "anna")
    assert one.client.startswith("session "), "the audit says from where"
    assert one.id in anna.get(where).text
    assert anna.post(f"/oncall/overrides/{one.id}/remove").status_code == 303
    assert laid(seen.site.context) == []


def test_two_swap_their_next_shifts(desk: Desk, seen: Seen) -> None:
    anna = seen.signed_in("anna")
    sent = anna.post("/oncall/swaps", data={"schedule": "primary", "one": "anna", "other": "ben"})
    (one,) = laid(seen.site.context)
    assert (one.kind, one.contact, one.instead_of) == (OverrideKind.SWAP, "ben", "anna")
    assert parse_qs(urlsplit(sent.headers["location"]).query)["set"] == [one.id]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"contact": "nobody"}, "no contact"),
        ({"from": "yesterday"}, "is no time"),
        ({"from": "2027-01-05T18:00+01:00"}, "is no time of a clock"),
        ({"from": "2027-01-05T18:00", "until": "2027-01-05T17:00"}, "ends before it begins"),
        ({"kind": "swap"}, "no such change"),
    ],
)
def test_what_makes_no_sense_is_said_and_not_done(
    desk: Desk, seen: Seen, sent: dict[str, str], said: str
) -> None:
    answer = seen.signed_in("anna").post(
        "/oncall/overrides", data={"schedule": "primary", "contact": "cto", **sent}
    )
    assert (answer.status_code, said in answer.text) == (422, True), answer.text
    assert laid(seen.site.context) == []


def test_a_calendar_of_one_s_own(desk: Desk, seen: Seen) -> None:
    client: httpx2.Client = seen.signed_in("vera", Role.VIEWER)
    mine = client.get("/oncall/calendar.ics?person=anna")
    assert mine.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "SUMMARY:On call: primary (anna)" in mine.text
    assert "(ben)" not in mine.text
    assert client.get("/oncall/calendar.ics?person=nobody").status_code == 422


@pytest.mark.parametrize(
    "query", ["zone=../../etc/passwd", "zone=Nowhere", "from=x", "from=9999-12-31", "days=400"]
)
def test_an_address_somebody_made_up_shows_the_page_all_the_same(desk: Desk, seen: Seen, query: str) -> None:
    assert seen.signed_in("vera", Role.VIEWER).get(f"/oncall?{query}").status_code == 200
