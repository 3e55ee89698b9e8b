"""What a silence hides, or would, and which silences are worth a second look."""

from pathlib import Path

import pytest
from desk import Desk
from small_policy import POLICY

from ledger.archive import sweep
from ledger.clock import now_ms
from ledger.views import silences
from routing.decision import Table
from routing.entry import Command, Delivered, Opened, Outcome, SilenceSet, TimerDue, Verb
from routing.event import Event, Status
from routing.incident import Incident
from routing.instant import DAY, HOUR, MINUTE
from routing.language import matchers
from routing.severity import Severity
from routing.timer import Wake

WEEK = 7 * DAY


@pytest.fixture
def desk(redis_url: str, tmp_path: Path) -> Desk:
    return Desk(redis_url, tmp_path, POLICY)


def report(desk: Desk, pod: str, status: Status = Status.FIRING, kind: str = "worse") -> None:
    labels = {"pod": pod, "zone": "a"}
    desk.receive(
        Event(
            source="am", vendor="alertmanager", kind=kind, status=status, key=pod, title=pod, labels=labels
        ),
        b"{}",
    )


def hidden(desk: Desk, *texts: str, later: int = 0) -> list[list[tuple[str, int, int, bool]]]:
    """Incident, alerts that match, alerts that fire, and whether the page is held: now, and in the last day."""
    found = silences.preview(desk.store, [matchers.parse(each) for each in texts], now_ms() + later)
    return [
        [(each.incident.id, each.matched, each.firing, each.whole) for each in rows]
        for rows in (found.now, found.last_day)
    ]


@pytest.mark.parametrize(
    ("texts", "rows"),
    [
        (['pod="1"'], [("INC-1", 1, 2, False)]),
        (['pod=~"1|2"'], [("INC-1", 2, 2, True)]),
        (['zone="a"', 'pod!="3"'], [("INC-1", 2, 2, True)]),
        (['service="site"'], [("INC-1", 2, 2, True)]),
        (['severity="SEV-1"'], [("INC-1", 2, 2, True)]),
        (['pod="3"'], []),
        (['pod="1"', 'pod="2"'], []),
        (['nobody="has it"'], []),
        (['nobody=""'], [("INC-1", 2, 2, True)]),
    ],
    ids=["one of two", "both", "both by more", "their service", "their severity", "other", "no alert has both",
         "unknown label", "absent label"],
)  # fmt: skip
def test_a_preview_says_what_would_be_hidden_and_whether_the_page_would_be(
    desk: Desk, texts: list[str], rows: list[tuple[str, int, int, bool]]
) -> None:
    report(desk, "1")
    report(desk, "2")
    assert hidden(desk, *texts) == [rows, rows]


@pytest.mark.parametrize("text", ['pod="1"', 'pod=~"1|2"', 'zone="a"', 'pod="3"', 'kind="manual"', 'team=""'])
@pytest.mark.parametrize("opened", ["by alerts", "by hand"])
def test_what_a_preview_promises_is_what_the_silence_does(desk: Desk, text: str, opened: str) -> None:
    if opened == "by hand":
        desk.append(Opened(at=now_ms(), by="anna", title="Customers call in", severity=int(Severity.SEV1)))
    else:
        report(desk, "1")
        report(desk, "2")
    promised = [row[0] for row in hidden(desk, text)[0] if row[3]]
    now = now_ms()
    desk.append(SilenceSet(at=now, by="anna", id="s-1", matchers=[text], from_at=now, until_at=now + HOUR))
    timer = f"{Wake.ESCALATE}:INC-1"
    desk.append(TimerDue(at=now, timer=timer, due_at=now + DAY))
    held = desk.store.records(Table.INCIDENT, Incident).values()
    assert [each.id for each in held if each.silenced_by == "s-1"] == promised


def test_what_is_over_is_of_the_last_day_until_the_day_is_over(desk: Desk) -> None:
    report(desk, "1")
    report(desk, "1", Status.RESOLVED)
    assert hidden(desk, 'pod="1"') == [[], [("INC-1", 1, 0, True)]]
    assert hidden(desk, 'pod="1"', later=DAY - MINUTE) == [[], [("INC-1", 1, 0, True)]]
    assert hidden(desk, 'pod="1"', later=DAY + MINUTE) == [[], []]


def test_what_still_fires_is_hidden_now_although_it_was_not_reported_for_days(desk: Desk) -> None:
    report(desk, "1")
    assert hidden(desk, 'pod="1"', later=3 * DAY) == [[("INC-1", 1, 1, True)], []]


def test_what_has_retired_is_counted_too(desk: Desk) -> None:
    report(desk, "1")
    report(desk, "1", Status.RESOLVED)
    whole = desk.store.whole("INC-1")
    assert whole is not None
    for each in whole.deliveries:
        desk.append(
            Delivered(at=now_ms(), delivery=each.id, attempt=1, outcome=Outcome.OK, provider_id="P-1")
        )
    timer = f"{Wake.RETIRE}:INC-1"
    desk.append(TimerDue(at=now_ms(), timer=timer, due_at=now_ms() + 30 * DAY))
    sweep(desk.client, desk.keys, desk.archive, now_ms() + MINUTE, 0, 1_000_000)
    assert not desk.store.is_live("INC-1")
    assert hidden(desk, 'pod="1"') == [[], [("INC-1", 1, 0, True)]]


def remarks(desk: Desk, began: int, ends: int, *, later: int = 0, matcher: str = 'pod="1"') -> list[str]:
    """Of a silence that began and ends so many ms after now, looked at so much later."""
    now = now_ms()
    silence = SilenceSet(
        at=now, by="anna", id="s-1", matchers=[matcher], from_at=now + began, until_at=now + ends
    )
    desk.append(silence)
    (standing,) = silences.standing(desk.store, now + later)
    assert standing.silence == silence
    return list(standing.remarks)


@pytest.mark.parametrize(
    ("began", "ends", "later", "said"),
    [
        (0, 2 * HOUR, 0, []),
        (0, HOUR, 0, ["ends within the hour"]),
        (0, HOUR + 1, 0, []),
        (0, 2 * HOUR, 90 * MINUTE, ["ends within the hour"]),
        (0, 30 * DAY, 0, []),
        (0, 31 * DAY, 0, ["longer than 30 days"]),
        (-WEEK + MINUTE, DAY, 0, []),
        (-WEEK, DAY, 0, ["matched nothing for a week"]),
        (-8 * DAY, 30 * MINUTE, 0, ["ends within the hour", "matched nothing for a week"]),
        (-8 * DAY, 30 * DAY, 0, ["matched nothing for a week", "longer than 30 days"]),
        (DAY, 2 * DAY, 0, []),
    ],
    ids=["short", "ends within the hour", "ends after it", "looked at later", "a month", "more than a month",
         "nothing for less than a week", "nothing for a week", "forgotten and ending", "forgotten and long",
         "not begun"],
)  # fmt: skip
def test_a_silence_is_remarked_on(desk: Desk, began: int, ends: int, later: int, said: list[str]) -> None:
    assert remarks(desk, began, ends, later=later) == said


@pytest.mark.parametrize(
    ("later", "said"), [(0, []), (6 * DAY, []), (WEEK + HOUR, ["matched nothing for a week"])]
)
def test_a_silence_that_matched_within_the_week_is_not_forgotten(
    desk: Desk, later: int, said: list[str]
) -> None:
    report(desk, "1")
    report(desk, "1", Status.RESOLVED)
    assert remarks(desk, -8 * DAY, 20 * DAY, later=later) == said


@pytest.mark.parametrize(("matcher", "said"), [('pod="1"', []), ('pod="2"', ["matched nothing for a week"])])
def test_a_silence_that_holds_what_fires_on_is_not_forgotten(
    desk: Desk, matcher: str, said: list[str]
) -> None:
    """Its sender reported it once, and it fires for weeks."""
    report(desk, "1")
    assert remarks(desk, 0, 20 * DAY, later=10 * DAY, matcher=matcher) == said


def test_nor_is_one_that_holds_what_a_person_opened(desk: Desk) -> None:
    desk.append(Opened(at=now_ms(), by="anna", title="Customers call in", severity=int(Severity.SEV1)))
    assert remarks(desk, 0, 20 * DAY, later=10 * DAY, matcher='kind="manual"') == []
    desk.append(Command(at=now_ms(), incident="INC-1", verb=Verb.RESOLVE, by="anna"))
    said = remarks(desk, 0, 20 * DAY, later=10 * DAY, matcher='kind="manual"')
    assert said == ["matched nothing for a week"]
