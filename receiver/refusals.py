"""Telling Redis what was refused: how often, and a few redacted examples of each source. Once a second."""

import asyncio

import orjson
import structlog
from redis.exceptions import RedisError

from receiver.counts import Example
from receiver.site import Site
from routing.instant import iso

_log = structlog.get_logger(__name__)

KEPT = 20
"""Examples of each source, the latest first."""


async def save(site: Site) -> None:
    """Raises redis.RedisError; then nothing is forgotten but the examples."""
    unsaved, examples = site.counts.unsaved, site.counts.examples
    if not unsaved and not examples:
        return
    site.counts.examples = []
    pipe = site.client.pipeline(transaction=False)
    for (source, why), times in unsaved.items():
        pipe.hincrby(site.keys.refusals, f"{source or '-'} {why}", times)
    for example in examples:
        pipe.lpush(site.keys.refused(example.source or "-"), _written(example))
    for source in {example.source for example in examples}:
        pipe.ltrim(site.keys.refused(source or "-"), 0, KEPT - 1)
    saved = dict(unsaved)
    await pipe.execute()
    site.counts.unsaved.subtract(saved)
    site.counts.unsaved += type(unsaved)()  # drops what is zero now


async def keep_saving(site: Site, every_s: float = 1.0) -> None:
    while True:
        await asyncio.sleep(every_s)
        try:
            await save(site)
        except (RedisError, OSError) as error:
            _log.warning("refusals not saved", error=type(error).__name__)


def _written(example: Example) -> bytes:
    return orjson.dumps({
        "at": iso(example.at),
        "why": example.why,
        "error": example.error,
        "content_length": example.length,
        "headers": example.headers,
    })  # fmt: skip
