"""booksy: whatever the operator has, behind three names."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import shipped
from vendor_server import Asked, Misbehaviour, Reply, VendorServer

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.actions import booksy
from workers.credentials import NoCredentialsError


def bridge(asked: Asked) -> Reply:
    if asked.headers.get("authorization") != "Bearer bridge-token":
        return Reply(401, {})
    return Reply(200, {"lag_minutes": 42, "asked": asked.method})


@pytest.fixture
def server() -> Iterator[VendorServer]:
    with VendorServer(bridge) as vendor:
        yield vendor


def step(ways: dict[str, Any], **changes: Any) -> Step:
    settings = {"allow_private": "true", **{name: json.dumps(way) for name, way in ways.items()}}
    return Step(settings=settings, timeout_s=10.0, idempotency_key="", now=0, **changes)


def act(name: str, at: Step) -> dict[str, Any]:
    found: dict[str, Any] = booksy.ACTIONS[name].run(at, booksy.Nothing())
    return found


def failure(name: str, at: Step) -> ActionError:
    with pytest.raises(ActionError) as failed:
        act(name, at)
    return failed.value


def request(server: VendorServer, path: str = "/status", **more: Any) -> dict[str, Any]:
    return {"request": {"url": server.url + path, "token": "bridge-token", **more}}


def program(code: str, **more: Any) -> dict[str, Any]:
    return {"program": {"path": sys.executable, "arguments": ["-I", "-S", "-c", code], **more}}


def test_the_status_is_what_the_bridge_says(server: VendorServer) -> None:
    found = act("status", step({"status": request(server, expect="json.lag_minutes")}))
    assert (found["ok"], found["json"]["lag_minutes"]) == (True, 42)


def test_a_program_may_be_asked_instead() -> None:
    one = program("print('{\"lag_minutes\": 7}')", reads=True)
    assert act("status", step({"status": one}))["json"] == {"lag_minutes": 7}


@pytest.mark.parametrize("name", ["sync", "refresh_auth", "reset_sync"])
def test_changes_are_asked_for_by_request_or_program(server: VendorServer, name: str) -> None:
    found = act(name, step({name: request(server, "/" + name, method="POST")}))
    assert (found["json"]["asked"], found["affects"]) == ("POST", 1)
    assert act(name, step({name: program("print('done')")}))["stdout"] == "done\n"


@pytest.mark.parametrize("name", ["sync", "refresh_auth", "reset_sync"])
def test_permission_is_asked_for_right_before(server: VendorServer, name: str) -> None:
    for way in (request(server, method="POST"), program("raise SystemExit(9)")):
        assert failure(name, step({name: way}, allowed=lambda: False)).outcome is Outcome.REFUSED
    assert server.calls == []


@pytest.mark.parametrize(
    ("how", "outcome"), [(503, Outcome.TEMPORARY), (401, Outcome.PERMANENT), (504, Outcome.UNKNOWN)]
)
def test_what_the_bridge_refuses_has_its_class(server: VendorServer, how: int, outcome: Outcome) -> None:
    server.misbehave(Misbehaviour(status=how))
    assert failure("sync", step({"sync": request(server, method="POST")})).outcome is outcome


def test_a_program_that_may_change_something_is_no_status() -> None:
    assert "reads: true" in str(failure("status", step({"status": program("")})))


@pytest.mark.parametrize("name", list(booksy.ACTIONS))
def test_what_nobody_has_set_is_only_simulated(name: str) -> None:
    failed = failure(name, step({}))
    assert isinstance(failed, NoCredentialsError)
    assert name in str(failed)


def test_a_dry_run_says_what_it_would_do(server: VendorServer) -> None:
    plan = booksy.ACTIONS["sync"].plan
    assert plan
    ways = ({"sync": request(server, method="POST")}, {"sync": {"program": {"path": "/bin/sync"}}})
    would = [plan(step(way), booksy.Nothing())["would"] for way in ways]
    assert would == [{"method": "POST", "url": f"{server.url}/status"}, {"argv": ["/bin/sync"]}]


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("{}", "not both"),
        ("{program: {path: /bin/x}, request: {url: 'https://a.example/x'}}", "not both"),
        ("{request: {url: 'a.example'}}", "does not fit"),
        ("{request: {url: 'https://a.example/x', methd: POST}}", 'unknown name "methd"'),
    ],
)
def test_a_way_that_cannot_be_gone_does_not_go_live(way: str, said: str) -> None:
    told = shipped.faults(shipped.spoilt("actions.yaml", "  booksy: {}", f"  booksy: {{sync: {way}}}"))
    assert len(told) == 1
    assert said in str(told[0])
