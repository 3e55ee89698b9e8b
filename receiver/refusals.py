"""Telling Redis what was refused: how often, and a few redacted examples of each source."""

import orjson

from receiver.counts import Example
from receiver.site import Site
from routing.instant import iso

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


def _written(example: Example) -> bytes:
    return orjson.dumps({
        "at": iso(example.at),
        "why": example.why,
        "error": example.error,
        "content_length": example.length,
        "headers": example.headers,
    })  # fmt: skip
