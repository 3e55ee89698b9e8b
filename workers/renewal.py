"""Keeping a lease while its holder is busy loading.

Never longer: a renewal that runs by itself proves nothing about its holder.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from redis.exceptions import RedisError

from ledger.lease import Lease

EVERY_S: Final = 0.4
LONGEST_S: Final = 120.0
"""A load that takes longer has gone wrong, and somebody else shall try."""


@contextmanager
def renewed(lease: Lease) -> Iterator[None]:
    """Renew the lease beside the body."""
    done = threading.Event()

    def renew() -> None:
        for _ in range(round(LONGEST_S / EVERY_S)):
            if done.wait(EVERY_S):
                return
            try:
                lease.renew()
            except RedisError:
                return

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
