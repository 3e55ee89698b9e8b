"""docs/receiver.openapi.yaml is true: it lists what is served, and whatever is sent is answered as it says, soon."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import all_sources
import pytest
import requests
import schemathesis
import senders
import yaml
from described import keeping, labels, tried
from examples import TIMES
from hypothesis import HealthCheck, settings
from reception import OPERATOR, POLICY, Reception, running
from requests.auth import AuthBase
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from senders import SECRET, source_of
from starlette.routing import Route

from ledger import catalogue
from ledger.clock import now_ms
from ledger.connection import connect
from ledger.server import EmbeddedServer
from ledger.settings import LedgerSettings
from receiver import alerts_api, app, events_api, hmacs, hooks
from receiver.sources import opsgenie

pytestmark = [pytest.mark.xdist_group("receiver-description")]
READER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Every worker reads it when it collects."""
DOCUMENT = yaml.load((Path(__file__).parents[2] / "docs/receiver.openapi.yaml").read_text(), READER)  # noqa: S506  # it is safe
VENDORS = list(all_sources.vendors().items())
EXAMPLES = 15
"""Of each operation: 600 in all. Thousands are cheaper in test_fuzz.py."""
LATEST = "9999999999999-0"


@pytest.fixture(scope="module")
def at(server: EmbeddedServer) -> Iterator[Reception]:
    """All vendors' sources. Whatever is set is decided: who waits for that waits for nothing."""
    sources = {name: replace(source_of(vendor), name=name) for name, vendor in VENDORS}
    with connect(LedgerSettings(redis_url=server.url)) as client:
        client.flushall()
        with running(client, server.url, policy=replace(POLICY, sources=sources)) as found:
            client.hset(found.keys.cursor, mapping=dict.fromkeys(("control", "urgent", "bulk"), LATEST))
            yield found


class Signer(AuthBase):
    """As the vendor, or whoever may: a fuzzed body that is verified gets further than one that is not."""

    def __call__(self, sent: requests.PreparedRequest) -> requests.PreparedRequest:
        body = sent.body.encode() if isinstance(sent.body, str) else sent.body
        path = (sent.path_url or "").partition("?")[0]
        sent.headers.update(
            {
                name: value
                for name, value in proof(path, body if isinstance(body, bytes) else b"").items()
                if value
            }
        )
        return sent


def proof(path: str, body: bytes) -> dict[str, str]:
    vendor = dict(VENDORS).get(path.removeprefix(hooks.PREFIX))
    if vendor == "stripe":  # its library signs text only
        seconds = now_ms() // 1000
        return {
            "stripe-signature": f"t={seconds},v1={hmacs.hexdigest('sha256', b'%d.%b' % (seconds, body), SECRET)}"
        }
    if vendor is not None:
        try:
            return senders.headers_of(body, source_of(vendor), at=now_ms())
        except (ValueError, TypeError, AttributeError):  # it signs no such thing
            return {"authorization": f"Bearer {SECRET}"}
    if path.startswith(opsgenie.PATH):
        return {"authorization": f"GenieKey {SECRET}"}
    if path in events_api.PATHS:
        return {"x-routing-key": SECRET}
    return {"authorization": f"Bearer {OPERATOR}"} if path.startswith("/api/") else {}


def documented() -> set[tuple[str, str]]:
    return {
        (method.upper(), path)
        for path, item in DOCUMENT["paths"].items()
        for method in item
        if method != "parameters"
    }


def served(reception: Reception) -> set[tuple[str, str]]:
    """What the application routes, asked where it is declared."""
    pages = {
        (method, re.sub(r":\w+}", "}", route.path))
        for route in app._pages(reception.site).routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    acts = {("POST", f"{opsgenie.PATH}/{{identifier}}/{action}") for action in opsgenie.ACTIONS}
    doors = {("POST", path) for path in (*events_api.PATHS, opsgenie.PATH, alerts_api.PATH)}
    asked = {("GET", f"{opsgenie.PATH}/requests/{{requestId}}")}
    return pages | acts | doors | asked | {("POST", "/hooks/{source}"), ("GET", "/hooks/{source}")}


def test_it_lists_what_is_served_and_nothing_else(at: Reception) -> None:
    assert documented() - served(at) == set(), "documented, and not served"
    assert served(at) - documented() == set(), "served, and not documented"


@pytest.mark.parametrize(("method", "path"), sorted(documented()))
def test_what_it_lists_is_there(at: Reception, method: str, path: str) -> None:
    """Answered by what it is for, not as an address where there is nothing."""
    answer = at.http.request(method, at.url + re.sub(r"{\w+}", "stripe", path.replace("{decision}", "deny")))
    nothing = answer.status_code == 404 and "nothing at this address" in answer.text
    assert not nothing or path.startswith("/callbacks/provider/"), "a channel that is not configured is none"
    assert answer.status_code != 405 or path == "/hooks/{source}"


def test_every_look_alike_door_is_in_it() -> None:
    """A source's module says where it listens, if not below /hooks."""
    paths = {
        str(getattr(catalogue.source(vendor), "PATH", "/hooks/{source}")) for vendor in catalogue.sources()
    }
    assert paths <= DOCUMENT["paths"].keys()
    assert len(paths) > 3


def map_path_parameters(_: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """A source that is there; a name that nobody has comes about once in forty."""
    found = dict(path_parameters or {})
    if "source" in found:
        number = sum(map(ord, str(found["source"]))) % (len(VENDORS) + 1)
        found["source"] = (*VENDORS, ("nobody", ""))[number][0]
    return found or path_parameters


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with keeping() as found:
        yield found


def is_answered_as_it_says(case: Case[Any], at: Reception, session: requests.Session) -> None:
    began = time.perf_counter()
    response = case.call(base_url=at.url, auth=Signer(), session=session)
    took = time.perf_counter() - began
    case.validate_response(
        response,
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
    )
    assert response.status_code < 500, response.text
    assert took < 1 or soon(case, at), f"{took:.1f} s"


@pytest.fixture(scope="module")
def trials() -> dict[str, Any]:
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    schema.hook(map_path_parameters)
    many = settings(
        max_examples=EXAMPLES * TIMES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=TIMES == 1
    )  # fmt: skip
    return tried(schema, is_answered_as_it_says, many)


@pytest.mark.parametrize("operation", labels(DOCUMENT))
def test_whatever_is_sent_is_answered_as_it_says(
    operation: str, trials: dict[str, Any], at: Reception, session: requests.Session
) -> None:
    trials[operation](at=at, session=session)


def soon(case: Case[Any], at: Reception) -> bool:
    """Asked again: the machine may have been busy."""
    for _ in range(3):
        began = time.perf_counter()
        case.call(base_url=at.url, auth=Signer())
        if time.perf_counter() - began < 1:
            return True
    return False


def test_no_parser_failed_on_any_of_it(at: Reception) -> None:
    """A fault of ours is a dead letter too, and answered 202."""
    letters = at.redis.hvals(at.keys.dead)
    assert [raw for raw in letters if b"our parser failed" in raw] == []
