"""Rations: how often one contact is told over one method, so that a storm does not ring a phone fifty times.

What is over the limit is not lost: it waits, with a timer, and goes out in one message with all that came
meanwhile (`routing.response.bundling`). The first page of a SEV-0 always leaves at once.
"""

from functools import lru_cache

import msgspec

from routing.decision import Table
from routing.delivery import COLLECTED, Delivery, Held, Purpose, Ration, ration_key
from routing.draft import Draft
from routing.instant import DAY, MINUTE
from routing.policy import Limit
from routing.severity import Severity
from routing.timer import Wake

# Named once, as in `routing.draft`: asked for again and again.
_UPDATE = Purpose.UPDATE
_RATION = Table.RATION
_EXPIRE = Wake.EXPIRE

LOOK_MS = DAY
"""What no limit remembers any more is forgotten so late at most: to keep it harms nothing."""


def opens_at(draft: Draft, delivery: Delivery) -> int:
    """When the delivery may leave (ms); now, where no limit keeps it."""
    limits = _limits(draft, delivery)
    return _opens_at(draft, delivery, limits, of(draft, ration_key(delivery))) if limits else draft.now


def turn(draft: Draft, delivery: Delivery) -> int:
    """When the delivery may leave (ms). If that is now, it has left and counts."""
    limits = _limits(draft, delivery)
    if not limits:
        return draft.now
    ration = of(draft, ration_key(delivery))
    opens = _opens_at(draft, delivery, limits, ration)
    if opens <= draft.now:
        _keep(draft, ration, limits)
    return opens


def _opens_at(draft: Draft, delivery: Delivery, limits: tuple[Limit, ...], ration: Ration) -> int:
    opens, times = draft.now, ration.times
    for limit in limits:
        # Only the message that the limit still counts furthest back decides.
        if len(times) >= limit.count and times[-limit.count] > draft.now - limit.window_ms:
            opens = max(opens, times[-limit.count] + limit.window_ms)
    return draft.now if opens > draft.now and _always_leaves(draft, delivery) else opens


def keep(draft: Draft, delivery: Delivery, ration: Ration) -> None:
    """Write the ration down with one more message, and forget it when no limit remembers that any more."""
    _keep(draft, ration, _limits(draft, delivery))


def _keep(draft: Draft, ration: Ration, limits: tuple[Limit, ...]) -> None:
    longest, most = _reach(limits)
    times, since = ration.times, draft.now - longest
    if times and min(times) <= since:
        times = [at for at in times if at > since]
    until_at = max(ration.until_at, draft.now + longest)
    put(draft, msgspec.structs.replace(ration, times=[*times, draft.now][-most:], until_at=until_at))


def hold(draft: Draft, delivery: Delivery, held: Held, at: int, what: str) -> None:
    """It waits until `at` (ms) and is still owed: a timer says so."""
    delivery = msgspec.structs.replace(delivery, held=held.value)
    ration = of(draft, ration_key(delivery))
    until_at = max(ration.until_at, at + MINUTE)
    ration = msgspec.structs.replace(ration, held=ration.held + 1, until_at=until_at)
    put(draft, ration)
    draft.put_delivery(msgspec.structs.replace(delivery, number=ration.held))
    draft.wake(Wake.BUNDLE, delivery.id, at, incident=delivery.incident, what=what)


def of(draft: Draft, key: str) -> Ration:
    return draft.find(_RATION, key, Ration) or Ration(key=key)


def put(draft: Draft, ration: Ration) -> None:
    """Keep it at least until it says. Its timer is not moved by each message: when it comes due, it looks."""
    draft.put(_RATION, ration.key, ration)
    if draft.timer(_EXPIRE, f"ration:{ration.key}") is None:
        _look_later(draft, ration)


def forget(draft: Draft, key: str) -> None:
    """Its time may be over; while something waits for it, it is kept on."""
    known = draft.find(_RATION, key, Ration)
    if known is not None and (known.until_at > draft.now or draft.state.waiting.of(key)):
        _look_later(draft, known)
    else:
        draft.drop(_RATION, key)


def _look_later(draft: Draft, ration: Ration) -> None:
    draft.wake(_EXPIRE, f"ration:{ration.key}", max(ration.until_at, draft.now + LOOK_MS))


def _always_leaves(draft: Draft, delivery: Delivery) -> bool:
    """A complete outage that its contact has not heard of yet."""
    incident = draft.incident(delivery.incident)
    new = incident is not None and delivery.contact not in incident.paged
    return new and delivery.purpose is Purpose.PAGE and delivery.severity is Severity.SEV0


def _limits(draft: Draft, delivery: Delivery) -> tuple[Limit, ...]:
    """An update that waits a minute for another would only be late, so the shortest limits are for pages.

    Drills neither wait nor count: one never keeps a real page waiting.
    """
    channel = draft.policy.channels.get(delivery.channel)
    if delivery.held in COLLECTED or (channel and channel.machine):
        return ()
    kind = "call" if channel and channel.voice else "text" if delivery.address.startswith("+") else "message"
    limits = draft.policy.limits.get(kind, ())
    incident = draft.incident(delivery.incident) if limits else None
    if incident is not None and incident.drill:
        return ()
    if delivery.purpose is _UPDATE:
        return _longer(limits)
    return limits


@lru_cache(maxsize=256)
def _longer(limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    return tuple(limit for limit in limits if limit.window_ms > MINUTE)


@lru_cache(maxsize=256)
def _reach(limits: tuple[Limit, ...]) -> tuple[int, int]:
    """For how long (ms) any of them remembers a message, and how many of them at most."""
    longest = max((limit.window_ms for limit in limits), default=MINUTE)
    return longest, max((limit.count for limit in limits), default=1)
