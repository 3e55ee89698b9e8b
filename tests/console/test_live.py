"""Live updates: who looks on is told of what changed, of nothing else, and never misses anything."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest
from desk import Desk, outage
from small_policy import POLICY

from console.live import DEAD, NOW, Watch, next_turn
from ledger import dead
from ledger.clock import now_ms
from ledger.connection import connect_async
from ledger.dead import Kind
from ledger.keys import Keys
from ledger.settings import LedgerSettings
from routing.entry import Command, Opened, Verb


@pytest.fixture
def desk(redis_url: str, tmp_path: Path) -> Desk:
    """It decides when it is told to."""
    return Desk(redis_url, tmp_path, POLICY)


Look = Callable[[Watch], Awaitable[None]]


def watching(redis_url: str, look: Look) -> None:
    async def run() -> None:
        client = connect_async(LedgerSettings(redis_url=redis_url))
        watch = Watch(Keys(), client)
        task = asyncio.create_task(watch.run())
        try:
            async with asyncio.timeout(20):
                while not watch.ready:  # noqa: ASYNC110  # a plain bool
                    await asyncio.sleep(0.01)
                await look(watch)
        finally:
            watch.close()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await client.aclose()

    asyncio.run(run())


async def told(watch: Watch, topic: str, since: str) -> str:
    async for version in watch.changes([topic], since, 0.01):
        if version:
            return version
    return ""


async def is_told(watch: Watch, topic: str, since: str, within_s: float = 0.5) -> bool:
    try:
        return bool(await asyncio.wait_for(told(watch, topic, since), within_s))
    except TimeoutError:
        return False


def test_an_incidents_page_hears_of_its_own_changes_alone(desk: Desk, redis_url: str) -> None:
    desk.receive(outage(), b"{}")
    other = Opened(at=now_ms(), by="ben", title="Another", severity=2)

    async def look(watch: Watch) -> None:
        since = watch.version
        listening = asyncio.create_task(told(watch, "INC-1", since))
        await asyncio.to_thread(desk.append, other)
        assert await told(watch, NOW, since)
        assert not listening.done()
        ack = Command(at=now_ms(), by="anna", incident="INC-1", verb=Verb.ACK)
        await asyncio.to_thread(desk.append, ack)
        assert await listening == watch.version
        assert not await is_told(watch, "INC-1", watch.version)

    watching(redis_url, look)


def test_a_dead_letter_is_told_although_nobody_decided_anything(desk: Desk, redis_url: str) -> None:
    async def look(watch: Watch) -> None:
        since = watch.version
        letter = dead.given_up(Kind.UNDELIVERED, "INC-1-d1", "INC-1", "refused", b"", now_ms())
        await asyncio.to_thread(dead.bury_now, desk.client, desk.keys, letter)
        assert await told(watch, DEAD, since)
        assert not await is_told(watch, "INC-1", since)

    watching(redis_url, look)


@pytest.mark.parametrize("since", ["", "another-process-7", "0-0", "x", "-1"])
def test_who_saw_another_process_looks_again_at_once(redis_url: str, since: str) -> None:

    async def look(watch: Watch) -> None:
        assert await is_told(watch, "INC-1", since)
        assert not await is_told(watch, "INC-1", watch.version)

    watching(redis_url, look)


def test_in_a_storm_nobody_is_told_more_often_than_they_asked_to_be(desk: Desk, redis_url: str) -> None:
    async def look(watch: Watch) -> None:
        clock, heard = asyncio.get_running_loop().time, []

        async def listen() -> None:
            async for version in watch.changes([NOW], watch.version, 0.6):
                heard.extend([(clock(), version)] if version else [])

        listening = asyncio.create_task(listen())
        for number in range(30):
            entry = Opened(at=now_ms(), by="ben", title=f"Number {number}", severity=3)
            await asyncio.to_thread(desk.append, entry)
            await asyncio.sleep(0.04)
        # The last change is never swallowed.
        while len(heard) < 2 or heard[-1][1] != watch.version:  # noqa: ASYNC110  # a list and a text
            await asyncio.sleep(0.02)
        listening.cancel()
        times = [at for at, _ in heard]
        assert all(later - sooner > 0.55 for sooner, later in pairwise(times))

    watching(redis_url, look)


def test_many_who_look_on_are_told_more_rarely_together(redis_url: str) -> None:
    async def look(watch: Watch) -> None:
        many = [asyncio.create_task(told(watch, "INC-1", watch.version)) for _ in range(50)]
        await asyncio.sleep(0)
        assert watch.pause_s(1.0) == pytest.approx(4.0)
        for each in many:
            each.cancel()
        await asyncio.gather(*many, return_exceptions=True)
        assert watch.pause_s(1.0) == pytest.approx(1.0)

    watching(redis_url, look)


@pytest.mark.parametrize("told", [100.0, 100.01, 101.3, 103.79, 103.99])
def test_all_who_pause_as_long_are_told_at_the_same_instants(told: float) -> None:
    turns = [next_turn(told, 4.0)]
    for _ in range(5):
        turns.append(next_turn(turns[-1] + 0.15, 4.0))  # who is told a little late misses no turn
    assert 3.8 <= turns[0] - told <= 7.8
    assert turns == [turns[0] + 4.0 * number for number in range(6)]
    assert turns[0] % 4.0 == 0
