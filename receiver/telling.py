"""Once a second Redis is told what came in and what was refused, for who looks at the sources."""

import asyncio

import structlog
from redis.exceptions import RedisError

from receiver import arrivals, refusals
from receiver.site import Site

_log = structlog.get_logger(__name__)


async def keep_telling(site: Site, every_s: float = 1.0) -> None:
    while True:
        await asyncio.sleep(every_s)
        for save in (refusals.save, arrivals.save):
            try:
                await save(site)
            except (RedisError, OSError) as error:
                _log.warning("not told", what=save.__module__, error=type(error).__name__)
