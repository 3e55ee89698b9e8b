"""Group commit: what many requests brought is appended, and fsynced, together.

While one batch is being written the next one gathers; so a batch is as large as the load makes it, and a
lone request waits for nobody. A request is answered only after its batch is on disk.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import sentry_sdk
import structlog
from redis.exceptions import RedisError

from ledger.log import Kept, Request
from ledger.replicas import NotDurable
from receiver import refuse

_log = structlog.get_logger(__name__)

Append = Callable[[Sequence[Request]], Awaitable[Sequence[Kept]]]


class Keep:
    """`put` or `add` from any number of tasks; `run` in one task for as long as the process lives."""

    def __init__(
        self,
        append: Append,
        *,
        batch: int = 512,
        batch_bytes: int = 8_388_608,
        pending: int = 4096,
        wait_s: float = 10,
    ) -> None:
        self._append = append
        self._batch = batch
        self._batch_bytes = batch_bytes
        self._limit = pending
        self._wait_s = wait_s
        self._pending: deque[tuple[Request, asyncio.Future[Kept]]] = deque()
        self._work = asyncio.Event()
        self._closed = False
        self.batches = 0
        self.failed = 0

    @property
    def pending(self) -> int:
        return len(self._pending)

    async def put(self, request: Request) -> Kept:
        """Returns once the request is on disk. Raises Refused (503) when that is not certain."""
        return await self.add(request)

    def add(self, request: Request) -> asyncio.Future[Kept]:
        """As `put`, for who does not wait: the future ends as `put` does. Raises Refused where there is no room."""
        if self._closed or len(self._pending) >= self._limit:
            raise refuse.overloaded("more is arriving than can be written to disk")
        done: asyncio.Future[Kept] = asyncio.get_running_loop().create_future()
        self._pending.append((request, done))
        self._work.set()
        return done

    async def run(self) -> None:
        while True:
            await self._work.wait()
            batch = self._take()
            if batch:
                await self._write(batch)
            elif self._closed:
                return
            else:
                self._work.clear()

    def close(self) -> None:
        """Takes nothing more; `run` returns once what was taken is written."""
        self._closed = True
        self._work.set()

    def _take(self) -> list[tuple[Request, asyncio.Future[Kept]]]:
        batch: list[tuple[Request, asyncio.Future[Kept]]] = []
        size = 0
        while self._pending and len(batch) < self._batch and size < self._batch_bytes:
            taken = self._pending.popleft()
            size += len(taken[0].body)
            batch.append(taken)
        return batch

    async def _write(self, batch: list[tuple[Request, asyncio.Future[Kept]]]) -> None:
        try:
            async with asyncio.timeout(self._wait_s):
                kept = await self._append([request for request, _ in batch])
        except Exception as error:  # noqa: BLE001  # whatever fails, the next batch must be written
            self.failed += 1
            known = isinstance(error, RedisError | OSError | NotDurable)
            _log.warning("append failed", requests=len(batch), error=repr(error)[:200], exc_info=not known)
            if not known:
                sentry_sdk.capture_exception(error)
            self._refuse(batch)
        except asyncio.CancelledError:
            self._refuse([*batch, *self._pending])
            raise
        else:
            self.batches += 1
            for (_, done), result in zip(batch, kept, strict=True):
                if not done.done():
                    done.set_result(result)

    @staticmethod
    def _refuse(batch: list[tuple[Request, asyncio.Future[Kept]]]) -> None:
        for _, done in batch:
            if not done.done():
                done.set_exception(refuse.not_durable())
