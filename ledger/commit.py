"""Commit: what a batch of decisions changes becomes true in one transaction, or not at all."""

from collections.abc import Callable, Mapping, Sequence

import redis
from redis.client import Pipeline

from ledger import wire
from ledger.collapse import Collapsed
from ledger.keys import Keys
from ledger.position import Position
from ledger.writing import move, write
from routing.decision import Decision
from routing.effect import AnyEffect
from routing.entry import Lane
from routing.errors import TocsinError

Enqueue = Callable[[Pipeline, list[AnyEffect]], None]
"""Queues the effects' jobs on the transaction it is given, and executes nothing itself."""


class FenceLost(TocsinError):
    """Somebody else has taken over: what is cached is worth nothing."""


class Writer:
    """Commits under one fence, one after the other. The next batch may be decided while one is being written.

    `begin` and `settle` raise FenceLost when the lease's fence is not `fence` any more. Any other error, also one
    that lands there from outside (a job's timeout), leaves unknown whether the batch was written: close this, drop
    the cached state, read the cursor again.
    """

    def __init__(self, client: redis.Redis, keys: Keys, fence: int, enqueue: Enqueue) -> None:
        self._client = client
        self._keys = keys
        self._fence = fence
        self._enqueue = enqueue
        self._pipe: Pipeline | None = None
        """The transaction under way."""

    def begin(
        self,
        batch: Sequence[tuple[Lane, Position, Decision]],
        cursor: Mapping[Lane, Position],
        now: int,
        *,
        policy: str = "",
    ) -> None:
        """Send what makes a batch of decisions true and moves the cursor behind it; once settled, it is true.

        `cursor`: the last decided position of each lane that moved. `policy`: the version that decided.
        """
        collapsed = Collapsed(batch)
        self.settle()
        pipe = self._pipe = self._client.pipeline(transaction=True)
        try:
            _guard(self._fence, wire.watch(pipe, self._keys.fence))
            write(pipe, self._keys, collapsed, now)
            move(pipe, self._keys, cursor, len(batch), now, policy, collapsed.touched)
            if collapsed.effects:
                self._enqueue(pipe, list(collapsed.effects.values()))
            wire.send(pipe)
        except BaseException:
            self.close()
            raise

    def settle(self) -> None:
        """Wait until the last batch is true."""
        if self._pipe is None:
            return
        try:
            written = wire.settle(self._pipe)
        except BaseException:
            self.close()
            raise
        self._pipe.reset()
        self._pipe = None
        if not written:
            raise FenceLost("the fence moved during a commit: another dispatcher has taken over")

    def close(self) -> None:
        """What is under way may be written or not: nobody waits for its answer any more."""
        if self._pipe is not None:
            wire.hang_up(self._pipe)
            self._pipe.reset()
            self._pipe = None


def commit(
    client: redis.Redis,
    keys: Keys,
    fence: int,
    batch: Sequence[tuple[Lane, Position, Decision]],
    cursor: Mapping[Lane, Position],
    enqueue: Enqueue,
    now: int,
    *,
    policy: str = "",
) -> None:
    """One batch, begun and settled. Raises as a Writer does."""
    writer = Writer(client, keys, fence, enqueue)
    writer.begin(batch, cursor, now, policy=policy)
    writer.settle()


def _guard(fence: int, found: bytes | str | None) -> None:
    if int(found or 0) != fence:
        raise FenceLost(f"the fence is {int(found or 0)} and not {fence}: another dispatcher has taken over")
