"""Feeds: what a calendar says is laid over its schedule when it changes; one that cannot be read changes nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from desk import Desk
from followed import CalendarServer, follow
from forked import process
from ics import calendar
from small_policy import POLICY
from structlog.testing import capture_logs
from vendor_server import Asked, Misbehaviour, Reply, VendorServer
from working import until

from ledger import feeds
from ledger.clock import now_ms
from routing.decision import Table
from routing.entry import Lane, OverrideSet
from routing.instant import HOUR
from routing.oncall import Standing, who
from routing.oncall.importing import MOST_OCTETS, FeedHealth
from workers.feeds import AGAIN_S, Feeds

DAILY = "DTSTART:20260101T080000Z\nDTEND:20260101T200000Z\nRRULE:FREQ=DAILY\nSUMMARY:{0}"
CTO = calendar(DAILY.format("cto"))
SECRET = "private-5f2"


@pytest.fixture
def desk(redis_url: str, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(redis_url, tmp_path, POLICY)
    desk.publish()
    yield desk
    desk.leave()


@pytest.fixture
def served() -> Iterator[CalendarServer]:
    with CalendarServer(CTO) as served:
        yield served


class Upkeep:
    """Looks at the feeds, and lets time pass for them."""

    def __init__(self, desk: Desk) -> None:
        self.passed_s = 0.0
        self._desk = desk
        environ = {"ONCALL_FEED": "http://127.0.0.1:1/private-5f2/basic.ics"}
        self._feeds = Feeds(desk.client, desk.keys, environ, clock=lambda: self.passed_s, timeout_s=0.5)

    def look(self, after_s: float = 0) -> None:
        self.passed_s += after_s
        self._feeds.round()
        self._desk.fold()


@pytest.fixture
def upkeep(desk: Desk) -> Upkeep:
    return Upkeep(desk)


def laid(desk: Desk) -> dict[str, OverrideSet]:
    return desk.store.records(Table.OVERRIDE, OverrideSet)


def health(desk: Desk) -> FeedHealth:
    return feeds.health(desk.client, desk.keys).get("primary", FeedHealth(looked_at=0, every_ms=0))


def appended(desk: Desk) -> int:
    return int(desk.client.xlen(desk.keys.log(Lane.CONTROL)))


def noon(desk: Desk) -> str:
    """Who is on call at the next 12:00 UTC."""
    at = (now_ms() // (24 * HOUR) + 1) * 24 * HOUR + 12 * HOUR
    standing = Standing(tuple(laid(desk).values()))
    return who(desk.policy.schedules["primary"], standing, at).contact


def test_a_calendar_is_followed(desk: Desk, served: CalendarServer, upkeep: Upkeep) -> None:
    regular = noon(desk)
    follow(desk, {"url": served.address, "every": "10m", "for": "30d"})
    upkeep.look()
    assert noon(desk) == "cto"
    assert {each.by for each in laid(desk).values()} == {"feed"}
    assert 58 <= len(laid(desk)["ical-primary"].shifts) <= 62  # 30 days ahead, and the 30 before
    served.text = calendar(DAILY.format("ceo"))
    upkeep.look(599)
    assert (len(served.calls), noon(desk)) == (1, "cto")
    upkeep.look(1)
    assert (len(served.calls), noon(desk)) == (2, "ceo")
    served.text = calendar(DAILY.format("Anna K."))
    follow(desk, {"url": served.address, "every": "10m", "names": {"anna k.": "security"}})
    upkeep.look()
    assert noon(desk) == "security"
    follow(desk, None)
    upkeep.look()
    assert (laid(desk), noon(desk)) == ({}, regular)
    assert feeds.health(desk.client, desk.keys) == {}


def test_the_same_calendar_is_asked_for_by_its_tag_and_changes_nothing(
    desk: Desk, served: CalendarServer, upkeep: Upkeep
) -> None:
    follow(desk, {"url": served.address})
    upkeep.look()
    before, entries = laid(desk), appended(desk)
    upkeep.look(3600)
    assert [call.status for call in served.calls] == [200, 304]
    assert (health(desk).reason, laid(desk)) == ("", before)
    Upkeep(desk).look()
    assert [call.status for call in served.calls] == [200, 304, 200]
    assert (laid(desk), appended(desk)) == (before, entries)
    assert health(desk).read_at >= before["ical-primary"].at


def test_what_people_set_stays_on_top_when_the_calendar_changes(
    desk: Desk, served: CalendarServer, upkeep: Upkeep
) -> None:
    follow(desk, {"url": served.address})
    upkeep.look()
    now = now_ms()
    desk.append(
        OverrideSet(
            at=now, id="o-1", schedule="primary", contact="ben", from_at=now, until_at=now + 60 * HOUR
        )
    )
    served.text = calendar(DAILY.format("ceo"))
    upkeep.look(3600)
    assert [shift.contact for shift in laid(desk)["ical-primary"].shifts[:1]] == ["ceo"]
    assert noon(desk) == "ben"


def test_what_a_person_imported_is_not_taken_back(desk: Desk, upkeep: Upkeep) -> None:
    now = now_ms()
    desk.append(
        OverrideSet(
            at=now,
            by="anna",
            id="ical-primary",
            schedule="primary",
            contact="ben",
            from_at=now,
            until_at=now + HOUR,
        )
    )
    upkeep.look()
    assert list(laid(desk)) == ["ical-primary"]


def gone(_asked: Asked) -> Reply:
    return Reply(404, b"")


def moved(_asked: Asked) -> Reply:
    return Reply(302, b"", {"Location": "/private-5f2/elsewhere.ics"})


def huge(_asked: Asked) -> Reply:
    return Reply(200, b"x" * (MOST_OCTETS + 2))


def giving(text: str) -> Callable[[Asked], Reply]:
    return lambda _asked: Reply(200, text.encode())


NONE = calendar()
STRANGERS = calendar(DAILY.format("Anna K."), DAILY.format("Zoe"))


@pytest.mark.parametrize(
    ("answer", "how", "says"),
    [
        (gone, {}, "127.0.0.1 answered 404"),
        (moved, {}, "127.0.0.1 answered 302, it moved: give url the address it is at now"),
        (None, {"status": 500}, "127.0.0.1 answered 500"),
        (None, {"hang_up": True}, "127.0.0.1: the connection broke"),
        (None, {"delay_s": 20}, "127.0.0.1: no answer within 0.5 s"),
        (None, {"garbage": True}, "line 1: it is not UTF-8"),
        (giving("<html>"), {}, "line 1: '<html>' where BEGIN:VCALENDAR is expected"),
        (giving(CTO[:-30]), {}, "it ends within the VEVENT"),
        (huge, {}, f"it has more than {MOST_OCTETS} octets"),
        (giving(NONE), {}, "it has no shift any more; if that is meant: tocsin oncall remove ical-primary"),
        (giving(STRANGERS), {}, "whose these are is not known: 'Anna K.' (line 4: nobody is invited"),
    ],
)  # fmt: skip
def test_one_that_cannot_be_read_keeps_its_last_shifts_and_says_why(
    answer: Callable[[Asked], Reply] | None, how: dict[str, float], says: str,
    desk: Desk, served: CalendarServer, upkeep: Upkeep,
) -> None:  # fmt: skip
    follow(desk, {"url": served.address})
    upkeep.look()
    before, read_at = laid(desk), health(desk).read_at
    with VendorServer(answer) as other, capture_logs() as logs:
        other.misbehave(Misbehaviour(**how))  # type: ignore[arg-type]
        follow(desk, {"url": f"{other.url}/{SECRET}/basic.ics"})
        upkeep.look()
    found = health(desk)
    assert says in found.reason
    assert SECRET not in str((found.reason, logs))
    assert [entry["reason"] for entry in logs if entry["log_level"] == "warning"] == [found.reason]
    assert (laid(desk), found.read_at) == (before, read_at)
    assert found.failing_since >= read_at
    failed = b'tocsin_feed_looks_total{schedule="primary",outcome="failed"}'
    assert desk.client.hget(desk.keys.metrics, failed) == b"1"


def test_a_failure_is_logged_once_and_tried_again_soon_and_over_when_it_is_read(
    desk: Desk, served: CalendarServer, upkeep: Upkeep
) -> None:
    follow(desk, {"url": served.address})
    served.misbehave(Misbehaviour(status=503), Misbehaviour(status=503))
    with capture_logs() as logs:
        upkeep.look()
        since = health(desk).failing_since
        upkeep.look(AGAIN_S - 1)
        assert len(served.calls) == 1
        upkeep.look(1)
        assert (len(served.calls), health(desk).failing_since) == (2, since)
        upkeep.look(AGAIN_S)
    assert (health(desk).failing_since, health(desk).reason) == (0, "")
    assert [entry["event"] for entry in logs] == [
        "the feed cannot be read, its last shifts stay", "the feed has other shifts", "the feed can be read again",
    ]  # fmt: skip
    assert noon(desk) == "cto"


def test_who_asks_us_to_wait_is_waited_for(desk: Desk, served: CalendarServer, upkeep: Upkeep) -> None:
    follow(desk, {"url": served.address})
    served.misbehave(Misbehaviour(status=429, retry_after="1200"))
    upkeep.look()
    upkeep.look(1199)
    assert len(served.calls) == 1
    upkeep.look(1)
    assert len(served.calls) == 2


def test_an_address_may_be_a_secret_of_the_environment(desk: Desk, upkeep: Upkeep) -> None:
    follow(desk, {"url": "${ONCALL_FEED}"})
    upkeep.look()
    assert health(desk).reason.startswith("127.0.0.1: no connection to 127.0.0.1")
    follow(desk, {"url": "${OTHER_FEED}"})
    upkeep.look()
    assert health(desk).reason == "OTHER_FEED is not set; upkeep needs it in its environment"


def test_one_that_was_always_empty_lays_nothing(desk: Desk, served: CalendarServer, upkeep: Upkeep) -> None:
    served.text = NONE
    follow(desk, {"url": served.address})
    entries = appended(desk)
    upkeep.look()
    assert (laid(desk), appended(desk), health(desk).reason) == ({}, entries, "")


def test_upkeep_follows_them(desk: Desk, served: CalendarServer, redis_url: str, tmp_path: Path) -> None:
    follow(desk, {"url": served.address})
    with process("workers.upkeep:main", TOCSIN_REDIS_URL=redis_url, TOCSIN_DATA=str(tmp_path)):
        until(lambda: health(desk).read_at if served.calls else 0, 30, "upkeep to read the feed")
    desk.fold()
    assert noon(desk) == "cto"
