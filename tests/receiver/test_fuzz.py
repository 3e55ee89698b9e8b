"""Two thousand of the requests that `make fuzz` sends a million of, at a receiver as it is run; and that it would tell."""

import asyncio
import os
from pathlib import Path

import fuzz
import pytest
from fuzz_inputs import Maker
from redis import Redis
from senders import SECRET

from ledger.clock import now_ms
from ledger.keys import Keys

pytestmark = [pytest.mark.xdist_group("receiver-process")]


def test_whatever_comes_is_answered_in_good_order_and_soon(tmp_path: Path) -> None:
    found = fuzz.run(tmp_path, 2000, seed=20261128)
    assert found.faults == []
    assert found.sent >= 2000
    assert min(found.statuses[status] for status in (200, 202, 400, 401, 404, 405, 422)) > 0, (
        "all ways were gone"
    )


async def _wrong(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers 500, or hangs up."""
    head = await reader.read(1_000_000)
    if len(head) % 2:
        writer.write(b"HTTP/1.1 500 Internal Server Error\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
    writer.close()


def test_what_is_not_answered_in_good_order_is_found(tmp_path: Path, redis: Redis, keys: Keys) -> None:
    found, errors = fuzz.Found(), tmp_path / "receiver.txt"

    async def story() -> None:
        server = await asyncio.start_server(_wrong, "127.0.0.1", 0)
        target = fuzz.Target(server.sockets[0].getsockname()[1], os.getpid(), redis, errors)
        await fuzz.flood(target, Maker(1, now_ms), 40, found)
        server.close()

    asyncio.run(story())
    assert {fault.partition(":")[0].strip() for fault in found.faults} == {
        "answered 500",
        "closed without an answer",
    }


@pytest.mark.parametrize("said", ["fault in an ingest route", "Traceback", f"token={SECRET}"])
def test_faults_that_were_answered_in_good_order_are_found(
    tmp_path: Path, redis: Redis, keys: Keys, said: str
) -> None:
    """In the log, and among the dead letters."""
    found, errors = fuzz.Found(), tmp_path / "receiver.txt"
    errors.write_text(said)
    redis.hset(keys.dead, "dl-1", b"... our parser failed on it ...")
    redis.set(keys.seen("stripe", "evt_1"), "b1-0")
    fuzz.sweep(fuzz.Target(0, os.getpid(), redis, errors), found)
    assert len(found.faults) == 2
    assert redis.dbsize() == 0, "and what came in is forgotten, so that a million fit"
