"""The look-alike of Alertmanager's API v2."""

import json
from dataclasses import replace

import pytest
from reception import POLICY, SECRETS, Reception, running, source
from redis import Redis

from ledger import dead
from ledger.clock import now_ms
from routing.entry import Signal
from routing.instant import MINUTE, iso

PATH = "/api/v2/alerts"
TOKEN = {"authorization": f"Bearer {SECRETS['TOCSIN_ALERTS_TOKEN']}", "content-type": "application/json"}


def alert(**more: object) -> dict[str, object]:
    return {"labels": {"alertname": "DiskFull", "instance": "db1", "severity": "warning"}, **more}


def signals(reception: Reception) -> list[Signal]:
    return [entry for entry in reception.entries() if isinstance(entry, Signal)]


def test_a_valid_batch_is_answered_as_alertmanager_does(reception: Reception) -> None:
    answer = reception.post(PATH, json.dumps([alert(), alert()]).encode(), TOKEN)
    assert (answer.status_code, answer.content) == (200, b"")
    assert len(signals(reception)) == 2


def test_an_empty_batch_is_fine(reception: Reception) -> None:
    assert reception.post(PATH, b"[]", TOKEN).status_code == 200


def test_valid_alerts_are_kept_when_others_are_not(reception: Reception) -> None:
    bad = [
        {"labels": {}},
        {"labels": {"alertname": ""}},
        alert(startsAt="2026-11-24T02:00:00Z", endsAt="2026-11-24T01:00:00Z"),
        alert(startsAt="yesterday"),
        {"labels": {"alertname": 7}},
        {"labels": {"": "x"}},
        "no alert",
    ]
    answer = reception.post(PATH, json.dumps([*bad, alert()]).encode(), TOKEN)
    assert answer.status_code == 400
    assert isinstance(answer.json(), str)
    assert len(signals(reception)) == 1
    assert dead.waiting(reception.redis, reception.keys) == len(bad)
    letters = dead.listing(reception.redis, reception.keys).letters
    assert any("start time must be before end time" in letter.why for letter in letters)


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[", b"\xff"])
def test_a_body_that_is_no_list_is_answered_400_and_kept(reception: Reception, body: bytes) -> None:
    assert reception.post(PATH, body, TOKEN).status_code == 400
    assert dead.waiting(reception.redis, reception.keys) == 1


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}])
def test_without_the_token_nothing_is_taken(reception: Reception, headers: dict[str, str]) -> None:
    answer = reception.post(PATH, json.dumps([alert()]).encode(), headers)
    assert answer.status_code == 401
    assert answer.json()["hint"]
    assert signals(reception) == []


def test_missing_times_are_filled_in_as_alertmanager_does(reception: Reception) -> None:
    before = now_ms()
    ended = before - MINUTE
    body = [
        alert(),
        alert(endsAt=iso(ended)),
        alert(startsAt="0001-01-01T00:00:00Z", endsAt="0001-01-01T00:00:00Z"),
    ]
    reception.post(PATH, json.dumps(body).encode(), TOKEN)
    timeless, over, zero = (signal.event for signal in signals(reception))
    for event in (timeless, zero):
        assert event.status == "firing"
        assert before <= event.starts_at <= now_ms()
        assert event.ends_at == event.starts_at + 5 * MINUTE
    assert (over.status, over.starts_at, over.ends_at) == ("resolved", ended, ended)


def test_an_alert_fires_until_its_end_whatever_else_it_says(reception: Reception) -> None:
    end = now_ms() + 4 * MINUTE
    body = [alert(startsAt=iso(now_ms() - MINUTE), endsAt=iso(end)), alert(endsAt=iso(now_ms() - 1))]
    reception.post(PATH, json.dumps(body).encode(), TOKEN)
    firing, resolved = (signal.event for signal in signals(reception))
    assert (firing.status, firing.ends_at) == ("firing", end)
    assert resolved.status == "resolved"
    assert firing.key == resolved.key


def test_empty_labels_do_not_count(reception: Reception) -> None:
    body = [
        alert(),
        {"labels": {"alertname": "DiskFull", "instance": "db1", "severity": "warning", "none": ""}},
    ]
    reception.post(PATH, json.dumps(body).encode(), TOKEN)
    one, other = signals(reception)
    assert one.event.key == other.event.key
    assert "none" not in other.event.labels


def test_the_token_says_which_source_it_is(redis: Redis, redis_url: str) -> None:
    both = {**POLICY.sources, "second": source("second", "prometheus", "ALERTMANAGER_TOKEN")}
    with running(redis, redis_url, policy=replace(POLICY, sources=both)) as reception:
        token = {"authorization": f"Bearer {SECRETS['ALERTMANAGER_TOKEN']}"}
        assert reception.post(PATH, json.dumps([alert()]).encode(), token).status_code == 200
        assert signals(reception)[0].event.source == "second"


def test_other_methods_are_told_to_post(reception: Reception) -> None:
    assert reception.http.put(reception.url + PATH, headers=TOKEN).status_code == 405
