"""What Alertmanager's API shows and changes, for operators: alerts, groups, silences, receivers, status."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from desk import Desk
from noise_story import on, policy, relation
from reception import OPERATOR, POLICY, SECRETS, Reception, running, source
from redis import Redis

from ledger.clock import now_ms
from ledger.settings import LedgerSettings
from ledger.views import silences
from receiver.settings import ReceiverSettings
from routing.entry import Signal, SilenceSet
from routing.instant import HOUR, MINUTE, iso, parse_iso
from routing.policy import Tie

BEARER = {"authorization": f"Bearer {OPERATOR}"}
ROUTES = [
    ("GET", "/api/v2/status"),
    ("GET", "/api/v2/receivers"),
    ("GET", "/api/v2/alerts"),
    ("GET", "/api/v2/alerts/groups"),
    ("GET", "/api/v2/silences"),
    ("POST", "/api/v2/silences"),
    ("GET", "/api/v2/silence/s-1"),
    ("DELETE", "/api/v2/silence/s-1"),
]
KNOWN = replace(
    policy(relation(Tie.INHIBITS, 'kind="major-node"', 'kind="minor-pod"', "cluster")),
    sources=POLICY.sources,
)


@dataclass
class Place:
    """A receiver, and somebody who decides what it appends."""

    reception: Reception
    desk: Desk

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        content = json.dumps(body).encode() if body is not None else None
        given = {**BEARER, **headers}
        return self.reception.http.request(method, self.reception.url + path, content=content, headers=given)

    def ask(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def report(self, kind: str, **labels: str) -> None:
        self.desk.receive(on(kind, now_ms(), **labels).event, b"{}")

    def silence(self, **changes: Any) -> httpx2.Response:
        told = {
            "matchers": [{"name": "kind", "value": "minor-pod", "isRegex": False, "isEqual": True}],
            "startsAt": iso(now_ms()),
            "endsAt": iso(now_ms() + HOUR),
            "createdBy": "anna",
            "comment": "moving disks",
            **changes,
        }
        return self.call("POST", "/api/v2/silences", told)

    def set_silence(self, **changes: Any) -> str:
        answer = self.silence(**changes)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["silenceID"])


@pytest.fixture
def place(redis: Redis, redis_url: str, tmp_path: Path) -> Iterator[Place]:
    desk = Desk(redis_url, tmp_path, KNOWN)
    with running(redis, redis_url, policy=KNOWN) as reception:
        yield Place(reception, desk)


@pytest.fixture
def decided(place: Place) -> Iterator[Place]:
    """The same, where what is appended is decided at once."""
    with place.desk.folding():
        yield place


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nobody_but_an_operator_reads_or_silences(place: Place, method: str, path: str) -> None:
    for token in ("", "Bearer wrong", f"Bearer {SECRETS['TOCSIN_ALERTS_TOKEN']}", "Basic !", "Bearer żółw"):
        answer = place.reception.http.request(
            method, place.reception.url + path, headers={b"authorization": token.encode()}
        )
        assert answer.status_code == 401, token
        assert "TOCSIN_OPERATOR_TOKEN" in answer.json()["hint"]
        assert OPERATOR not in answer.text


def test_without_a_token_configured_it_is_closed(redis: Redis, redis_url: str) -> None:
    settings = ReceiverSettings(ledger=LedgerSettings(redis_url=redis_url))
    with running(redis, redis_url, settings=settings) as reception:
        for method, path in ROUTES:
            answer = reception.http.request(method, reception.url + path, headers={"authorization": "Bearer"})
            assert answer.status_code == 503
            assert "TOCSIN_OPERATOR_TOKEN" in answer.json()["hint"]


def test_an_operators_token_sends_alerts_where_one_source_takes_them(redis: Redis, redis_url: str) -> None:
    alerts = [{"labels": {"alertname": "DiskFull"}}]
    both = {**POLICY.sources, "second": source("second", "prometheus", "ALERTMANAGER_TOKEN")}
    for sources, status in ((POLICY.sources, 200), (both, 401)):
        with running(redis, redis_url, policy=replace(POLICY, sources=sources)) as reception:
            answer = reception.post("/api/v2/alerts", json.dumps(alerts).encode(), BEARER)
            assert answer.status_code == status
            signals = [each for each in reception.entries() if isinstance(each, Signal)]
            assert [each.event.source for each in signals] == ["prometheus"]


def test_what_fires_is_shown_with_its_labels_and_who_would_be_told(place: Place) -> None:
    place.report("minor-pod", cluster="a", pod="1")
    (shown,) = place.ask("/api/v2/alerts")
    assert shown["labels"]["pod"] == "1"
    assert shown["labels"]["kind"] == "minor-pod"
    assert shown["annotations"]["incident"] == "INC-1"
    assert shown["receivers"] == [{"name": KNOWN.route.escalation}]
    assert shown["status"] == {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []}
    assert parse_iso(shown["startsAt"]) <= now_ms() < parse_iso(shown["endsAt"])
    (known,) = place.desk.store.alerts("INC-1", archived=False)
    assert shown["fingerprint"] == known.fingerprint


def test_a_silence_shows_and_hides(place: Place) -> None:
    with place.desk.folding():
        name = place.set_silence()
    place.report("minor-pod", pod="1")
    place.report("minor-queue")
    shown = {each["labels"]["kind"]: each for each in place.ask("/api/v2/alerts")}
    assert shown["minor-pod"]["status"] == {
        "state": "suppressed", "silencedBy": [name], "inhibitedBy": [], "mutedBy": [],
    }  # fmt: skip
    assert kinds(place, "silenced=false") == ["minor-queue"]
    assert kinds(place, "active=false") == ["minor-pod"]
    assert kinds(place, "active=true&silenced=true&inhibited=false&unprocessed=false&receiver=") == [
        "minor-pod",
        "minor-queue",
    ]


def test_what_is_inhibited_names_the_alert_that_inhibits_it(place: Place) -> None:
    place.report("minor-pod", cluster="a")
    place.report("minor-pod", cluster="b")
    place.report("major-node", cluster="a")
    shown = {
        (each["labels"]["kind"], each["labels"]["cluster"]): each for each in place.ask("/api/v2/alerts")
    }
    node = shown["major-node", "a"]["fingerprint"]
    assert shown["minor-pod", "a"]["status"]["inhibitedBy"] == [node]
    assert shown["minor-pod", "b"]["status"]["inhibitedBy"] == []
    assert len(place.ask("/api/v2/alerts?inhibited=false")) == 2


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("filter=kind%3D%22minor-pod%22", ["minor-pod"]),
        ("filter=kind%3D~%22minor.*%22", ["minor-pod", "minor-queue"]),
        ("filter=kind!%3Dminor-pod&filter=severity%3DSEV-2", ["minor-queue"]),
        ("filter=nobody%3Dhas-it", []),
        ("receiver=nobody", []),
        (f"receiver={KNOWN.route.escalation[:2]}.*", ["minor-pod", "minor-queue"]),
        ("receiver_matchers=owner%3D%22us%22", []),
    ],
)
def test_alerts_are_found_by_matchers_and_by_who_would_be_told(
    place: Place, query: str, found: list[str]
) -> None:
    place.report("minor-pod")
    place.report("minor-queue")
    assert kinds(place, query) == found


def kinds(place: Place, query: str) -> list[str]:
    return sorted(each["labels"]["kind"] for each in place.ask(f"/api/v2/alerts?{query}"))


def test_groups_are_incidents_with_the_labels_they_are_grouped_by(place: Place) -> None:
    place.report("minor-pod", pod="1")
    place.report("minor-pod", pod="2")
    place.report("major-db")
    first, second = place.ask("/api/v2/alerts/groups")
    assert first["labels"] == {"kind": "major-db"}
    assert second["labels"] == {"kind": "minor-pod"}
    assert [each["labels"]["pod"] for each in second["alerts"]] in (["1", "2"], ["2", "1"])
    assert second["receiver"] == {"name": KNOWN.route.escalation}
    assert [each["labels"] for each in place.ask("/api/v2/alerts/groups?filter=pod%3D1")] == [
        {"kind": "minor-pod"}
    ]
    with place.desk.folding():
        place.set_silence()
    assert [each["labels"] for each in place.ask("/api/v2/alerts/groups?muted=false")] == [
        {"kind": "major-db"}
    ]


def test_a_silence_is_the_same_one_that_the_command_line_shows(decided: Place) -> None:
    name = decided.set_silence(annotations={"ticket": "OPS-7"})
    (row,) = silences.standing(decided.desk.store, now_ms())
    assert (row.silence.id, row.silence.matchers, row.silence.by) == (name, ['kind="minor-pod"'], "anna")
    assert row.silence.reason == "moving disks"
    shown = decided.ask(f"/api/v2/silence/{name}")
    assert shown["status"] == {"state": "active"}
    assert shown["matchers"] == [{"name": "kind", "value": "minor-pod", "isRegex": False, "isEqual": True}]
    assert (shown["createdBy"], shown["comment"], shown["annotations"]) == (
        "anna",
        "moving disks",
        {"ticket": "OPS-7"},
    )
    assert [shown] == decided.ask("/api/v2/silences")


def test_one_set_on_the_command_line_is_shown_and_ended_here(place: Place) -> None:
    now = now_ms()
    place.desk.append(
        SilenceSet(at=now, by="ben", id="s-1", matchers=['team!~"x|y"'], from_at=now, until_at=now + HOUR)
    )
    shown = place.ask("/api/v2/silence/s-1")
    assert shown["matchers"] == [{"name": "team", "value": "x|y", "isRegex": True, "isEqual": False}]
    with place.desk.folding():
        basic = httpx2.BasicAuth("carla", OPERATOR)
        url = f"{place.reception.url}/api/v2/silence/s-1"
        assert place.reception.http.delete(url, auth=basic).status_code == 200
        assert place.call("DELETE", "/api/v2/silence/s-1").status_code == 200
    (ended,) = silences.ended(place.desk.store, now_ms())
    assert (ended.id, ended.by, ended.from_at) == ("s-1", "carla", now)
    assert ended.client == "TOCSIN_OPERATOR_TOKEN from 127.0.0.1"
    assert silences.standing(place.desk.store, now_ms()) == []
    assert place.ask("/api/v2/silence/s-1")["status"] == {"state": "expired"}
    assert place.ask("/api/v2/silences?expired=false") == []


def test_a_post_with_an_id_changes_that_silence(decided: Place) -> None:
    begun = iso(now_ms() - 1)
    name = decided.set_silence(startsAt=begun)
    begun = decided.ask(f"/api/v2/silence/{name}")["startsAt"]
    later = iso(now_ms() + 3 * HOUR)
    assert decided.set_silence(id=name, startsAt=begun, endsAt=later, comment="longer") == name
    assert decided.ask(f"/api/v2/silence/{name}")["endsAt"] == later
    other = [{"name": "kind", "value": "minor-queue", "isRegex": False}]
    second = decided.set_silence(id=name, startsAt=begun, matchers=other)
    assert second != name
    assert [(each["id"], each["status"]["state"]) for each in decided.ask("/api/v2/silences")] == [
        (second, "active"),
        (name, "expired"),
    ]


def test_silences_are_found_by_state_and_by_their_own_matchers(decided: Place) -> None:
    now = decided.set_silence()
    soon = decided.set_silence(startsAt=iso(now_ms() + MINUTE))
    assert [each["id"] for each in decided.ask("/api/v2/silences?active=false")] == [soon]
    assert [each["id"] for each in decided.ask("/api/v2/silences?pending=0")] == [now]
    assert len(decided.ask("/api/v2/silences?filter=kind%3D%22minor-pod%22")) == 2
    assert decided.ask("/api/v2/silences?filter=kind%3D~%22minor-pod%22") == []


def test_what_cannot_be_set_is_answered_in_alertmanagers_words(place: Place) -> None:
    refused = place.silence(endsAt=iso(now_ms() - HOUR))
    assert (refused.status_code, refused.json()) == (
        400,
        "Failed to create silence: start time must be before end time",
    )
    assert place.silence(comment=None).json() == {"code": 602, "message": "comment in body is required"}
    assert place.silence(id="nobody").json() == "silence not found"
    assert place.reception.entries() == []


@pytest.mark.parametrize("path", ["silence/nobody", "silence/%00%ff", f"silence/{'x' * 5000}"])
def test_a_silence_that_is_not_known_is_a_404(place: Place, path: str) -> None:
    for method in ("GET", "DELETE"):
        assert place.call(method, f"/api/v2/{path}").status_code == 404


@pytest.mark.parametrize(
    "query", ["filter=%7B", "filter=a%3D~(", "receiver=(", f"receiver={'(a*)*' * 40}", "filter=a%3Db&" * 65]
)
@pytest.mark.parametrize("path", ["alerts", "alerts/groups", "silences", "receivers"])
def test_a_question_that_cannot_be_read_is_a_400(place: Place, path: str, query: str) -> None:
    if path == "receivers" and query.startswith("filter"):
        query = query.replace("filter", "receiver_matchers")
    answer = place.call("GET", f"/api/v2/{path}?{query}")
    assert answer.status_code == 400
    assert isinstance(answer.json(), str)


def test_a_body_too_large_is_refused(place: Place) -> None:
    assert place.silence(comment="x" * 70_000).status_code == 413


def test_what_cannot_be_made_durable_is_503_with_a_time_to_try_again(redis: Redis, redis_url: str) -> None:
    async def broken(_: object) -> list[Any]:
        raise ConnectionError

    with running(redis, redis_url, policy=KNOWN, append=broken) as reception:
        answer = Place(reception, Desk(redis_url, Path(), KNOWN)).silence()
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0


def test_without_the_store_it_says_when_to_come_back(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    ledger = LedgerSettings(redis_url=f"unix://{tmp_path}/nobody.sock")
    settings = ReceiverSettings(ledger=ledger, operator_tokens=(OPERATOR,))
    with running(redis, redis_url, policy=KNOWN, settings=settings) as reception:
        for path in ("alerts", "alerts/groups", "silences", "silence/s-1"):
            answer = reception.http.get(f"{reception.url}/api/v2/{path}", headers=BEARER)
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0


def test_status_and_receivers_are_what_clients_expect_of_them(place: Place) -> None:
    told = place.ask("/api/v2/status")
    assert told["cluster"]["status"] == "disabled"
    assert parse_iso(told["uptime"]) <= now_ms()
    config = yaml.safe_load(told["config"]["original"])
    names = [each["name"] for each in config["receivers"]]
    assert config["route"]["receiver"] in names
    assert [each["name"] for each in place.ask("/api/v2/receivers")] == sorted(names)
    assert all(isinstance(value, str) for value in told["versionInfo"].values())


@pytest.mark.parametrize("path", ["/api/v2/silences", "/api/v2/alerts/groups", "/api/v2/status"])
def test_other_methods_are_told_what_is_taken(place: Place, path: str) -> None:
    answer = place.call("PUT", path)
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
