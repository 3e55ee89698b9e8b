"""Telling Redis what came in: when last, how many in this hour, and in which five minutes, of each source.

And that we were there to hear it: nobody is to be missed in a time when nobody listened.
"""

from collections import Counter
from collections.abc import Iterable

from ledger import rhythms
from ledger.arrivals import KEPT_S
from receiver.site import Site
from routing.instant import HOUR
from routing.rhythm import SLOT_MS


async def save(site: Site) -> None:
    """Raises redis.RedisError; then it is told the next time."""
    accepted, now = Counter(site.counts.accepted), site.now()
    new = accepted - site.counts.told
    heard = _heard_anew(site, new, now // SLOT_MS)
    if not new and not heard:
        return
    pipe = site.client.pipeline(transaction=False)
    hour = site.keys.arrivals(now // HOUR)
    for source, times in new.items():
        pipe.hset(site.keys.last_arrivals, source, now)
        pipe.hincrby(hour, source, times)
    pipe.expire(hour, KEPT_S)
    for source in heard:
        rhythms.mark(pipe, site.keys, source, now)
    await pipe.execute()
    site.counts.told = accepted
    site.counts.heard |= dict.fromkeys(heard, now // SLOT_MS)


def _heard_anew(site: Site, new: Iterable[str], slot: int) -> list[str]:
    """Those of whom it is not told yet for these five minutes, ourselves among them."""
    return [source for source in (rhythms.OURSELVES, *new) if site.counts.heard.get(source) != slot]
