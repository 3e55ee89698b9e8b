"""What a worker has to say goes into the log, and is not given up lightly: lost, it would be done again."""

import time
from contextlib import suppress

import redis
import structlog

from ledger import log as event_log
from ledger import tally
from routing.entry import AnyEntry, Lane
from workers.context import Context

PATIENCE_S = 8.0
"""Longer than a server takes to restart; after it the claim's own timer repeats the work, marked."""

logger = structlog.get_logger(__name__)


def report(context: Context, entry: AnyEntry) -> bool:
    """Append the entry to the control lane. False when the log could not be reached in time."""
    until = time.monotonic() + PATIENCE_S
    wait = 0.05
    while True:
        try:
            event_log.append(context.client, context.keys, Lane.CONTROL, entry)
        except redis.RedisError:
            if time.monotonic() > until or context.stopping():
                logger.exception("result lost, its timer will repeat the work")
                return False
            time.sleep(wait)
            wait = min(wait * 2, 1.0)
        else:
            return True


def count(context: Context, name: str, **labels: str) -> None:
    """One more in `/metrics`. A death before it, or a server that is away, costs the count and nothing else."""
    with suppress(redis.RedisError):
        tally.count(context.client, context.keys, name, **labels)
