"""The archive's sweep as a chore: what is decided and over leaves Redis, a bounded amount at a time."""

from collections.abc import Callable
from typing import Final

import redis

from ledger.archive import Swept, sweep
from ledger.clock import now_ms
from ledger.keys import Keys
from ledger.settings import LedgerSettings
from routing.instant import DAY

EVERY_S: Final = 5.0
KEEP_MS: Final = 3 * DAY
MAX_ENTRIES: Final = 200_000
"""Decided entries per lane that stay in Redis, whatever their age."""
FILE: Final = "archive.db"


def sweeper(client: redis.Redis, keys: Keys, settings: LedgerSettings) -> Callable[[], Swept]:
    """One call moves one bounded amount. It raises redis.RedisError and ArchiveError."""
    path = settings.data_dir / FILE
    return lambda: sweep(client, keys, path, now_ms(), KEEP_MS, MAX_ENTRIES)
