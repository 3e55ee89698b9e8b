"""Whose turn it is: before a delivery is claimed, it waits for the pace its provider takes, or comes back later.

A worker waits half a second for a turn, little more than a second for what is urgent; more would keep others
waiting behind it. What comes back later was never claimed: no attempt is spent, and nothing is marked as a repeat.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import redis
import structlog

from ledger import pace
from ledger.clock import now_ms
from routing.effect import Deliver
from routing.entry import Deferred
from routing.errors import DeliveryError
from routing.ports import ChannelModule, Notification, Pace
from routing.response.deliveries import MAX_BACKOFF_MS, URGENT_BACKOFF_MS
from workers.context import Context

PATIENCE_MS = 500
URGENT_PATIENCE_MS = 1_100
"""One call, where a provider takes one a second."""

logger = structlog.get_logger(__name__)


def paces(module: ChannelModule, notification: Notification, settings: Any) -> Sequence[Pace]:
    """What the vendor's module is bound by; nothing where it says nothing, or cannot."""
    limits = getattr(module, "limits", None)
    if limits is None:
        return ()
    try:
        found: Sequence[Pace] = limits(notification, settings)
    except Exception:  # a page must not die of a fault in a channel
        logger.exception("limits of a channel failed", delivery=notification.delivery)
        return ()
    return found


def wait(context: Context, effect: Deliver, bound: Sequence[Pace]) -> Deferred | None:
    """Until it is this delivery's turn, which is then spent; or an entry that has it come back.

    Raises redis.RedisError.
    """
    if not bound:
        return None
    patience = URGENT_PATIENCE_MS if effect.urgent else PATIENCE_MS
    until, returns = time.monotonic() + patience / 1000, effect.waited
    while True:
        turn = pace.take(
            context.client, context.keys, bound, urgent=effect.urgent, returns=returns, patience_ms=patience
        )
        if turn.granted or time.monotonic() + turn.wait_ms / 1000 <= until:
            time.sleep(turn.wait_ms / 1000)
        if turn.granted:
            return None
        if time.monotonic() + turn.wait_ms / 1000 > until:
            return _deferred(context, effect, bound, turn.wait_ms)
        returns = True


def heard(context: Context, bound: Sequence[Pace], error: DeliveryError) -> None:
    """A provider that asks one worker to wait asks all of them."""
    if error.retry_after_ms and bound:
        most = min(error.retry_after_ms, MAX_BACKOFF_MS)
        with suppress(redis.RedisError):
            pace.shut(context.client, context.keys, bound, most, min(most, URGENT_BACKOFF_MS))


def _deferred(context: Context, effect: Deliver, bound: Sequence[Pace], wait_ms: int) -> Deferred:
    slowest = min(bound, key=lambda each: each.per_s)
    return Deferred(
        at=now_ms(),
        by=context.worker,
        delivery=effect.id,
        attempt=effect.attempt,
        wait_ms=wait_ms,
        why=f"its provider takes {slowest.per_s:g} a second",
    )
