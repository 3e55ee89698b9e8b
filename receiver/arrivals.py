"""Telling Redis what came in: when last, and how many in this hour, of each source."""

from collections import Counter

from ledger.arrivals import KEPT_S
from receiver.site import Site
from routing.instant import HOUR


async def save(site: Site) -> None:
    """Raises redis.RedisError; then it is told the next time."""
    accepted = Counter(site.counts.accepted)
    new = accepted - site.counts.told
    if not new:
        return
    now = site.now()
    pipe = site.client.pipeline(transaction=False)
    hour = site.keys.arrivals(now // HOUR)
    for source, times in new.items():
        pipe.hset(site.keys.last_arrivals, source, now)
        pipe.hincrby(hour, source, times)
    pipe.expire(hour, KEPT_S)
    await pipe.execute()
    site.counts.told = accepted
