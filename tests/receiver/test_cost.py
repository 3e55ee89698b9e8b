"""What a request costs does not depend on how many sources are configured: counted in steps, not in time."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, Self

import all_sources
import pytest
import reception
import senders
from reception import POLICY
from redis import Redis

from ledger import catalogue
from ledger.clock import now_ms
from ledger.log import Kept, Request
from ledger.settings import LedgerSettings
from receiver.app import build
from receiver.gates import Gates
from receiver.settings import ReceiverSettings
from routing.policy import Source
from routing.ports import SourceModule

ROOT = str(Path(__file__).parents[2])
OURS = tuple(f"{ROOT}/{package}/" for package in ("receiver", "ledger", "routing"))
WAYS = {
    "stripe": "/hooks/stripe", "github": "/hooks/github", "datadog": "/hooks/datadog", "prometheus": "/api/v2/alerts",
    "pagerduty_events": "/v2/enqueue", "opsgenie": "/v2/alerts",
}  # fmt: skip
SAMPLES = {"prometheus": "firing", "pagerduty_events": "trigger", "opsgenie": "create"}


class Steps:
    """Counts the instructions of our own code while it is entered."""

    def __init__(self) -> None:
        self.taken = 0

    def __enter__(self) -> Self:
        sys.settrace(self._enter)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _enter(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        frame.f_trace_opcodes = True
        return self._step

    def _step(self, _frame: FrameType, event: str, _argument: Any) -> Any:
        self.taken += event == "opcode"
        return self._step


def sources(vendor: str, others: int) -> dict[str, Source]:
    """One of the vendor, and so many of others."""
    rest = [each for each in catalogue.sources() if each != vendor]
    found = {f"o{number}": rest[number % len(rest)] for number in range(others)} | {vendor: vendor}
    return {name: replace(senders.source_of(each), name=name) for name, each in found.items()}


async def cost(vendor: str, others: int, url: str) -> int:
    async def kept(batch: Sequence[Request]) -> Sequence[Kept]:
        return [Kept(["b1-0"], []) for _ in batch]

    settings = ReceiverSettings(ledger=LedgerSettings(redis_url=url))
    policy = replace(POLICY, sources=sources(vendor, others))
    site = reception.site_of(settings, policy, kept, lambda: (), {}, None)
    site.gates.refresh()
    await site.durable.look()
    application, statuses = build(site), []
    writing = asyncio.create_task(site.keep.run())

    async def ask() -> None:
        body = senders.body_of(vendor, SAMPLES.get(vendor, "something-new"), at=now_ms(), id_="")
        headers = senders.headers_of(body, senders.source_of(vendor), at=now_ms())

        async def send(message: Any) -> None:
            statuses.append(message.get("status", 0))

        async def receive() -> Any:
            return {"type": "http.request", "body": body}

        lines = [(name.encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http",
            "method": "POST",
            "path": WAYS[vendor],
            "query_string": b"",
            "headers": lines,
        }
        await application(scope, receive, send)

    for _ in range(3):
        await ask()
    with Steps() as steps:
        await ask()
    site.keep.close()
    await writing
    await site.client.aclose()
    assert set(statuses) <= {0, 200, 202}
    return steps.taken


@pytest.mark.parametrize("vendor", WAYS)
def test_forty_sources_cost_a_request_what_four_do(vendor: str, redis: Redis, redis_url: str) -> None:
    few, many, more = (asyncio.run(cost(vendor, others, redis_url)) for others in (3, 39, 399))
    assert few > 100, "it counts"
    assert [many, more] == pytest.approx([few, few], rel=0.02)


def test_while_a_policy_comes_into_force_every_source_stays_open() -> None:
    """It is read in a thread of its own: a source that was gone for a millisecond would be a 404 to its vendor."""
    seen: list[tuple[str, int]] = []

    def find(vendor: str) -> SourceModule:
        if gates.version:
            seen.append((gates.gate("github").source.name, len(gates.of_vendor("github"))))
        return catalogue.source(vendor)

    gates = Gates(lambda _: None, find, {})
    gates.take(replace(POLICY, version="1", sources=sources("github", 3)))
    gates.take(replace(POLICY, version="2", sources=sources("github", 40)))
    assert seen == [("github", 1)] * 41


def test_forty_are_every_vendor() -> None:
    """Those of the benchmark."""
    assert set(all_sources.vendors().values()) == set(catalogue.sources())
    assert len(all_sources.vendors()) == 40
