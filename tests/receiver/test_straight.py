"""The straight way in and the way by ASGI: the same doors, answers and counts, and the first one without a task."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import senders
from reception import POLICY, SECRETS, source
from redis.exceptions import ConnectionError as RedisConnectionError
from straight_line import Disk, Server, raw, serving, settle

from ledger.clock import now_ms
from receiver.sources import prometheus, stripe, supabase
from routing.instant import DAY
from routing.policy import Source

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
OURS = tuple(f"{ROOT}/{package}/" for package in ("receiver", "ledger", "routing"))
SMALL = 20_000


class Faulty:
    """A matcher that is none."""

    def matches(self, _: object) -> bool:
        raise RuntimeError("broken")


def stripe_like(name: str, **more: Any) -> Source:
    return source(name, "stripe", "STRIPE_WEBHOOK_SECRET", **more)


EXTRA = (
    source("supabase", "supabase", "GITHUB_WEBHOOK_SECRET"),
    stripe_like("small", max_bytes=SMALL),
    stripe_like("elsewhere", networks=("192.0.2.0/24",)),
    replace(stripe_like("faulty"), urgent_kinds=(Faulty(),)),  # type: ignore[arg-type]
)
ALL = replace(
    POLICY,
    sources={
        each.name: replace(each, tolerance_ms=DAY) for each in (*POLICY.sources.values(), *EXTRA)
    },  # what is signed below is signed when the tests begin
)
EVENT = senders.body_of("stripe", "payment_intent.payment_failed", at=now_ms(), id_="evt_1")
ALERTS = senders.body_of("prometheus", "firing", at=now_ms())


def signed(body: bytes, path: str = "/hooks/stripe", **more: str) -> bytes:
    return raw("POST", path, stripe.sign(body, SECRETS["STRIPE_WEBHOOK_SECRET"], now_ms()) | more, body)


def alerts(body: bytes, token: str = SECRETS["TOCSIN_ALERTS_TOKEN"]) -> bytes:
    return raw("POST", "/api/v2/alerts", prometheus.sign(body, token, now_ms()), body)


STRAIGHT = {
    "kept": signed(EVENT),
    "unreadable": signed(b"{"),
    "unsigned": raw("POST", "/hooks/stripe", {}, EVENT),
    "nobody's": signed(EVENT, "/hooks/nobody"),
    "unarmed": signed(EVENT, "/hooks/unarmed"),
    "no body": raw("POST", "/hooks/stripe", {}, b""),
    "too large": signed(b" " * (SMALL + 1), "/hooks/small"),
    "from elsewhere": signed(EVENT, "/hooks/elsewhere"),
    "no gzip": signed(EVENT, **{"content-encoding": "gzip"}),
    "a fault of ours": signed(EVENT, "/hooks/faulty"),
    "a header twice": signed(EVENT, **{"X-A": "1\r\nX-A: 2"}),
    "alerts": alerts(ALERTS),
    "no alerts": alerts(b"[{}]"),
    "a wrong token": alerts(ALERTS, "wrong"),
}
BY_ASGI = {
    "another method": raw("GET", "/hooks/stripe", {}, b""),
    "another path": raw("POST", "/nowhere", {}, b"{}"),
    "a query": signed(EVENT, "/hooks/stripe?a=b"),
    "an escaped path": signed(EVENT, "/hooks/str%69pe"),
    "the last one": signed(EVENT, connection="close"),
    "a ceremony": raw("POST", "/hooks/supabase", supabase.sign(b"{}", SECRETS["GITHUB_WEBHOOK_SECRET"], now_ms()), b"{}"),
    "another look-alike": raw("POST", "/v2/enqueue", {}, b"{}"),
}  # fmt: skip


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
async def server(disk: Disk) -> AsyncIterator[Server]:
    server, writing = await serving(ALL, disk)
    yield server
    disk.go.set()
    server.site.keep.close()
    await writing
    await server.site.client.aclose()
    assert server.site.room.used == 0, "every body's room is given back"


def halves(request: bytes) -> tuple[bytes, bytes]:
    """Its headers are complete in the first; ends in the second where it has a body."""
    at = request.index(b"\r\n\r\n") + 4
    return request[: at + (len(request) - at) // 2], request[at + (len(request) - at) // 2 :]


def counted(server: Server) -> tuple[object, ...]:
    counts = server.site.counts
    return (
        dict(counts.answers), dict(counts.refused), dict(counts.accepted), dict(counts.dead), sum(counts.took),
        [(each.source, each.why, each.error, each.headers, each.length) for each in counts.examples],
    )  # fmt: skip


@pytest.mark.parametrize("what", STRAIGHT | BY_ASGI)
async def test_whole_or_in_pieces_it_is_answered_kept_and_counted_alike(what: str) -> None:
    found = []
    request = (STRAIGHT | BY_ASGI)[what]
    for reads in ((request,), halves(request)):
        server, writing = await serving(ALL, Disk())
        answer = await server.ask(*reads)
        server.site.keep.close()
        await writing
        kept = [
            (one.source, one.body, one.headers, len(one.events), len(one.dead)) for one in server.disk.kept
        ]
        found.append((answer, kept, counted(server)))
        assert server.site.room.used == 0
    assert found[0][0].startswith(b"HTTP/1.1 ")
    assert found[0] == found[1]


@pytest.mark.parametrize("what", STRAIGHT)
async def test_what_comes_whole_makes_no_task(server: Server, what: str) -> None:
    assert (await server.ask(STRAIGHT[what])).startswith(b"HTTP/1.1 ")
    assert server.tasks == 0


@pytest.mark.parametrize(("what", "most"), [("kept", 104), ("alerts", 95)])
async def test_what_comes_whole_takes_so_many_calls_of_ours_and_no_more(
    server: Server, what: str, most: int
) -> None:
    """Whoever adds one to every request of a storm should know it."""
    await server.ask(STRAIGHT[what])  # what is remembered from the first one on is
    calls: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(OURS):
            calls[frame.f_code.co_qualname] += 1

    sys.setprofile(count)
    await server.ask(STRAIGHT[what])
    sys.setprofile(None)
    assert 30 < calls.total() <= most, calls.most_common()


@pytest.mark.parametrize("what", BY_ASGI)
async def test_all_else_goes_by_asgi(server: Server, what: str) -> None:
    assert (await server.ask(BY_ASGI[what])).startswith(b"HTTP/1.1 ")
    assert server.tasks == 1


async def test_nothing_is_answered_before_it_is_on_disk(server: Server, disk: Disk) -> None:
    disk.go.clear()
    protocol, line = server.connect()
    protocol.data_received(signed(EVENT))
    await settle()
    assert (line.heard, disk.kept) == (b"", [])
    disk.go.set()
    await settle()
    assert line.heard.startswith(b"HTTP/1.1 202 ")
    assert len(disk.kept) == 1


async def test_what_could_not_be_written_is_refused_and_so_is_the_next(server: Server, disk: Disk) -> None:
    disk.error = RedisConnectionError("gone")
    for _ in range(2):
        answer = await server.ask(signed(EVENT))
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 5\r\n" in answer
    assert server.site.counts.refused == {("stripe", "not_durable"): 2}


async def test_a_fault_of_ours_is_answered_503_and_the_connection_lives(server: Server) -> None:
    protocol, line = server.connect()
    protocol.data_received(signed(EVENT, "/hooks/faulty"))
    assert line.heard.startswith(b"HTTP/1.1 503 ")
    assert server.site.counts.refused == {("faulty", "not_durable"): 1}
    line.heard = b""
    protocol.data_received(signed(EVENT))
    await settle()
    assert line.heard.startswith(b"HTTP/1.1 202 ")


async def test_requests_in_one_read_are_answered_in_their_order(server: Server) -> None:
    mixed = [signed(EVENT), BY_ASGI["another method"], STRAIGHT["nobody's"], signed(EVENT), alerts(ALERTS)]
    answer = await server.ask(b"".join(mixed))
    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"202", b"405", b"404", b"202", b"200"]


async def test_who_hangs_up_is_not_answered_and_what_was_sent_is_kept(server: Server, disk: Disk) -> None:
    disk.go.clear()
    protocol, line = server.connect()
    protocol.data_received(signed(EVENT))
    await settle()
    protocol.connection_lost(ConnectionResetError())
    disk.go.set()
    await settle()
    assert line.heard == b""
    assert len(disk.kept) == 1


async def test_at_the_end_what_is_under_way_is_answered_and_its_connection_closed(
    server: Server, disk: Disk
) -> None:
    disk.go.clear()
    protocol, line = server.connect()
    protocol.data_received(signed(EVENT))
    await settle()
    protocol.shutdown()
    assert not line.closed
    disk.go.set()
    await settle()
    assert line.heard.startswith(b"HTTP/1.1 202 ")
    assert b"connection: close\r\n" in line.heard
    assert line.closed


async def test_a_body_that_breaks_off_wrongly_is_answered_once(server: Server) -> None:
    head = b"POST /hooks/stripe HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await server.ask(head + b"2\r\n{}XX0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


async def test_who_does_not_read_answers_is_not_read_from_without_end(server: Server) -> None:
    protocol, line = server.connect()
    protocol.pause_writing()
    protocol.data_received(signed(EVENT))
    await settle()
    assert line.heard == b""
    protocol.resume_writing()
    await settle()
    assert line.heard.startswith(b"HTTP/1.1 202 ")


async def test_a_quiet_connection_is_closed_and_one_that_waits_for_the_disk_is_not(
    server: Server, disk: Disk
) -> None:
    protocol, line = server.connect()
    protocol.timeout_keep_alive = 0.1  # type: ignore[assignment]  # seconds, of which uvicorn wants whole ones
    protocol.data_received(signed(EVENT))
    await settle()
    line.heard = b""
    disk.go.clear()
    protocol.data_received(signed(EVENT))
    await asyncio.sleep(0.2)
    assert not line.closed
    disk.go.set()
    await settle()
    answered_at = asyncio.get_running_loop().time()
    assert line.heard.startswith(b"HTTP/1.1 202 ")
    await asyncio.wait_for(line.over.wait(), 5)
    assert asyncio.get_running_loop().time() - answered_at > 0.08


async def test_beyond_what_may_wait_it_is_refused_at_once(disk: Disk) -> None:
    server, writing = await serving(ALL, disk, pending=2)
    disk.go.clear()
    lines = [server.connect() for _ in range(5)]
    for protocol, _ in lines:
        protocol.data_received(signed(EVENT))
    said = [line.heard[:12] for _, line in lines]
    assert said == [b"", b"", *[b"HTTP/1.1 503"] * 3]
    disk.go.set()
    server.site.keep.close()
    await asyncio.wait_for(writing, 5)
