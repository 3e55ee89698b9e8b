"""Waiting, for a moment, until what was appended is decided: so that who asks next finds what they have just set."""

import asyncio

from ledger.position import lane_of
from ledger.views.entries import order
from ledger.wire import text
from receiver.site import Site

_WAIT_S = 2.0
_LOOK_S = 0.01


async def settle(site: Site, position: str) -> None:
    """Returns when the entry there is decided, or after two seconds: it is kept, and will be.

    Raises redis.RedisError.
    """
    lane = lane_of(position)
    if lane is None:
        return
    until = asyncio.get_running_loop().time() + _WAIT_S
    while asyncio.get_running_loop().time() < until:
        last = await site.client.hget(site.keys.cursor, lane.value)
        if last is not None and order(text(last)) >= order(position):
            return
        await asyncio.sleep(_LOOK_S)
