"""More than can be kept: every door says 503 and when to come again, never 429, and keeps nothing by halves."""

import ast
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import calling_back
import pytest
import senders
from reception import OPERATOR, POLICY, Reception, running
from redis import Redis

from ledger import catalogue, links
from ledger.clock import now_ms
from ledger.connection import connect
from ledger.log import Kept, Request
from ledger.server import EmbeddedServer
from ledger.settings import LedgerSettings
from receiver import samples
from routing.instant import HOUR

ROOT = Path(__file__).parents[2]
ALL = {vendor: senders.source_of(vendor) for vendor in catalogue.sources()}
OWN_DOORS = {"prometheus": "/api/v2/alerts", "pagerduty_events": "/v2/enqueue", "opsgenie": "/v2/alerts"}
ASKS_FIRST = {"cloudwatch": "Amazon's certificate is had before anything is kept: test_cloudwatch.py"}


@pytest.fixture(scope="module")
def full(server: EmbeddedServer) -> Iterator[Reception]:
    """Its list of what waits for the disk is full."""
    with connect(LedgerSettings(redis_url=server.url)) as client:
        with running(client, server.url, policy=replace(POLICY, sources=ALL), pending=0) as found:
            yield found


def busy(answer: Any) -> bool:
    return bool(
        answer.status_code == 503 and int(answer.headers["retry-after"]) > 0 and answer.json()["hint"]
    )


@pytest.mark.parametrize("vendor", [vendor for vendor in ALL if vendor not in ASKS_FIRST])
def test_overload_of_every_source_is_503(full: Reception, vendor: str) -> None:
    name = samples.names(vendor)[0]
    body = senders.body_of(vendor, name, at=now_ms())
    _, query = senders.place_of(vendor, name)
    place = OWN_DOORS.get(vendor) or f"/hooks/{vendor}"
    if "job" in query:
        place += "?" + "&".join(f"{key}={value}" for key, value in query.items())
    answer = full.post(place, body, senders.headers_of(body, ALL[vendor], at=now_ms()))
    assert busy(answer), f"{answer.status_code} {answer.text}"


def test_overload_of_what_people_and_providers_say_is_503(full: Reception) -> None:
    token = links.make("link-secret", "INC-1-d1", now_ms() + HOUR)
    silence = {
        "matchers": [{"name": "a", "value": "b", "isRegex": False}], "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": "2126-01-01T00:00:00Z", "createdBy": "x", "comment": "x",
    }  # fmt: skip
    assert busy(full.post(f"/a/{token}", b""))
    assert busy(full.post(f"/a/{token}/deny", b""))
    operator = {"authorization": f"Bearer {OPERATOR}"}
    assert busy(full.post("/api/v2/silences", json.dumps(silence).encode(), operator))
    form = {"MessageSid": "SM1", "Body": "ack", "From": "+48500000000"}
    assert busy(calling_back.call(full, "/callbacks/twilio/sms", form))


def test_nothing_of_ours_answers_429() -> None:
    """Alertmanager, Datadog and others take it for a refusal, and never send again."""
    for path in (ROOT / "receiver").rglob("*.py"):
        numbers = [
            node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)
        ]
        assert 429 not in numbers, path.name


# ── one append ───────────────────────────────────────────────────────────────────────────────────────────

BATCHES = {
    "alertmanager": ("firing", "alerts", {"status": "ringing"}),
    "grafana": ("firing", "alerts", {"status": 7}),
    "prometheus": ("firing", "", {"labels": {}}),
    "supabase": ("drain", "", 7),
    "vercel_drain": ("lambda", "", 7),
    "cloudevents": ("batch", "", {"specversion": "0.3"}),
}
"""Of each vendor whose body holds several: a sample, where its list is, and an element that cannot be read."""


@pytest.mark.parametrize("vendor", BATCHES)
def test_a_batch_is_one_append_with_a_dead_letter_for_each_bad_element(
    redis: Redis, redis_url: str, vendor: str
) -> None:
    appended: list[Request] = []

    async def append(batch: Sequence[Request]) -> Sequence[Kept]:
        appended.extend(batch)
        return [
            Kept([f"b{n}-0" for n, _ in enumerate(each.events)], [letter.id for letter in each.dead])
            for each in batch
        ]

    name, where, bad = BATCHES[vendor]
    value = json.loads(samples.make(vendor, name, samples.Wanted(), now_ms()))
    listed = value[where] if where else value if isinstance(value, list) else [value]
    good = listed[0]
    mixed = [good, bad, good, bad if vendor != "prometheus" else {"labels": {"": ""}}, good]
    body = json.dumps({**value, where: mixed} if where else mixed).encode()
    headers = senders.headers_of(body, ALL[vendor], at=now_ms())
    if vendor == "cloudevents":
        headers["content-type"] = "application/cloudevents-batch+json"
    with running(redis, redis_url, policy=replace(POLICY, sources=ALL), append=append) as reception:
        answer = reception.post(OWN_DOORS.get(vendor) or f"/hooks/{vendor}", body, headers)
    assert answer.status_code in {200, 202, 400}
    [request] = appended
    assert (len(request.events), len(request.dead)) == (3, 2)
    assert request.body == body


# ── one source, and another ──────────────────────────────────────────────────────────────────────────────


def test_the_same_id_of_two_sources_is_two_events(redis: Redis, redis_url: str) -> None:
    """Dedupe keys are namespaced: nobody who may send as one source can have another's event dropped."""
    sources = {name: replace(ALL["pagerduty"], name=name) for name in ("one", "other")}
    body = senders.body_of("pagerduty", "incident.triggered", id_="01EVENT")
    headers = senders.headers_of(body, ALL["pagerduty"])
    with running(redis, redis_url, policy=replace(POLICY, sources=sources)) as reception:
        ids = [
            reception.post(f"/hooks/{name}", body, headers).json()["accepted"]
            for name in ("one", "other", "one")
        ]
        assert ids[0] == ids[2] != ids[1]
        assert len(reception.entries()) == 2
