"""What waits in Tocsin itself, for actions that look at it."""

from typing import Any

from ledger import views
from ledger.clock import now_ms
from workers.context import Context
from workers.queues import Queues


def of(context: Context) -> dict[str, Any]:
    """As `ledger.views.backlog`, and "jobs": {queue: number}. Raises redis.RedisError."""
    found = views.backlog(context.client, context.keys, now_ms())
    return {**found, "jobs": Queues(context.client).lengths()}
