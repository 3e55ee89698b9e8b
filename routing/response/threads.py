"""Threads: over some channels what is said to one place about one incident continues the first message there.

The incident remembers the provider's id of that message. Until the provider has given it, later messages to the same
place wait: two that left together would open two threads.
"""

import msgspec

from routing.delivery import Delivery, Held, Progress, Purpose, Thread
from routing.draft import Draft
from routing.entry import Delivered
from routing.incident import Incident
from routing.instant import SECOND
from routing.timer import Wake

CHECK_MS = 30 * SECOND
"""How often a message that waits looks for itself whether the thread is open."""

_ASKING = frozenset({Purpose.PAGE, Purpose.APPROVAL})


def has(draft: Draft, delivery: Delivery) -> bool:
    """Whether it belongs to a thread. A message for several incidents belongs to that of none."""
    channel = draft.policy.channels.get(delivery.channel)
    return channel is not None and channel.threads and not delivery.listed and bool(delivery.incident)


def find(incident: Incident, delivery: Delivery) -> Thread | None:
    for each in incident.threads:
        if each.address == delivery.address and each.channel == delivery.channel:
            return each
    return None


def may_leave(draft: Draft, delivery: Delivery) -> bool:
    """Its thread is open, or it is the one that opens it."""
    incident = draft.incident(delivery.incident)
    if incident is None:
        return True
    thread = find(incident, delivery)
    if thread is not None and (thread.id or thread.opener == delivery.id):
        return True
    opener = draft.delivery(thread.opener) if thread else None
    if opener is not None and _may_open_it(draft, opener) and not _goes_first(delivery, opener):
        return False
    if opener is not None and opener.progress is Progress.PENDING:
        draft.withdraw(opener.id)
        for wake in (Wake.UNCLAIMED, Wake.RETRY):
            draft.unwake(wake, opener.id)
        wait(draft, opener)
    opens = Thread(
        contact=delivery.contact, channel=delivery.channel, address=delivery.address, opener=delivery.id
    )
    _put(draft, incident, thread, opens)
    return True


def _may_open_it(draft: Draft, opener: Delivery) -> bool:
    """Its id may come: a person can press a button before we have written down that the message arrived."""
    if opener.progress in {Progress.FAILED, Progress.CANCELLED}:
        return False
    return not opener.progress.over or draft.now < opener.changed_at + CHECK_MS


def _goes_first(delivery: Delivery, opener: Delivery) -> bool:
    """What waits for an answer waits for nothing that is only told and that no worker has taken up."""
    asks = delivery.purpose in _ASKING and opener.purpose not in _ASKING
    return asks and opener.progress is Progress.PENDING


def wait(draft: Draft, delivery: Delivery, at: int = 0) -> None:
    """It leaves once the thread is open, or when what was to open it has failed; it looks for itself `at` (ms)."""
    draft.put_delivery(msgspec.structs.replace(delivery, held=Held.THREAD.value))
    draft.unwake(Wake.UNCLAIMED, delivery.id)
    what = f"tell {delivery.contact} by {delivery.channel} after the first message there"
    draft.wake(Wake.THREAD, delivery.id, at or draft.now + CHECK_MS, incident=delivery.incident, what=what)


def opened(draft: Draft, delivery: Delivery, entry: Delivered) -> None:
    """The provider took a message: what it names is what later ones continue."""
    incident = draft.incident(delivery.incident)
    if incident is None:
        return
    thread = find(incident, delivery)
    known = thread.id if thread and (entry.sandbox or not thread.sandbox) else ""
    name = entry.thread or known or entry.provider_id
    if thread is not None and name == thread.id:
        return
    opens = Thread(
        contact=thread.contact if thread else delivery.contact,
        channel=delivery.channel,
        address=delivery.address,
        id=name,
        opener=delivery.id,
        sandbox=entry.sandbox,
    )
    _put(draft, incident, thread, opens)


def waiting(draft: Draft, delivery: Delivery) -> list[Delivery]:
    """What waits for the same thread: pages first, then in the order it was to be told."""
    found = [
        each
        for each in draft.unclaimed(delivery.incident)
        if each.held == Held.THREAD and (each.channel, each.address) == (delivery.channel, delivery.address)
    ]
    return sorted(found, key=lambda each: (each.purpose not in _ASKING, each.created_at, _number(each)))


def name_of(draft: Draft, delivery: Delivery) -> str:
    """The provider's id of what it continues; "" when it opens the thread."""
    incident = draft.incident(delivery.incident)
    thread = find(incident, delivery) if incident else None
    return thread.id if thread else ""


def _put(draft: Draft, incident: Incident, old: Thread | None, new: Thread) -> None:
    threads = [each for each in incident.threads if each is not old]
    draft.put_incident(msgspec.structs.replace(incident, threads=[*threads, new]))


def _number(delivery: Delivery) -> int:
    return int(delivery.id.rpartition("-d")[2])
