"""Alarms about Tocsin itself: said once when something begins, once when it is over, and folded like any event."""

import pytest
import small_policy
from msgspec.structs import replace
from redis import Redis

from ledger import auditing, dead, feeds, gaps, log, mailboxes
from ledger.clock import now_ms
from ledger.dead_letter import Kind, given_up
from ledger.keys import Keys
from routing.decide import decide
from routing.decision import Put, Table
from routing.entry import Lane, Signal, decode_entry
from routing.event import Event, Status
from routing.incident import Incident, Phase
from routing.instant import HOUR
from routing.oncall.importing import FeedHealth, failing, well
from routing.severity import Severity
from routing.state import State
from workers.housekeeping import AUDIT, DEAD_LETTERS, FEEDS, GAPS, MAILBOXES, Housekeeping

NOW = now_ms()


@pytest.fixture
def housekeeping(redis: Redis, keys: Keys) -> Housekeeping:
    return Housekeeping(redis, keys, "dispatch.test.1", every_s=0)


def said(client: Redis, keys: Keys) -> list[Event]:
    """What was appended, in order."""
    start = dict.fromkeys(Lane, "")
    found = log.read(client, keys, start, 100, 0)
    entries = [decode_entry(raw) for lane in Lane for _, raw in found.get(lane, [])]
    return [entry.event for entry in entries if isinstance(entry, Signal)]


def folded(state: State, client: Redis, keys: Keys) -> None:
    """Decided now: the auditor that follows asks the clock what is overdue."""
    now = now_ms()
    for number, event in enumerate(said(client, keys)):
        entry = Signal(at=now + number, event=event)
        state.apply(decide(small_policy.POLICY, state, entry, f"b{now}-{number}", now + number))


def letter() -> dead.DeadLetter:
    return given_up(Kind.UNDELIVERED, "INC-1-d1", "INC-1", "it crashed", b"", NOW)


def test_nothing_is_said_while_all_is_well(redis: Redis, keys: Keys, housekeeping: Housekeeping) -> None:
    housekeeping.run(State())
    assert said(redis, keys) == []


def test_waiting_dead_letters_are_an_alert_said_once(
    redis: Redis, keys: Keys, housekeeping: Housekeeping
) -> None:
    dead.bury_now(redis, keys, letter())
    housekeeping.run(State())
    housekeeping.run(State())
    (event,) = said(redis, keys)
    assert (event.source, event.kind, event.status) == ("tocsin", DEAD_LETTERS, Status.FIRING)
    assert "1 dead letter waits" in event.summary


def test_it_is_over_when_the_last_letter_is_dealt_with(
    redis: Redis, keys: Keys, housekeeping: Housekeeping
) -> None:
    dead.bury_now(redis, keys, letter())
    state = State()
    housekeeping.run(state)
    folded(state, redis, keys)
    housekeeping.run(state)
    assert len(said(redis, keys)) == 1
    dead.drop(redis, keys, letter().id, "anna", NOW)
    housekeeping.run(state)
    assert [event.status for event in said(redis, keys)] == [Status.FIRING, Status.RESOLVED]


def test_a_new_holder_ends_what_the_last_one_began(
    redis: Redis, keys: Keys, housekeeping: Housekeeping
) -> None:
    dead.bury_now(redis, keys, letter())
    state = State()
    housekeeping.run(state)
    folded(state, redis, keys)
    dead.drop(redis, keys, letter().id, "anna", NOW)
    Housekeeping(redis, keys, "dispatch.test.2", every_s=0).run(state)
    assert said(redis, keys)[-1].status is Status.RESOLVED


def test_a_feed_that_fails_for_a_day_is_an_alert_until_it_is_read(
    redis: Redis, keys: Keys, housekeeping: Housekeeping
) -> None:
    known = FeedHealth(looked_at=NOW, every_ms=HOUR)
    state = State()
    feeds.show(redis, keys, "primary", failing(known, "127.0.0.1 answered 404", NOW - 23 * HOUR))
    housekeeping.run(state)
    assert said(redis, keys) == []
    feeds.show(redis, keys, "primary", failing(known, "127.0.0.1 answered 404", NOW - 25 * HOUR))
    housekeeping.run(state)
    (event,) = said(redis, keys)
    assert (event.source, event.kind, event.status) == ("tocsin", FEEDS, Status.FIRING)
    assert event.summary.startswith("the feed of primary has failed since ")
    assert event.summary.endswith(": 127.0.0.1 answered 404")
    folded(state, redis, keys)
    feeds.show(redis, keys, "primary", well(known, None, NOW))
    housekeeping.run(state)
    assert [event.status for event in said(redis, keys)] == [Status.FIRING, Status.RESOLVED]


def test_a_mailbox_that_cannot_be_read_for_hours_is_an_alert_until_it_is(
    redis: Redis, keys: Keys, housekeeping: Housekeeping
) -> None:
    state = State()
    failing = mailboxes.Reading(
        validity=1, uid=7, failing_since=NOW - 5 * HOUR, reason="AUTHENTICATIONFAILED"
    )
    mailboxes.keep(redis, keys, "mail", failing)
    housekeeping.run(state)
    assert said(redis, keys) == []
    mailboxes.keep(redis, keys, "mail", replace(failing, failing_since=NOW - 7 * HOUR))
    housekeeping.run(state)
    (event,) = said(redis, keys)
    assert (event.source, event.kind, event.status) == ("tocsin", MAILBOXES, Status.FIRING)
    assert event.summary.endswith(": AUTHENTICATIONFAILED")
    folded(state, redis, keys)
    mailboxes.keep(redis, keys, "mail", replace(failing, failing_since=0, reason=""))
    housekeeping.run(state)
    assert [event.status for event in said(redis, keys)] == [Status.FIRING, Status.RESOLVED]


def test_a_vendor_that_cannot_be_asked_for_an_hour_is_an_alert_until_it_can(
    redis: Redis, keys: Keys, housekeeping: Housekeeping
) -> None:
    state = State()
    failing = gaps.Gap(failing_since=NOW - HOUR // 2, reason="Stripe: GET /v1/events answered 401")
    gaps.keep(redis, keys, "stripe", failing)
    housekeeping.run(state)
    assert said(redis, keys) == []
    gaps.keep(redis, keys, "stripe", replace(failing, failing_since=NOW - 2 * HOUR))
    housekeeping.run(state)
    (event,) = said(redis, keys)
    assert (event.source, event.kind, event.status) == ("tocsin", GAPS, Status.FIRING)
    assert event.summary.endswith(": Stripe: GET /v1/events answered 401")
    folded(state, redis, keys)
    gaps.keep(redis, keys, "stripe", replace(failing, failing_since=0, reason=""))
    housekeeping.run(state)
    assert [event.status for event in said(redis, keys)] == [Status.FIRING, Status.RESOLVED]


def test_an_incident_without_a_future_is_an_urgent_alarm(
    redis: Redis, keys: Keys, housekeeping: Housekeeping
) -> None:
    state = State()
    forgotten = Incident(
        id="INC-1",
        number=1,
        title="t",
        severity=Severity.SEV1,
        phase=Phase.TRIGGERED,
        group="",
        opened_at=NOW,
        changed_at=NOW,
    )
    state.load(Put(Table.INCIDENT, "INC-1", forgotten))
    housekeeping.run(state)
    (event,) = said(redis, keys)
    assert event.kind == AUDIT
    assert "INC-1" in event.summary
    assert redis.xlen(keys.log(Lane.URGENT)) == 1
    found = auditing.last(redis, keys)
    assert found is not None
    assert found.trouble.startswith("INC-1: ")


def test_that_nothing_is_forgotten_is_kept_too(redis: Redis, keys: Keys, housekeeping: Housekeeping) -> None:
    assert auditing.last(redis, keys) is None
    housekeeping.run(State())
    found = auditing.last(redis, keys)
    assert found is not None
    assert (found.trouble, found.at >= NOW) == ("", True)


def test_who_dispatches_shows_that_it_lives(redis: Redis, keys: Keys, housekeeping: Housekeeping) -> None:
    housekeeping.run(State())
    assert redis.hexists(keys.pulse, "dispatch.test.1")
