"""The archive's sweep as a chore: what is decided and over leaves Redis, for a bounded time at once."""

import time
from collections.abc import Callable
from typing import Final

import redis

from ledger.archive import sweep
from ledger.clock import now_ms
from ledger.keys import Keys
from ledger.settings import LedgerSettings
from routing.instant import DAY

EVERY_S: Final = 1.0
BUDGET_S: Final = 0.5
"""Of each `EVERY_S`, while there is something to move: thousands of entries a second, as many as come in for long."""
KEEP_MS: Final = 3 * DAY
MAX_ENTRIES: Final = 200_000
"""Decided entries per lane that stay in Redis, whatever their age."""
FILE: Final = "archive.db"


def sweeper(
    client: redis.Redis,
    keys: Keys,
    settings: LedgerSettings,
    *,
    max_entries: int = MAX_ENTRIES,
    budget_s: float = BUDGET_S,
) -> Callable[[], None]:
    """One call moves what there is, or as much as the budget allows. It raises redis.RedisError and ArchiveError."""
    path = settings.data_dir / FILE

    def work() -> None:
        until = time.monotonic() + budget_s
        while sweep(client, keys, path, now_ms(), KEEP_MS, max_entries).more and time.monotonic() < until:
            pass

    return work
