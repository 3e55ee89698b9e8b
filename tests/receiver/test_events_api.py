"""The look-alike of PagerDuty's Events API v2: what it takes, says and refuses, as that one does."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from examples import examples
from front_doors import DOORS, ROUTING_KEY, Doors, mark, open_doors
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from redis import Redis

from ledger import dead
from ledger.clock import now_ms
from receiver.sources import pagerduty_events
from routing.entry import Lane, Verb
from routing.event import Status
from routing.instant import MINUTE, iso

ENQUEUE, CHANGE = "/v2/enqueue", "/v2/change/enqueue"


@pytest.fixture
def doors(redis: Redis, redis_url: str) -> Iterator[Doors]:
    with open_doors(redis, redis_url) as found:
        yield found


def payload(**more: Any) -> dict[str, Any]:
    return {"summary": "Disk is full", "source": "db1", "severity": "critical", **more}


def trigger(**more: Any) -> dict[str, Any]:
    return {"routing_key": ROUTING_KEY, "event_action": "trigger", "payload": payload(), **more}


def post(doors: Doors, body: Any, path: str = ENQUEUE, headers: dict[str, str] | None = None) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return doors.reception.post(path, raw, {"content-type": "application/json", **(headers or {})})


def test_a_trigger_is_answered_as_pagerduty_does_and_becomes_one_firing_event(doors: Doors) -> None:
    body = trigger(
        dedup_key="db1/disk",
        payload=payload(
            component="postgres", group="db", custom_details={"free": "3 GB", "n": 7}, **{"class": "disk"}
        ),
        links=[{"href": "https://graphs.example/1", "text": "Graph"}, {"href": "javascript:alert(1)"}],
        images=[{"src": "https://graphs.example/1.png"}],
        client="Nagios",
        client_url="https://nagios.example",
    )
    answer = post(doors, body)
    assert answer.status_code == 202
    assert answer.json() == {"status": "success", "message": "Event processed", "dedup_key": "db1/disk"}
    (signal,) = doors.signals()
    event = signal.event
    assert (event.source, event.vendor, event.status) == ("pages", "pagerduty_events", Status.FIRING)
    assert (event.kind, event.key, event.title) == ("disk", "db1/disk", "Disk is full")
    assert event.vendor_severity == "critical"
    assert event.labels == {
        "origin": "db1", "component": "postgres", "group": "db", "class": "disk", "client": "Nagios",
    }  # fmt: skip
    assert event.details == {
        "free": "3 GB", "n": "7", "links": "https://graphs.example/1", "images": "https://graphs.example/1.png",
    }  # fmt: skip
    assert event.link == "https://graphs.example/1"


def test_without_a_dedup_key_each_trigger_gets_one_of_its_own_which_resolves_it(doors: Doors) -> None:
    keys = [post(doors, trigger(payload=payload(source=f"db{n}"))).json()["dedup_key"] for n in range(2)]
    assert len(set(keys)) == 2
    post(doors, {"routing_key": ROUTING_KEY, "event_action": "resolve", "dedup_key": keys[0]})
    first, _, last = doors.signals()
    assert (last.event.status, last.event.key) == (Status.RESOLVED, first.event.key)


def test_an_acknowledgement_goes_ahead_of_all_events_and_names_the_alert(doors: Doors) -> None:
    body = {"routing_key": ROUTING_KEY, "event_action": "acknowledge", "dedup_key": "db1/disk"}
    assert post(doors, body).json()["dedup_key"] == "db1/disk"
    (command,) = doors.commands()
    assert (command.verb, command.alert, command.source) == (Verb.ACK, mark("pages", "db1/disk"), "pages")
    assert doors.reception.entries(Lane.CONTROL) == [command]


def test_a_change_is_information_with_its_own_time(doors: Doors) -> None:
    at = now_ms() - 5 * MINUTE
    body = {
        "routing_key": ROUTING_KEY,
        "payload": {"summary": "New prices", "source": "builds", "timestamp": iso(at)},
        "links": [{"href": "https://builds.example/42"}],
    }
    answer = post(doors, body, CHANGE)
    assert (answer.status_code, answer.json()["status"]) == (202, "success")
    (signal,) = doors.signals()
    assert (signal.event.status, signal.event.kind, signal.event.title) == (
        Status.INFO,
        "change",
        "New prices",
    )
    assert (signal.event.starts_at, signal.event.link) == (at, "https://builds.example/42")


def test_the_key_says_which_source_it_is_and_may_come_in_a_header(doors: Doors) -> None:
    post(doors, trigger(routing_key=ROUTING_KEY[::-1]))
    post(doors, trigger(routing_key=None), headers={"x-routing-key": "rolled" * 5})
    assert [signal.event.source for signal in doors.signals()] == ["second", "second"]


def test_the_same_dedup_key_of_two_keys_is_two_alerts(doors: Doors) -> None:
    assert mark("pages", "k") != mark("second", "k")


def test_the_key_is_kept_nowhere(doors: Doors) -> None:
    post(doors, trigger())
    post(doors, trigger(payload={}))
    (letter,) = dead.listing(doors.reception.redis, doors.reception.keys).letters
    assert b"event_action" in letter.raw
    assert ROUTING_KEY.encode() not in letter.raw, "which is written in base64"
    assert ROUTING_KEY not in everything(doors.reception.redis)


def everything(redis: Redis) -> str:
    """All that is stored."""
    read: dict[Any, Any] = {
        b"stream": redis.xrange, b"hash": redis.hgetall, b"zset": lambda key: redis.zrange(key, 0, -1),
        b"string": redis.get, b"set": redis.smembers,
    }  # fmt: skip
    found = [str(read[redis.type(key)](key)) for key in redis.keys("*")]
    assert any("Disk is full" in each for each in found)
    return "".join(found)


# (what is sent, what PagerDuty says of it)
INVALID: list[tuple[Any, str]] = [
    ({"event_action": None}, "'event_action' is missing or blank"),
    ({"event_action": "explode"}, "'event_action' is invalid"),
    ({"event_action": ["trigger"]}, "'event_action' is invalid"),
    ({"event_action": "resolve"}, "'dedup_key' is missing or blank"),
    ({"event_action": "acknowledge", "dedup_key": ""}, "'dedup_key' is missing or blank"),
    ({"dedup_key": 7}, "'dedup_key' is invalid"),
    ({"dedup_key": "k" * 256}, "'dedup_key' is too long (maximum is 255 characters)"),
    ({"payload": None}, "'payload' is missing or blank"),
    ({"payload": payload(summary="")}, "'payload.summary' is missing or blank"),
    ({"payload": payload(summary="s" * 1025)}, "'payload.summary' is too long (maximum is 1024 characters)"),
    ({"payload": payload(source=None)}, "'payload.source' is missing or blank"),
    ({"payload": payload(severity=None)}, "'payload.severity' is missing or blank"),
    ({"payload": payload(severity="Critical")}, "'payload.severity' is invalid"),
    ({"payload": payload(severity=["critical"])}, "'payload.severity' is missing or blank"),
]  # fmt: skip


def test_what_is_invalid_is_answered_in_pagerduty_s_shape_and_kept(doors: Doors) -> None:
    failed = []
    for changes, said in INVALID:
        answer = post(doors, trigger(**changes))
        found = answer.json()
        good = (answer.status_code, found["status"], found["message"]) == (
            400, "invalid event", "Event object is invalid",
        )  # fmt: skip
        letters = [each.id for each in dead.listing(doors.reception.redis, doors.reception.keys).letters]
        kept = any(each in found["hint"] for each in letters)
        if not good or not kept or not any(said in each for each in found["errors"]):
            failed.append((changes, found))
    assert failed == []
    assert dead.waiting(doors.reception.redis, doors.reception.keys) == len(INVALID)
    assert doors.signals() == []


def test_all_that_is_wrong_is_said_at_once(doors: Doors) -> None:
    assert post(doors, trigger(payload={"summary": " "})).json()["errors"] == [
        "'payload.summary' is missing or blank",
        "'payload.source' is missing or blank",
        "'payload.severity' is missing or blank",
    ]


def test_the_longest_that_is_allowed_is_taken(doors: Doors) -> None:
    answer = post(doors, trigger(dedup_key="k" * 255, payload=payload(summary="s" * 1024)))
    assert answer.status_code == 202
    (signal,) = doors.signals()
    assert (signal.event.key, signal.event.summary) == ("k" * 255, "s" * 1024)


def test_a_key_of_nobody_is_an_invalid_event_and_nothing_is_kept(doors: Doors) -> None:
    wrong: list[Any] = [None, "", "wrong", ROUTING_KEY[:-1], ROUTING_KEY + "0", "é" * 32, 7, [ROUTING_KEY]]
    for key in wrong:
        answer = post(doors, trigger(routing_key=key))
        assert answer.status_code == 400, key
        assert answer.json()["status"] == "invalid event"
        assert answer.json()["errors"] == ["Invalid routing key"]
        assert answer.json()["hint"]
    assert doors.reception.entries() == []
    assert dead.waiting(doors.reception.redis, doors.reception.keys) == 0
    assert doors.reception.site.counts.refused["", "signature"] == len(wrong)


def test_two_keys_must_both_be_right(doors: Doors) -> None:
    assert post(doors, trigger(), headers={"x-routing-key": "wrong"}).status_code == 400
    assert (
        post(doors, trigger(routing_key="wrong"), headers={"x-routing-key": ROUTING_KEY}).status_code == 400
    )
    assert post(doors, trigger(), headers={"x-routing-key": ROUTING_KEY}).status_code == 202


def test_what_is_no_json_object_is_refused_and_kept_if_its_key_came_in_the_header(doors: Doors) -> None:
    bodies = (b"", b"{", b"[]", b"null", b"\xff", b'{"a":1,"a":2}', b"[" * 9000)
    for body in bodies:
        for path in (ENQUEUE, CHANGE):
            assert post(doors, body, path).status_code == 400
            answer = post(doors, body, path, {"x-routing-key": ROUTING_KEY})
            assert (answer.status_code, answer.json()["status"]) == (400, "invalid event"), body
    assert dead.waiting(doors.reception.redis, doors.reception.keys) == len(bodies)


def test_half_a_megabyte_is_the_limit(doors: Doors) -> None:
    room = 524_288 - len(json.dumps(trigger(filler="")))
    assert post(doors, trigger(filler="x" * room)).status_code == 202
    answer = post(doors, trigger(filler="x" * (room + 1)))
    assert (answer.status_code, answer.json()["status"]) == (413, "not processed")


def test_other_methods_and_other_addresses_are_told_so(doors: Doors) -> None:
    answer = doors.reception.get(ENQUEUE)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert post(doors, trigger(), "/v2/enqueue/").status_code == 404
    assert post(doors, trigger(), "/v2/change").status_code == 404


def test_when_it_cannot_be_kept_the_answer_is_503_and_when_to_try_again(redis: Redis, redis_url: str) -> None:
    with open_doors(redis, redis_url, pending=0) as doors:
        answer = post(doors, trigger())
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["hint"]


def test_a_source_s_rate_is_503_too_and_its_networks_are_403(redis: Redis, redis_url: str) -> None:
    limited = replace(DOORS.sources["pages"], rate=1)
    distant = replace(DOORS.sources["second"], networks=("192.0.2.0/24",))
    policy = replace(DOORS, sources={"pages": limited, "second": distant})
    with open_doors(redis, redis_url, policy=policy) as doors:
        statuses = [post(doors, trigger()).status_code for _ in range(15)]
        assert {*statuses} == {202, 503}
        assert post(doors, trigger(routing_key=ROUTING_KEY[::-1])).status_code == 403


def test_each_source_has_its_own_limit(redis: Redis, redis_url: str) -> None:
    small = replace(DOORS.sources["pages"], max_bytes=400)
    policy = replace(DOORS, sources={"pages": small, "second": DOORS.sources["second"]})
    with open_doors(redis, redis_url, policy=policy) as doors:
        assert post(doors, trigger(filler="x" * 400)).status_code == 413
        assert post(doors, trigger(filler="x" * 400, routing_key=ROUTING_KEY[::-1])).status_code == 202
        assert post(doors, trigger()).status_code == 202


def test_without_a_source_there_is_nothing(redis: Redis, redis_url: str) -> None:
    with open_doors(redis, redis_url, policy=replace(DOORS, sources={})) as doors:
        assert post(doors, trigger()).status_code == 404


_any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(
        ["trigger", "resolve", "acknowledge", "critical", "\x00", "é" * 400, 2**70, iso(0)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
_events = st.fixed_dictionaries(
    {},
    optional={
        "event_action": st.sampled_from(pagerduty_events._ACTIONS) | _any,
        "dedup_key": st.just("k") | _any,
        "payload": st.fixed_dictionaries(
            {}, optional={name: st.just("critical") | _any for name in
                          ("summary", "source", "severity", "timestamp", "class", "component", "custom_details")}
        ) | _any,
        "links": _any, "images": _any, "client": _any, "client_url": _any,
    },
)  # fmt: skip


def test_whatever_is_sent_the_answer_is_202_or_400(doors: Doors) -> None:
    @given(
        body=st.binary(max_size=60) | _events.map(lambda value: json.dumps(value).encode()),
        path=st.sampled_from([ENQUEUE, CHANGE]),
        header=st.booleans(),
    )
    @examples(120, suppress_health_check=[HealthCheck.too_slow])
    def holds(body: bytes, path: str, header: bool) -> None:  # hypothesis gives it
        answer = post(doors, body, path, {"x-routing-key": ROUTING_KEY} if header else {})
        assert answer.status_code in {202, 400}
        assert header or answer.status_code == 400
        assert answer.json()["status"] == ("success" if answer.status_code == 202 else "invalid event")

    holds()
