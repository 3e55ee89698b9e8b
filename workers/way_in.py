"""What is wrong with a vendor's way to us, as events of our own: said once, and taken back when it is over."""

from collections.abc import Iterator, Mapping

from routing.event import Event, Status
from routing.schema.sources import OURSELVES

ENDPOINT = "source.endpoint"
"""The vendor says that it does not, or cannot, deliver to our address."""
MISSED = "source.missed"
"""Events came to us only because we asked for them."""


def events(source: str, before: Mapping[str, str], now: Mapping[str, str], at: int) -> Iterator[Event]:
    """What is to be said of a change between two looks: troubles in words, by what they are about."""
    for about in now.keys() - before.keys():
        yield _event(source, about, now[about], at, Status.FIRING)
    for about in before.keys() - now.keys():
        yield _event(source, about, "it is so no more", at, Status.RESOLVED)


def _event(source: str, about: str, what: str, at: int, status: Status) -> Event:
    firing = status is Status.FIRING
    endpoint = about.startswith("endpoint:")
    return Event(
        source=OURSELVES,
        vendor=OURSELVES,
        kind=ENDPOINT if endpoint else MISSED,
        status=status,
        key=f"{ENDPOINT if endpoint else MISSED}:{source}:{about}"[:300],
        title=f"Source {source}: its vendor's way to us is broken"
        if endpoint
        else f"Source {source} missed events",
        summary=what[:500],
        labels={"from": source},
        starts_at=at if firing else 0,
        ends_at=0 if firing else at,
    )
