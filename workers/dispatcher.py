"""The dispatcher: while it holds the lease it reads the log, folds it, and commits what the fold decided.

Everything it keeps in memory can be thrown away at any instant and read again; after any doubt it is.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import redis
import structlog
from redis.exceptions import DataError, RedisError

from ledger import log as ledger_log
from ledger import phases, timers
from ledger.clock import now_ms
from ledger.commit import Enqueue, FenceLost, Writer
from ledger.faults import reach
from ledger.keys import Keys
from ledger.lease import Lease
from ledger.state import cursor as read_cursor
from ledger.state import load_state
from routing.decision import Table
from routing.entry import Lane
from routing.policy import Policy
from routing.state import Fact, State
from workers.fold import BATCH, ENTRY_S, Batch, Decide, Fold, Found, Policies, Spoiled
from workers.renewal import renewed

RENEW_S: Final = 0.4
STANDBY_S: Final = 0.2
IDLE_MS: Final = 250
"""Longest blocking read: a stop flag and the lease want to be looked at in between."""
COARSE_MS: Final = 110
"""A server's blocking read may end this much late (its clock ticks every 100 ms), so a timer that is due
sooner is waited for by asking again every few milliseconds."""
FINE_S: Final = 0.004
RETRY_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0)

logger = structlog.get_logger(__name__)


class PolicyShelf(Policies, Protocol):
    """Where compiled policies come from."""

    def current(self) -> Policy | None: ...


@dataclass(frozen=True, slots=True)
class Ports:
    """What the dispatcher needs besides the ledger."""

    decide: Decide
    policies: PolicyShelf
    enqueue: Enqueue
    chores: Sequence[Callable[[State], None]] = ()
    """Called now and then by whoever holds the lease; each decides by itself whether it is time."""
    on_standby: Callable[[], None] = lambda: None
    entry_s: float = ENTRY_S


class NoPolicy(LookupError):
    """There is nothing to decide by yet."""


@dataclass(slots=True)
class Cache:
    """What is true while the lease is ours, once `sent` is written."""

    writer: Writer
    fold: Fold
    cursor: dict[Lane, str]
    ahead: Found = field(default_factory=dict)
    """Read already, and decided while `sent` is being written."""
    sent: Batch | None = None
    """What the writer is about to make true."""


class Dispatcher:
    """One partition's dispatcher in this process. It outlives single jobs, and so do its lease and cache."""

    def __init__(self, client: redis.Redis, keys: Keys, ports: Ports) -> None:
        self._client = client
        self._keys = keys
        self._ports = ports
        self._lease = Lease(client, keys)
        self._stale: Lease | None = None
        """Ours once, and perhaps still: it could not be given back when Redis went away."""
        self._cache: Cache | None = None
        self._renewed_at = float("-inf")
        self._aside: dict[str, str] = {}
        """Entries that spoiled the state or the commit, with why: set aside when met again."""
        self._singly = 0
        """So many more entries are committed one by one, to find the one that cannot be."""
        self._failures = 0
        self._busy = False
        """The last read found something, so there may be more: look before asking how long to wait."""

    def serve(self, stopping: Callable[[], bool], budget_s: float) -> None:
        """Dispatch until told to stop or the budget is used up. Raises what is nobody's known fault."""
        until = time.monotonic() + budget_s
        self._renewed_at = float("-inf")
        while not stopping() and time.monotonic() < until:
            self._try(self._turn)
        self._try(self._settle)
        if stopping():
            self._leave()

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
            if self._cache is None or self._cache.sent is None:
                self._failures = 0
        except (FenceLost, NoPolicy, RedisError, Spoiled) as error:
            self._recover(error)
        except BaseException:
            self._forget()
            raise

    def _turn(self) -> None:
        cache = self._hold()
        if cache is None:
            self._ports.on_standby()
            time.sleep(STANDBY_S)
            return
        found = cache.ahead or self._look(cache)
        if found:
            self._decide(cache, found)
        self._busy = bool(found)
        for chore in self._ports.chores:
            chore(cache.fold.state)

    # ── the lease ────────────────────────────────────────────────────────────────────────────────────

    def _hold(self) -> Cache | None:
        """The cache while the lease is ours; None while somebody else has it."""
        if self._cache is not None:
            if time.monotonic() - self._renewed_at < RENEW_S:
                return self._cache
            if self._lease.renew():
                self._renewed_at = time.monotonic()
                return self._cache
            logger.warning("dispatch lease lost; loading again when it comes back")
            self._forget()
        self._give_back_stale()
        fence = self._lease.acquire()
        if fence is not None:
            self._load(fence)
        return self._cache

    def _load(self, fence: int) -> None:
        began = time.monotonic()
        with renewed(self._lease):
            state = load_state(self._client, self._keys)
            # One that was set aside as undecidable when it came due is in the state, and due nowhere.
            timers.mend(self._client, self._keys, state.timers().values())
            phases.mend(self._client, self._keys, fence, state.tables[Table.INCIDENT].values())
            cursor = read_cursor(self._client, self._keys).positions
            fold = self._fold(state)
        self._cache = Cache(Writer(self._client, self._keys, fence, self._ports.enqueue), fold, cursor)
        self._renewed_at = time.monotonic()
        took_ms = round((self._renewed_at - began) * 1000)
        logger.info("dispatching", fence=fence, incidents=len(state.tables[Table.INCIDENT]), load_ms=took_ms)

    def _fold(self, state: State) -> Fold:
        ports = self._ports
        return Fold(state, self._policy(state), ports.policies, ports.decide, self._aside, ports.entry_s)

    def _policy(self, state: State) -> Policy:
        """The one that the last folded PolicySet named; before any, the published one."""
        fact = state.get(Table.FACT, "policy")
        if isinstance(fact, Fact):
            return self._ports.policies.by_version(fact.value)
        policy = self._ports.policies.current()
        if policy is None:
            raise NoPolicy("no policy was published yet")
        return policy

    def _forget(self) -> None:
        """Trust nothing in memory; the next turn takes the lease anew.

        With a new token: a commit whose answer never came may still be on its way under the old fence, and
        only a moved fence makes it fail.
        """
        if self._cache is not None:
            self._cache.writer.close()
        self._cache = None
        self._stale = self._stale or self._lease
        self._lease = Lease(self._client, self._keys)
        try:
            self._give_back_stale()
        except RedisError:
            logger.info("the lease could not be given back yet")

    def _give_back_stale(self) -> None:
        if self._stale is not None:
            self._stale.release()
            self._stale = None

    def _leave(self) -> None:
        if self._cache is not None:
            self._forget()

    # ── reading and deciding ─────────────────────────────────────────────────────────────────────────

    def _look(self, cache: Cache) -> Found:
        """What is new; waits a little for a first entry."""
        fired = timers.fire_due(self._client, self._keys, now_ms())
        wait_ms = 0 if fired or self._busy else self._wait_ms()
        found = self._read(cache, wait_ms)
        if not found and not self._busy and wait_ms == 0:
            time.sleep(FINE_S)
        return found

    def _wait_ms(self) -> int:
        """How long a read may block without making a timer late; 0 for not at all."""
        due = timers.next_due(self._client, self._keys)
        left = IDLE_MS if due is None else due - now_ms()
        return max(0, min(left - COARSE_MS, IDLE_MS))

    def _read(self, cache: Cache, block_ms: int) -> Found:
        return ledger_log.read(self._client, self._keys, cache.cursor, BATCH, block_ms)

    def _decide(self, cache: Cache, found: Found) -> None:
        """Decide a batch and send its commit. Where more waits, its answer is not waited for: it is read before,
        as the server would answer only after the commit, and decided meanwhile.
        """
        now = now_ms()
        batch = cache.fold.batch(found, now, most=1 if self._singly else BATCH)
        self._settle()
        cache.cursor |= batch.cursor
        cache.ahead = self._more(cache) if batch.full else {}
        self._begin(cache, batch, now)
        if not cache.ahead:
            self._settle()

    def _more(self, cache: Cache) -> Found:
        timers.fire_due(self._client, self._keys, now_ms())
        return self._read(cache, 0)

    def _begin(self, cache: Cache, batch: Batch, now: int) -> None:
        try:
            reach("commit.before", *batch.effects)
            cache.writer.begin(batch.decided, batch.cursor, now, policy=cache.fold.policy.version)
        except DataError as error:
            raise self._doubt(batch, error) from error
        except (FenceLost, RedisError):
            # The server's state, not the entries': out of memory, a full disk, a failover.
            raise
        except Exception as error:
            raise self._doubt(batch, error) from error
        cache.sent = batch

    def _settle(self) -> None:
        """Wait until what was sent is written."""
        cache = self._cache
        if cache is None or cache.sent is None:
            return
        cache.writer.settle()
        reach("commit.after", *cache.sent.effects)
        self._singly = max(0, self._singly - len(cache.sent))
        cache.sent = None

    def _doubt(self, batch: Batch, error: Exception) -> Exception:
        """Something in this batch cannot be written. One by one shows which; that one is set aside."""
        if len(batch) == 1:
            return Spoiled(batch.decided[0][1], f"its decision cannot be committed: {error!r}")
        self._singly = len(batch)
        return Spoiled("", f"a decision among {len(batch)} cannot be committed: {error!r}")

    def _recover(self, error: Exception) -> None:
        self._forget()
        if isinstance(error, Spoiled):
            if error.entry:
                self._aside[error.entry] = error.why
            logger.error("batch given up, loading again", why=error.why, entry=error.entry)
            return
        if not self._failures:
            logger.warning("dispatch interrupted, trying again", error=str(error), kind=type(error).__name__)
        time.sleep(RETRY_S[min(self._failures, len(RETRY_S) - 1)])
        self._failures += 1
