"""How the API is asked: conditions, repeats, pages, limits, and what is said when something is wrong."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
import seeing
from api_world import V1, World, bury
from desk import Desk
from seeing import Seen
from small_policy import POLICY

from console.api.declared import Asked, few
from console.api.problems import Problem
from console.trust.acts import Role, Scope
from ledger import accounts, dead, repeats, wire
from routing.entry import Lane

pytestmark = [pytest.mark.xdist_group("api")]


@pytest.fixture
def client(at: World) -> Iterator[httpx2.Client]:
    with at.client(at.admin) as client:
        yield client


@pytest.fixture
def incident(at: World) -> str:
    """One of its own."""
    opened = at.post(
        "/incidents", {"title": "Checkout is slow", "severity": "SEV-2", "service": "checkout"}, 201
    )
    return str(opened["incident"])


def appended(at: World) -> int:
    return int(at.desk.client.xlen(at.desk.keys.log(Lane.CONTROL)))


def test_what_is_known_already_is_not_sent_again(client: httpx2.Client, incident: str) -> None:
    first = client.get(f"/incidents/{incident}")
    again = client.get(f"/incidents/{incident}", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    client.post(f"/incidents/{incident}/note", json={"text": "hm"})
    changed = client.get(
        f"/incidents/{incident}", headers={"if-none-match": f'"old", W/{first.headers["etag"]}'}
    )
    assert changed.status_code == 200


def test_who_acts_on_what_has_changed_meanwhile_is_told_so(client: httpx2.Client, incident: str) -> None:
    seen = client.get(f"/incidents/{incident}").headers["etag"]
    client.post(f"/incidents/{incident}/ack")
    late = client.post(f"/incidents/{incident}/resolve", headers={"if-match": seen})
    assert (late.status_code, late.json()["hint"]) == (412, "read it again, then decide again")
    assert client.get(f"/incidents/{incident}").json()["status"] == "acknowledged"
    fresh = client.get(f"/incidents/{incident}").headers["etag"]
    assert client.post(f"/incidents/{incident}/resolve", headers={"if-match": fresh}).status_code == 200
    blind = client.post(
        "/silences", json={"matchers": ['a="b"'], "for": "1h", "reason": "x"}, headers={"if-match": seen}
    )
    assert blind.status_code == 412


def test_the_same_request_with_the_same_key_is_carried_out_once(
    at: World, client: httpx2.Client, incident: str
) -> None:
    note = f"/incidents/{incident}/note"
    key = {"idempotency-key": f"once-{incident}"}
    first = client.post(note, json={"text": "restarted the cache"}, headers=key)
    before = appended(at)
    again = client.post(note, json={"text": "restarted the cache"}, headers=key)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    other = client.post(note, json={"text": "restarted the database"}, headers=key)
    assert (other.status_code, other.json()["detail"]) == (
        409,
        "Idempotency-Key: it was used for something else",
    )
    told = [each["what"] for each in client.get(f"/incidents/{incident}/timeline").json()["timeline"]]
    assert told.count("note: restarted the cache") == 1
    assert appended(at) == before


def test_a_key_is_its_owners_and_lasts_a_day(at: World, client: httpx2.Client, incident: str) -> None:
    key = {"idempotency-key": f"mine-{incident}"}
    client.post(f"/incidents/{incident}/note", json={"text": "x"}, headers=key)
    with at.client(at.seen.token("other", Role.RESPONDER, *Scope)) as other:
        answer = other.post(f"/incidents/{incident}/note", json={"text": "y"}, headers=key)
        assert (answer.status_code, "idempotency-replayed" in answer.headers) == (200, False)
    found = at.desk.client.keys(at.desk.keys.repeat("*", f"mine-{incident}"))
    assert len(found) == 2
    assert all(86_000_000 < at.desk.client.pttl(each) <= 86_400_000 for each in found)


def test_what_was_refused_for_good_is_refused_again_and_what_was_not_carried_out_may_be_tried(
    at: World, client: httpx2.Client
) -> None:
    key = {"idempotency-key": "refused-1"}
    for _ in range(2):
        assert client.post("/incidents/INC-999/ack", headers=key).status_code == 404
    with at.client(at.seen.token("few", Role.VIEWER, *Scope)) as viewer:
        assert (
            viewer.post("/dead/retry", json={"ids": ["x"]}, headers={"idempotency-key": "k"}).status_code
            == 403
        )
    assert at.desk.client.keys(at.desk.keys.repeat("*", "k")) == []


def test_a_repeat_while_the_first_is_under_way_is_told_so(
    at: World, client: httpx2.Client, incident: str
) -> None:
    [who] = [
        f"token:{each.id}" for each in accounts.tokens(at.desk.client, at.desk.keys) if each.name == "admin"
    ]
    ack = f"{V1}/incidents/{incident}/ack"
    asked = hashlib.sha256(b"\0".join((b"POST", ack.encode(), b""))).hexdigest()
    assert repeats.begin(at.desk.client, at.desk.keys, who, "busy", asked) is None
    answer = client.post(f"/incidents/{incident}/ack", headers={"idempotency-key": "busy"})
    assert (answer.status_code, answer.json()["hint"]) == (409, "try again in a moment")
    assert client.get(f"/incidents/{incident}").json()["status"] == "triggered"
    repeats.forget(at.desk.client, at.desk.keys, who, "busy")
    assert client.post(f"/incidents/{incident}/ack", headers={"idempotency-key": "busy"}).status_code == 200


@pytest.mark.parametrize("key", ["", "two words", "ż", "x" * 201])
def test_a_key_that_is_none_is_refused(key: str, client: httpx2.Client, incident: str) -> None:
    answer = client.post(f"/incidents/{incident}/ack", headers={b"idempotency-key": key.encode()})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_pages_of_incidents_go_on_where_the_last_one_ended(at: World, client: httpx2.Client) -> None:
    opened = [
        at.post("/incidents", {"title": f"page {n}", "severity": "SEV-4"}, 201)["incident"] for n in range(5)
    ]
    seen: list[str] = []
    after = ""
    while True:
        page = client.get("/incidents", params={"text": "page ", "limit": 2, "after": after}).json()
        seen += [each["id"] for each in page["incidents"]]
        after = page["after"]
        if not after:
            break
        at.post("/incidents", {"title": "page of later", "severity": "SEV-4"}, 201)
    assert seen == opened[::-1]


def test_filters_of_incidents_narrow_them(at: World, client: httpx2.Client) -> None:
    named = {"title": "filtered", "service": "only-here"}
    one = at.post("/incidents", {**named, "severity": "SEV-1"}, 201)["incident"]
    two = at.post("/incidents", {**named, "severity": "SEV-3", "team": "payments"}, 201)["incident"]
    client.post(f"/incidents/{two}/resolve")
    queries: tuple[tuple[dict[str, Any], list[str]], ...] = (
        ({}, [one]), ({"all": "true"}, [two, one]), ({"status": "resolved"}, [two]), ({"severity": "SEV-2"}, [one]),
        ({"status": ["resolved", "triggered"]}, [two, one]), ({"all": "true", "team": "payments"}, [two]),
    )  # fmt: skip
    for query, expected in queries:
        found = client.get("/incidents", params={"service": "only-here", **query}).json()["incidents"]
        assert [each["id"] for each in found] == expected, query


@pytest.mark.parametrize(
    ("method", "path", "send", "status", "says"),
    [
        ("GET", "/incidents?limit=501", {}, 422, "query.limit"),
        ("GET", "/incidents?limit=1&limit=2", {}, 422, "leave one of them"),
        ("GET", "/incidents?nonsense=1", {}, 422, "nonsense"),
        ("GET", "/incidents?after=nine", {}, 422, "ids look like INC-12"),
        ("GET", "/dead?after=nine", {}, 422, "no place in the dead letters"),
        ("GET", "/outbox?after=nine", {}, 422, "no place in the outbox"),
        ("GET", "/incidents/INC-9999", {}, 404, "no incident"),
        ("GET", "/nothing", {}, 404, "Not Found"),
        ("DELETE", "/incidents", {}, 405, "use GET, HEAD, POST"),
        ("POST", "/incidents", {"content": b"{}"}, 415, "send application/json"),
        ("POST", "/incidents", {"json": {"severity": "SEV-1"}}, 422, "body.title"),
        ("POST", "/incidents", {"json": {"title": "x", "severity": "SEV-9"}}, 422, "body.severity"),
        ("POST", "/incidents", {"json": {"title": 5}}, 422, "body.title"),
        ("POST", "/incidents", {"json": {"title": "x" * 1_100_000}}, 413, "send less at once"),
        ("POST", "/incidents/INC-1/ack", {"json": {"text": "x"}}, 422, "nothing is read from it"),
        ("POST", "/incidents/INC-1/snooze", {"json": {}}, 422, "`for` and `until`"),
        ("POST", "/incidents/INC-1/snooze", {"json": {"until": "2020-01-01T00:00:00Z"}}, 422, "that is over already"),
        ("POST", "/incidents/INC-1/reassign", {"json": {"to": "nobody"}}, 422, "there are anna"),
        ("POST", "/incidents/INC-1/merge", {"json": {"into": "INC-1"}}, 422, "into itself"),
        ("POST", "/runbooks/nothing/run", {"json": {"incident": "INC-1"}}, 404, "see: tocsin runbook list"),
        ("POST", "/silences", {"json": {"matchers": ["x"], "for": "1h", "reason": "y"}}, 422, "body.matchers"),
        ("POST", "/silences", {"json": {"matchers": ['a="b"'], "for": "soon", "reason": "y"}}, 422, "body.for"),
        ("POST", "/oncall/overrides", {"json": {"schedule": "x", "contact": "ben"}}, 422, "no schedule"),
        ("POST", "/dead/retry", {"json": {}}, 422, "`ids`"),
        ("POST", "/dead/retry", {"json": {"ids": ["dl-nothing"]}}, 404, "no dead letter"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_what_to_do(
    client: httpx2.Client,
    incident: str,
    method: str,
    path: str,
    send: dict[str, object],
    status: int,
    says: str,
) -> None:
    answer = client.request(method, path, **send)  # type: ignore[arg-type]
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "hint"} <= answer.json().keys()
    assert says in answer.text


def test_what_was_sent_is_not_said_back(client: httpx2.Client) -> None:
    answer = client.post("/incidents", json={"title": "x", "pasword": "hunter2", "severity": "hunter3"})
    assert answer.status_code == 422
    assert "hunter" not in answer.text


def test_a_token_may_ask_so_often_a_minute(at: World) -> None:
    with at.client(at.seen.token("slow", Role.VIEWER, Scope.READ, per_minute=3)) as client:
        answers = [client.get("/me") for _ in range(5)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 61


def test_who_did_it_and_from_where_is_in_the_life_of_it(
    at: World, client: httpx2.Client, incident: str
) -> None:
    done = client.post(f"/incidents/{incident}/ack").json()
    assert done["said"][0] == "acknowledged by admin via the API"
    [life] = client.get(f"/why/{done['entry']}").json()["lives"]
    assert "from 127.0.0.1" in life["life"][0]["what"]


def test_a_dead_letter_is_looked_at_mended_and_dropped_and_waits_again(
    at: World, client: httpx2.Client
) -> None:
    bury(at.desk)
    letter = client.get("/dead/dl-refused").json()
    assert letter["base64"] is None
    assert base64.b64decode(client.get("/dead/dl-refused?raw=true").json()["base64"]).startswith(b"\x00\xff")
    with at.client(at.seen.token("viewer", Role.VIEWER, *Scope)) as viewer:
        assert viewer.get("/dead/dl-refused").status_code == 200
        assert viewer.get("/dead/dl-refused?raw=true").status_code == 403
    assert client.get("/dead", params={"kind": "refused"}).json()["letters"][0]["id"] == "dl-refused"
    assert client.get("/dead", params={"text": "no such words"}).json() == {"letters": [], "after": ""}
    wrong = client.post("/dead/dl-refused/check", json={"text": "{}"}).json()
    assert wrong["problem"]
    kept = client.put("/dead/dl-refused/body", json={"text": "[]"}).json()
    assert kept["problem"]
    assert client.get("/dead/dl-refused").json()["edited_by"] == "admin"
    would = client.post("/dead/retry", json={"ids": ["dl-refused"], "dry_run": True}).json()
    assert would["letters"][0]["error"]
    again = client.post("/dead/retry", json={"all": True, "kind": "refused"}).json()
    assert [(each["id"], bool(each["error"])) for each in again["letters"]] == [("dl-refused", True)]
    assert client.post("/dead/drop", json={"ids": ["dl-refused"]}).status_code == 200
    assert client.get("/dead/dl-refused").json()["status"] == "dropped"
    assert client.post("/dead/dl-refused/restore").json()["status"] == "waiting"
    assert client.post("/dead/dl-refused/restore").status_code == 409
    assert dead.waiting(at.desk.client, at.desk.keys) == 2


def test_where_nobody_decides_it_is_kept_and_said_so(redis_url: str, tmp_path: Path) -> None:
    desk = Desk(redis_url, tmp_path, POLICY)
    desk.publish()
    with seeing.console(seeing.site(redis_url, tmp_path)) as seen:
        token = seen.token("admin", Role.ADMIN, *Scope)
        answer = seen.client.post(
            f"{seen.url}{V1}/incidents", json={"title": "x"}, headers={"authorization": f"Bearer {token}"}
        )
        assert (answer.status_code, answer.json()["decided"]) == (202, False)
        desk.fold()
        found = _get(seen, token, f"/why/{answer.json()['entry']}")
        assert found["lives"][0]["id"] == answer.json()["entry"]


def _get(seen: Seen, token: str, path: str) -> dict[str, list[dict[str, str]]]:
    answer = seen.client.get(f"{seen.url}{V1}{path}", headers={"authorization": f"Bearer {token}"})
    found: dict[str, list[dict[str, str]]] = answer.json()
    return found


def test_without_the_store_it_says_when_to_ask_again(tmp_path: Path) -> None:
    with seeing.console(seeing.site("unix:///nowhere/at/all.sock", tmp_path)) as seen:
        answer = seen.client.get(f"{seen.url}{V1}/incidents", headers={"authorization": "Bearer x"})
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.headers["retry-after"]


def test_who_is_signed_in_may_ask_too_and_only_from_our_own_pages(at: World, incident: str) -> None:
    with at.seen.signed_in("ben") as browser:
        acked = browser.post(f"{V1}/incidents/{incident}/ack")
        assert acked.json()["said"][0] == "acknowledged by ben via the console"
        browser.headers["sec-fetch-site"] = "cross-site"
        refused = browser.post(f"{V1}/incidents/{incident}/resolve")
        assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
        assert browser.get(f"{V1}/incidents/{incident}").json()["status"] == "acknowledged"


def test_a_silence_that_has_ended_is_no_longer_listed_and_cannot_be_ended_again(at: World) -> None:
    sent = {"matchers": ['service="nowhere"'], "for": "1h", "reason": "test"}
    name = at.post("/silences", sent, 201)["silence"]
    with at.client(at.admin) as client:
        assert client.delete(f"/silences/{name}").status_code == 200
        assert client.delete(f"/silences/{name}").status_code == 404
    assert name not in [each["id"] for each in at.get("/silences")["silences"]]


def test_what_takes_long_is_done_for_few_at_a_time() -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()

    def slowly(_: Any) -> str:
        begun.release()
        assert go_on.wait(20)
        return "done"

    does, asked = few(slowly, most=2), cast("Asked", None)
    with ThreadPoolExecutor(2) as others:
        first = [others.submit(does, asked) for _ in range(2)]
        assert begun.acquire(timeout=20)
        assert begun.acquire(timeout=20)
        with pytest.raises(Problem) as refused:
            does(asked)
        go_on.set()
        assert [each.result(20) for each in first] == ["done", "done"]
    assert (refused.value.status, refused.value.headers) == (429, {"retry-after": "2"})
    assert does(asked) == "done", "there is room again"


def test_why_somebody_was_not_paged_is_told(at: World, incident: str, client: httpx2.Client) -> None:
    told = client.get(f"/incidents/{incident}/why/ceo").json()
    assert told["verdict"].startswith("ceo was not paged")
    assert client.get(f"/incidents/{incident}/why/nobody").status_code == 404


def test_an_admin_sees_tokens_and_ends_one(at: World, client: httpx2.Client) -> None:
    secret = at.seen.token("leaked", Role.VIEWER, Scope.READ)
    listed = client.get("/tokens")
    [one] = [each for each in listed.json()["tokens"] if each["name"] == "leaked"]
    assert secret not in listed.text
    assert client.delete(f"/tokens/{one['id']}").status_code == 204
    assert client.delete(f"/tokens/{one['id']}").status_code == 404
    with at.client(secret) as ended:
        assert ended.get("/me").status_code == 401
    newest = client.get("/audit", params={"limit": 1}).json()["audit"][0]
    assert (newest["by"], newest["what"]) == ("admin", f"revoked token {one['id']} (leaked)")
    assert newest["client"].endswith("from 127.0.0.1")


def test_an_admin_lets_somebody_in_changes_what_they_may_and_keeps_them_out(
    at: World, client: httpx2.Client
) -> None:
    made = client.post(
        "/users", json={"name": "eve", "role": "responder", "teams": ["payments"], "contact": "ben"}
    )
    assert made.status_code == 201
    link = made.json()["link"]
    assert link.startswith(f"{at.seen.site.settings.origin}/welcome/")
    assert accounts.invited(at.desk.client, at.desk.keys, link.rpartition("/")[2]) == "eve"
    assert client.post("/users", json={"name": "eve"}).status_code == 409
    assert client.post("/users", json={"name": "ida", "contact": "nobody"}).status_code == 422
    shown = client.get("/users/eve")
    assert {key: shown.json()[key] for key in ("role", "teams", "contact", "password", "disabled")} == {
        "role": "responder", "teams": ["payments"], "contact": "ben", "password": False, "disabled": False,
    }  # fmt: skip
    stale, fresh = {"if-match": '"stale"'}, {"if-match": shown.headers["etag"]}
    assert client.patch("/users/eve", json={"role": "viewer"}, headers=stale).status_code == 412
    assert client.patch("/users/eve", json={"role": "viewer"}, headers=fresh).json()["teams"] == ["payments"]
    mixed = {"grants": {"platform": "admin", "payments": "responder"}}
    changed = client.patch("/users/eve", json=mixed).json()
    assert changed["grants"] == {"all": "viewer", "platform": "admin", "payments": "responder"}
    assert (changed["role"], changed["teams"]) == ("admin", ["platform"]), (
        "the highest, and no more than it is for"
    )
    for senseless in ({"role": "admin", **mixed}, {"role": "admin"}, {"grants": {"web": "root"}}):
        assert client.patch("/users/eve", json=senseless).status_code == 422
    taken = client.patch("/users/eve", json={"grants": {"platform": "none"}}).json()
    assert taken["grants"] == {"all": "viewer", "payments": "responder"}
    one, other = at.seen.session("eve"), at.seen.session("eve")
    first = accounts.digest(one)[:12]
    assert client.delete(f"/users/eve/sessions/{first}").status_code == 204
    assert client.delete(f"/users/eve/sessions/{first}").status_code == 404
    assert [each["id"] for each in client.get("/users/eve/sessions").json()["sessions"]] == [
        accounts.digest(other)[:12]
    ]
    assert client.delete("/users/eve/sessions").json() == {"ended": 1}
    assert client.post("/users/eve/disable").json()["disabled"] is True
    assert client.get("/users/eve").json()["disabled"] is True
    assert client.post("/users/eve/enable").json()["disabled"] is False
    assert client.delete("/users/eve").status_code == 204
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/invite"),
        ("POST", "/disable"),
    ):
        answer = client.request(method, f"/users/eve{path}", json={} if method == "PATCH" else None)
        assert answer.status_code == 404, path
    newest = client.get("/audit", params={"limit": 1}).json()["audit"][0]
    assert (newest["by"], newest["what"]) == ("admin", "removed eve")


def kept(at: World) -> bytes:
    """Every text that the store has, and within those the answers that are kept for repeats."""
    client = at.desk.client
    names = [each for each in client.keys("*") if client.type(each) == b"string"]
    texts = [each for each in wire.call(client, "MGET", *names) if each]
    answers = [base64.b64decode(json.loads(each).get("body", "")) for each in texts if each[:1] == b"{"]
    return b"\n".join([*texts, *answers])


def test_a_token_is_made_once_and_its_secret_is_kept_nowhere(at: World, client: httpx2.Client) -> None:
    key = {"idempotency-key": "once-only"}
    body = {"name": "deploys", "scopes": ["incidents"], "for": "30m", "teams": ["payments"]}
    made = client.post("/tokens", json=body, headers=key)
    assert made.status_code == 201
    secret = made.json()["token"]
    [one] = [each for each in client.get("/tokens").json()["tokens"] if each["id"] == made.json()["id"]]
    assert (one["scopes"], one["teams"], one["expires_at"]) == (
        ["incidents", "read"],
        ["payments"],
        made.json()["expires_at"],
    )
    again = client.post("/tokens", json=body, headers=key)
    assert (again.status_code, "only the first answer" in again.json()["detail"]) == (409, True)
    assert secret.encode() not in kept(at)
    with at.client(secret) as its:
        assert its.get("/me").json()["name"] == "deploys"
        assert its.get("/tokens").status_code == 403
    link = client.post("/users", json={"name": "ida"}, headers={"idempotency-key": "linked"}).json()["link"]
    assert link.rpartition("/")[2].encode() not in kept(at)
    assert b"only the first answer" in kept(at), "this test would see it"


def test_a_token_makes_none_that_may_more_or_lives_longer(at: World) -> None:
    maker = at.seen.token("maker", Role.ADMIN, Scope.READ, Scope.ADMIN, lasts_ms=3_600_000)
    with at.client(maker) as client:
        beyond = client.post("/tokens", json={"name": "x", "scopes": ["dead"], "for": "1m"})
        longer = client.post("/tokens", json={"name": "x", "scopes": ["read"], "for": "2h"})
        assert (beyond.status_code, longer.status_code) == (403, 403)
        assert "dead" in beyond.json()["detail"]
        assert (
            client.post("/tokens", json={"name": "x", "scopes": ["admin"], "for": "30m"}).status_code == 201
        )
        wrongs: list[dict[str, Any]] = [
            {"for": "2000d"}, {"for": "0s"}, {"scopes": []}, {"scopes": ["all"]}, {"user": "nobody"},
        ]  # fmt: skip
        for wrong in wrongs:
            answer = client.post("/tokens", json={"name": "x", "scopes": ["read"], "for": "1m", **wrong})
            assert answer.status_code == 422, wrong


def test_events_are_decided_once_more_or_only_tried(at: World, client: httpx2.Client) -> None:
    event = client.post("/probes/site-health/test", json={"resolve": True}).json()["entry"]
    would = client.post("/events/replay", json={"ids": [event], "dry_run": True}).json()["events"]
    assert [(each["of"], each["id"], each["error"]) for each in would] == [(event, "", "")]
    assert would[0]["became"]
    before = len(client.get(f"/why/{event}.r1").json().get("lives", []))
    [done] = client.post("/events/replay", json={"ids": [event]}).json()["events"]
    assert (before, done["id"], done["error"]) == (0, f"{event}.r1", "")
    assert client.get(f"/why/{done['id']}").json()["lives"][0]["id"] == done["id"]
    assert client.post("/events/replay", json={"ids": [event, "u1-0"]}).status_code == 404
    assert client.get(f"/why/{event}.r2").status_code == 404, "one that is none, and nothing was done"


def test_events_are_chosen_by_what_they_are_a_page_at_a_time(at: World, client: httpx2.Client) -> None:
    for _ in range(3):
        client.post("/probes/site-health/test", json={})
    choose = {"sources": ["probes"], "matchers": ['status="firing"'], "since": "2026-01-01T00:00:00Z"}
    whole = client.post("/events/replay", json={"choose": choose, "dry_run": True}).json()
    found = [each["of"] for each in whole["events"]]
    assert (len(found) >= 3, whole["after"], {each["source"] for each in whole["events"]}) == (
        True,
        "",
        {"probes"},
    )
    paged, after = [], ""
    for _ in range(len(found) + 1):
        sent = {"choose": choose, "dry_run": True, "limit": 1, "after": after}
        page = client.post("/events/replay", json=sent).json()
        paged += [each["of"] for each in page["events"]]
        after = page["after"]
        if not after:
            break
    assert (paged, after) == (found, "")
    none = client.post(
        "/events/replay", json={"choose": {**choose, "where": "event.title == 'nothing'"}, "dry_run": True}
    )
    assert none.json() == {"events": [], "after": ""}
    wrongs: list[dict[str, Any]] = [
        {}, {"ids": [found[0]], "choose": choose}, {"choose": {}}, {"choose": {"sources": ["nobody"]}},
        {"choose": {"matchers": ["nomatcher"]}}, {"choose": {"where": "((("}}, {"choose": choose, "after": "x"},
        {"choose": {"since": "2026-01-01"}},
    ]  # fmt: skip
    for wrong in wrongs:
        assert client.post("/events/replay", json={**wrong, "dry_run": True}).status_code == 422, wrong
    done = client.post("/events/replay", json={"choose": choose, "limit": 2}).json()
    assert [each["id"].rpartition(".")[0] for each in done["events"]] == found[:2]
    assert done["after"] == found[1]
