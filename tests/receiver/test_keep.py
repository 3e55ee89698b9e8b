"""Group commit: nothing is answered before it is written, and nothing waits without end."""

import asyncio
from collections.abc import Sequence

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from ledger.log import Kept, Request
from receiver.keep import Keep
from receiver.refuse import Refused

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def request(number: int, size: int = 10) -> Request:
    return Request(f"s{number}", b"x" * size, b"{}", ())


class Disk:
    """A disk that writes when it is told to."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.go = asyncio.Event()
        self.error: Exception | None = None

    async def append(self, batch: Sequence[Request]) -> list[Kept]:
        self.batches.append([one.source for one in batch])
        await self.go.wait()
        if self.error:
            raise self.error
        return [Kept([one.source], []) for one in batch]


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_while_one_batch_is_written_the_next_one_gathers() -> None:
    disk = Disk()
    keep = Keep(disk.append)
    running = asyncio.create_task(keep.run())
    first = asyncio.create_task(keep.put(request(0)))
    await settle()
    others = [asyncio.create_task(keep.put(request(number))) for number in range(1, 6)]
    await settle()
    assert disk.batches == [["s0"]]
    assert not first.done()
    disk.go.set()
    answers = await asyncio.gather(first, *others)
    assert disk.batches == [["s0"], ["s1", "s2", "s3", "s4", "s5"]]
    assert [kept.accepted for kept in answers] == [[f"s{number}"] for number in range(6)]
    keep.close()
    await running


async def test_a_batch_is_bounded_in_requests_and_bytes() -> None:
    disk = Disk()
    disk.go.set()
    keep = Keep(disk.append, batch=3, batch_bytes=1000)
    puts = [asyncio.create_task(keep.put(request(number))) for number in range(4)]
    puts += [asyncio.create_task(keep.put(request(number, 600))) for number in range(4, 8)]
    await settle()
    running = asyncio.create_task(keep.run())
    await asyncio.gather(*puts)
    assert [len(batch) for batch in disk.batches] == [3, 3, 2]
    keep.close()
    await running


async def test_beyond_the_limit_it_is_refused_at_once() -> None:
    keep = Keep(Disk().append, pending=2)
    waiting = [asyncio.create_task(keep.put(request(number))) for number in range(2)]
    await settle()
    with pytest.raises(Refused) as refused:
        await keep.put(request(3))
    assert (refused.value.status, refused.value.why) == (503, "overload")
    assert refused.value.retry_after_s > 0
    for task in waiting:
        task.cancel()


@pytest.mark.parametrize(
    "error", [RedisConnectionError("gone"), TimeoutError(), RuntimeError("not foreseen")]
)
async def test_a_failed_write_is_never_answered_as_kept_and_the_next_one_works(error: Exception) -> None:
    disk = Disk()
    disk.go.set()
    disk.error = error
    keep = Keep(disk.append)
    running = asyncio.create_task(keep.run())
    with pytest.raises(Refused) as refused:
        await keep.put(request(0))
    assert (refused.value.status, refused.value.why) == (503, "not_durable")
    disk.error = None
    assert (await keep.put(request(1))).accepted == ["s1"]
    keep.close()
    await running


async def test_a_write_that_hangs_is_given_up() -> None:
    keep = Keep(Disk().append, wait_s=0.05)
    running = asyncio.create_task(keep.run())
    with pytest.raises(Refused):
        await keep.put(request(0))
    keep.close()
    await running


async def test_what_was_taken_is_written_before_the_end() -> None:
    disk = Disk()
    keep = Keep(disk.append)
    running = asyncio.create_task(keep.run())
    puts = [asyncio.create_task(keep.put(request(number))) for number in range(3)]
    await settle()
    keep.close()
    with pytest.raises(Refused):
        await keep.put(request(9))
    disk.go.set()
    await running
    assert [kept.accepted for kept in await asyncio.gather(*puts)] == [["s0"], ["s1"], ["s2"]]


async def test_a_sender_that_hung_up_does_not_disturb_the_others() -> None:
    disk = Disk()
    keep = Keep(disk.append)
    running = asyncio.create_task(keep.run())
    gone, stays = (asyncio.create_task(keep.put(request(number))) for number in range(2))
    await settle()
    gone.cancel()
    disk.go.set()
    assert (await stays).accepted == ["s1"]
    keep.close()
    await running
