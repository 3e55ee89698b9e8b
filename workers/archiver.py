"""The archive's sweep as a chore: what is decided and over leaves Redis, for a bounded time at once."""

import time
from collections.abc import Callable
from typing import Final

import redis

from ledger import policies
from ledger.archive import sweep
from ledger.archive.forgetting import Keeping, forget_archived, forget_live
from ledger.clock import now_ms
from ledger.keys import Keys
from ledger.settings import LedgerSettings
from routing.instant import DAY
from routing.policy import Policy

EVERY_S: Final = 1.0
BUDGET_S: Final = 0.5
"""Of each `EVERY_S`, while there is something to move: thousands of entries a second, as many as come in for long."""
KEEP_MS: Final = 3 * DAY
MAX_ENTRIES: Final = 200_000
"""Decided entries per lane that stay in Redis, whatever their age."""
FORGET_S: Final = 600.0


def sweeper(
    client: redis.Redis,
    keys: Keys,
    settings: LedgerSettings,
    *,
    max_entries: int = MAX_ENTRIES,
    budget_s: float = BUDGET_S,
) -> Callable[[], None]:
    """One call moves what there is, or as much as the budget allows. It raises redis.RedisError and ArchiveError."""
    path = settings.archive

    def work() -> None:
        until = time.monotonic() + budget_s
        while sweep(client, keys, path, now_ms(), KEEP_MS, max_entries).more and time.monotonic() < until:
            pass

    return work


def forgetter(client: redis.Redis, keys: Keys, settings: LedgerSettings) -> Callable[[], None]:
    """One call removes the bodies that the policy in force keeps no longer. It raises RedisError and ArchiveError."""

    def work() -> None:
        policy = policies.current(client, keys)
        if policy is None:
            return
        keeping, now = keeping_of(policy), now_ms()
        if keeping.shortest < KEEP_MS:
            forget_live(client, keys, keeping, now)
        forget_archived(settings.archive, keeping, now)

    return work


def keeping_of(policy: Policy) -> Keeping:
    own = {name: one.bodies_ms for name, one in policy.sources.items() if one.bodies_ms is not None}
    return Keeping(policy.bodies_ms, own)
