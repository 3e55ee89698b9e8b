"""The look-alike of Opsgenie's alert API: what it takes, says and refuses, as that one does."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from examples import examples
from front_doors import DOORS, GENIE_KEY, Doors, mark, open_doors
from httpx2 import Response
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from redis import Redis

from ledger import dead
from routing.entry import Lane, SwitchSet, Verb
from routing.event import Status
from routing.incident import Phase

ALERTS = "/v2/alerts"
KEY = {"authorization": f"GenieKey {GENIE_KEY}", "content-type": "application/json"}
OTHER = {"authorization": f"GenieKey {GENIE_KEY[::-1]}"}


@pytest.fixture
def doors(redis: Redis, redis_url: str) -> Iterator[Doors]:
    with open_doors(redis, redis_url) as found:
        yield found


def post(doors: Doors, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Response:
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return doors.reception.post(path, raw, KEY if headers is None else headers)


def create(doors: Doors, **more: Any) -> Response:
    return post(doors, ALERTS, {"message": "Disk is full", **more})


def act(
    doors: Doors, alias: str, action: str, body: Any = None, kind: str = "alias", **more: Any
) -> Response:
    return post(doors, f"{ALERTS}/{quote(alias, safe='')}/{action}?identifierType={kind}", body, **more)


def status(doors: Doors, request: Response, headers: dict[str, str] | None = None) -> Response:
    doors.decide()
    url = f"{doors.url}{ALERTS}/requests/{request.json()['requestId']}"
    return doors.reception.http.get(url, headers=headers or KEY)


def test_an_alert_is_answered_as_opsgenie_does_and_becomes_one_firing_event(doors: Doors) -> None:
    answer = create(
        doors, alias="db1/disk", description="3 GB are left", priority="P1", tags=["disk", "prod"], entity="postgres",
        source="nagios", details={"mount": "/var"}, responders=[{"name": "Database", "type": "team"}, {"id": "x"}],
    )  # fmt: skip
    assert answer.status_code == 202
    assert set(answer.json()) == {"result", "took", "requestId"}
    assert answer.json()["result"] == "Request will be processed"
    (signal,) = doors.signals()
    event = signal.event
    assert (event.source, event.vendor, event.status, event.key) == (
        "genie",
        "opsgenie",
        Status.FIRING,
        "db1/disk",
    )
    assert (event.title, event.summary, event.vendor_severity) == ("Disk is full", "3 GB are left", "P1")
    assert event.labels == {
        "origin": "nagios", "entity": "postgres", "tags": "disk, prod", "responders": "Database, x",
    }  # fmt: skip
    assert event.details == {"alias": "db1/disk", "mount": "/var"}


def test_what_becomes_of_a_request_can_be_asked(doors: Doors) -> None:
    made = create(doors, alias="db1/disk")
    found = status(doors, made)
    assert found.status_code == 200
    assert found.json()["requestId"] == made.json()["requestId"]
    data = found.json()["data"]
    assert (data["isSuccess"], data["action"], data["status"]) == (True, "Create", "Created alert")
    assert (data["alias"], data["integrationId"]) == ("db1/disk", "genie")
    assert data["alertId"] == mark("genie", "db1/disk").replace(":", "-")
    assert data["processedAt"].endswith("Z")


@pytest.mark.parametrize("kind", ["alias", "id", "tiny", ""])
def test_an_alert_is_acknowledged_noted_and_closed_by_what_it_is_called(doors: Doors, kind: str) -> None:
    made = create(doors, alias="shop/db1 disk")
    id_ = status(doors, made).json()["data"]["alertId"]
    called = quote({"alias": "shop/db1 disk", "tiny": "1"}.get(kind, id_), safe="")
    asked = f"?identifierType={kind}" if kind else ""
    said = {"user": "Dora", "note": "I am looking at it"}
    acked = post(doors, f"{ALERTS}/{called}/acknowledge{asked}", said)
    assert acked.status_code == 202
    incident = doors.incident("Disk is full")
    assert (incident.phase, incident.acknowledged_by) == (Phase.ACKNOWLEDGED, "Dora (genie)")
    noted = post(doors, f"{ALERTS}/{called}/notes{asked}", {"note": "It was the log"})
    closed = post(doors, f"{ALERTS}/{called}/close{asked}", {"source": "shell"})
    assert doors.incident("Disk is full").phase is Phase.RESOLVED
    timeline = str(doors.reception.redis.lrange(doors.reception.keys.timeline("INC-1"), 0, -1))
    assert "note: I am looking at it" in timeline
    assert "note: It was the log" in timeline
    for request, action in ((acked, "Acknowledge"), (noted, "AddNote"), (closed, "Close")):
        data = status(doors, request).json()["data"]
        assert (data["isSuccess"], data["action"]) == (True, action)


def test_an_acknowledgement_that_overtook_its_alert_was_no_failure(doors: Doors) -> None:
    acked = act(doors, "k", "acknowledge")
    assert status(doors, acked).json()["data"]["isSuccess"] is False
    create(doors, alias="other")
    both = (create(doors, alias="quick"), act(doors, "quick", "acknowledge"))
    assert [status(doors, each).json()["data"]["isSuccess"] for each in both] == [True, True]


def test_an_acknowledgement_goes_ahead_and_all_else_behind_its_alert(doors: Doors) -> None:
    create(doors, alias="k", note="said while it was created")
    act(doors, "k", "acknowledge")
    act(doors, "k", "close")
    (ack,) = doors.reception.entries(Lane.CONTROL)
    assert ack == next(each for each in doors.commands() if each.verb is Verb.ACK)
    bulk = [type(entry).__name__ for entry in doors.reception.entries(Lane.BULK)]
    assert bulk == ["Signal", "AlertCommand", "AlertCommand"]
    assert doors.incident("Disk is full").phase is Phase.RESOLVED


def test_what_is_unknown_or_over_is_said_when_it_is_asked(doors: Doors) -> None:
    create(doors, alias="k")
    act(doors, "k", "close")
    doors.decide()
    for request in (
        act(doors, "k", "acknowledge"), act(doors, "other", "close"), act(doors, "9", "close", kind="tiny"),
        act(doors, "v1-0000000000000000", "acknowledge", kind="id"), act(doors, "k", "notes", {"note": "late"}),
    ):  # fmt: skip
        assert request.status_code == 202
        data = status(doors, request).json()["data"]
        assert (data["isSuccess"], data["status"], data["alertId"]) == (False, "Alert does not exist", "")


def test_one_key_touches_and_sees_nothing_of_another_s(doors: Doors) -> None:
    made = create(doors, alias="k")
    for kind, called in (("alias", "k"), ("tiny", "1"), ("id", mark("genie", "k").replace(":", "-"))):
        theirs = act(doors, called, "acknowledge", kind=kind, headers=OTHER)
        assert status(doors, theirs, OTHER).json()["data"]["isSuccess"] is False
    assert doors.incident("Disk is full").phase is Phase.TRIGGERED
    assert status(doors, made, OTHER).status_code == 404


def test_a_request_that_is_not_decided_yet_is_a_404_that_clients_know(doors: Doors) -> None:
    made = create(doors)
    url = f"{doors.url}{ALERTS}/requests/{made.json()['requestId']}"
    found = doors.reception.http.get(url, headers=KEY)
    assert (found.status_code, found.headers["x-opsgenie-errortype"]) == (404, "RequestNotProcessed")
    assert found.json()["hint"]


def test_who_asks_at_once_waits_for_the_decision(doors: Doors) -> None:
    url = f"{doors.url}{ALERTS}/requests/{create(doors).json()['requestId']}"
    with ThreadPoolExecutor(1) as other:
        asked = other.submit(doors.reception.http.get, url, headers=KEY)
        doors.decide()
        assert asked.result(5).json()["data"]["isSuccess"] is True


def test_a_request_of_a_paused_source_was_in_vain(doors: Doors) -> None:
    made = create(doors)
    at = doors.reception.site.now()
    doors.append(SwitchSet(at=at, name="pause:genie", on=True))
    assert status(doors, made).json()["data"]["isSuccess"] is False


@pytest.mark.parametrize(
    "request_id",
    ["", "x", "b1-1", "b" + "9" * 40 + "-0", "c1-1.r1", "../alerts", "'; --", "é", "b1-1/close/x"],
)
def test_what_was_never_asked_is_not_found(doors: Doors, request_id: str) -> None:
    found = doors.reception.http.get(f"{doors.url}{ALERTS}/requests/{quote(request_id)}", headers=KEY)
    assert found.status_code == 404
    assert set(found.json()) == {"message", "took", "requestId", "hint"}


# (what is sent, the field that is wrong, what is said of it)
INVALID: list[tuple[dict[str, Any], str, str]] = [
    ({"message": None}, "message", "can not be empty"),
    ({"message": " "}, "message", "can not be empty"),
    ({"message": "m" * 131}, "message", "should be at most 130 characters"),
    ({"message": ["m"]}, "message", "should be a string"),
    ({"alias": "a" * 513}, "alias", "should be at most 512 characters"),
    ({"alias": 7}, "alias", "should be a string"),
    ({"description": "d" * 15_001}, "description", "should be at most 15000 characters"),
    ({"entity": "e" * 513}, "entity", "should be at most 512 characters"),
    ({"source": "s" * 101}, "source", "should be at most 100 characters"),
    ({"user": "u" * 101}, "user", "should be at most 100 characters"),
    ({"note": "n" * 25_001}, "note", "should be at most 25000 characters"),
    ({"priority": "P6"}, "priority", "should be one of [ P1, P2, P3, P4, P5 ]"),
    ({"priority": ["P1"]}, "priority", "should be one of [ P1, P2, P3, P4, P5 ]"),
    ({"tags": "disk"}, "tags", "should be at most 20 strings of at most 50 characters"),
    ({"tags": ["t"] * 21}, "tags", "should be at most 20 strings of at most 50 characters"),
    ({"tags": ["t" * 51]}, "tags", "should be at most 20 strings of at most 50 characters"),
    ({"details": ["d"]}, "details", "should be an object"),
    ({"details": {"d": "d" * 8000}}, "details", "should be at most 8000 characters in all"),
]


def test_what_is_invalid_is_answered_in_opsgenie_s_shape_and_kept(doors: Doors) -> None:
    failed = []
    for changes, field, said in INVALID:
        answer = create(doors, **changes)
        found = answer.json()
        letters = [each.id for each in dead.listing(doors.reception.redis, doors.reception.keys).letters]
        good = answer.status_code == 422 and found["errors"] == {field: said} and found["requestId"]
        if not good or not any(each in found["hint"] for each in letters):
            failed.append((changes, found))
    assert failed == []
    assert dead.waiting(doors.reception.redis, doors.reception.keys) == len(INVALID)
    assert doors.signals() == []


def test_what_is_invalid_about_an_action_is_said_too(doors: Doors) -> None:
    for answer, field in (
        (act(doors, "k", "notes", {}), "note"),
        (act(doors, "k", "notes"), "note"),
        (act(doors, "k", "close", kind="colour"), "identifierType"),
        (act(doors, "seven", "close", kind="tiny"), "identifier"),
        (act(doors, " ", "close"), "identifier"),
        (act(doors, "k", "acknowledge", {"user": 7}), "user"),
    ):
        assert (answer.status_code, set(answer.json()["errors"])) == (422, {field})


def test_the_longest_that_is_allowed_is_taken_and_told_apart(doors: Doors) -> None:
    one, other = "a" * 512, "a" * 511 + "b"
    limits: dict[str, Any] = {"description": "d" * 15_000, "tags": ["t" * 50] * 20, "message": "m" * 130}
    assert [create(doors, alias=alias, **limits).status_code for alias in (one, other)] == [202, 202]
    act(doors, other, "acknowledge")
    keys = [signal.event.key for signal in doors.signals()]
    assert len(set(keys)) == 2
    assert doors.commands()[0].alert == mark("genie", keys[1])


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"\xff", b'{"a":1,"a":2}', b"[" * 9000])
def test_what_is_no_json_object_is_a_400_and_kept(doors: Doors, body: bytes) -> None:
    for path in (ALERTS, f"{ALERTS}/k/close"):
        answer = post(doors, path, body)
        assert answer.status_code == 400
        assert answer.json()["message"].startswith("Could not parse request body")
    assert dead.waiting(doors.reception.redis, doors.reception.keys) == 1


def test_a_key_of_nobody_is_a_401_everywhere(doors: Doors) -> None:
    wrong = ("", "GenieKey", "GenieKey wrong", f"Bearer {GENIE_KEY}", GENIE_KEY, f"GenieKey {GENIE_KEY}0",
             "GenieKey \xe9".encode("latin-1"))  # fmt: skip
    for sent in wrong:
        headers: Any = {"authorization": sent} if sent else {}
        for answer in (
            post(doors, ALERTS, {"message": "x"}, headers=headers),
            act(doors, "k", "close", headers=headers),
            doors.reception.http.get(f"{doors.url}{ALERTS}/requests/b1-1", headers=headers),
        ):
            assert (answer.status_code, answer.json()["message"]) == (401, "Could not authenticate"), sent
            assert answer.headers["www-authenticate"] == "GenieKey"
            assert answer.json()["hint"]
    assert doors.reception.entries() == []
    assert dead.waiting(doors.reception.redis, doors.reception.keys) == 0


def test_what_is_not_served_is_said_with_what_is(doors: Doors) -> None:
    http, url = doors.reception.http, doors.url
    for method, path, code in (
        ("GET", ALERTS, 405), ("GET", f"{ALERTS}/k", 404), ("DELETE", f"{ALERTS}/k", 404), ("POST", f"{ALERTS}/", 404),
        ("POST", f"{ALERTS}/k/snooze", 404), ("PUT", f"{ALERTS}/k/close", 405), ("POST", f"{ALERTS}/requests/b1-1", 405),
    ):  # fmt: skip
        answer = http.request(method, url + path, headers=KEY)
        assert answer.status_code == code, path
        assert answer.json()["hint"]


def test_when_it_cannot_be_kept_the_answer_is_503_and_when_to_try_again(redis: Redis, redis_url: str) -> None:
    with open_doors(redis, redis_url, pending=0) as doors:
        answer = create(doors)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["requestId"]


def test_without_a_source_there_is_nothing(redis: Redis, redis_url: str) -> None:
    with open_doors(redis, redis_url, policy=replace(DOORS, sources={})) as doors:
        assert create(doors).status_code == 404


_any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["P1", "\x00", "é" * 400, 2**70]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
_bodies = st.fixed_dictionaries(
    {}, optional={"message": st.just("m") | _any, "priority": st.just("P2") | _any,
                  **dict.fromkeys(("alias", "tags", "details", "responders", "note", "user", "entity"), _any)}
)  # fmt: skip
_paths = st.just(ALERTS) | st.builds(
    lambda called, action, kind: f"{ALERTS}/{quote(called, safe='')}/{action}?identifierType={quote(kind)}",
    st.text(max_size=8, alphabet=st.characters(exclude_categories=["Cs"])) | st.just("requests"),
    st.sampled_from(["acknowledge", "close", "notes", "snooze", ""]),
    st.sampled_from(["id", "alias", "tiny", "x", ""]),
)


def test_whatever_is_sent_the_answer_is_one_of_opsgenie_s(doors: Doors) -> None:
    @given(body=st.binary(max_size=60) | _bodies.map(lambda value: json.dumps(value).encode()), path=_paths)
    @examples(120, suppress_health_check=[HealthCheck.too_slow])
    def holds(body: bytes, path: str) -> None:
        answer = post(doors, path, body)
        assert answer.status_code in {202, 400, 404, 405, 422}
        assert answer.json()["requestId"]

    holds()
