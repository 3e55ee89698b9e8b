"""Attempts: claimed, answered by the provider, retried, repeated, given up. All of it order-tolerant."""

import msgspec

from routing.decision import Table
from routing.delivery import Delivery, Progress, Purpose
from routing.draft import Draft
from routing.entry import Claimed, Deferred, Delivered, Outcome, Receipt
from routing.incident import Incident, Phase
from routing.instant import MINUTE
from routing.record import encode
from routing.response import callees, carried, escalation, notices, optouts, sending, threads
from routing.severity import Severity
from routing.timer import Wake

# Named once, as in `routing.draft`: asked for again and again.
_PENDING, _CLAIMED, _SENT, _FAILED = Progress.PENDING, Progress.CLAIMED, Progress.SENT, Progress.FAILED
_OK = Outcome.OK
_UNCLAIMED, _SILENT = Wake.UNCLAIMED, Wake.SILENT

SILENT_GRACE_MS = 1_000
BACKOFF_MS = 5_000
MAX_BACKOFF_MS = 300_000
URGENT_BACKOFF_MS = 20_000
MAX_DEFERRED_PAGE_MS = 60_000
"""So long a page waits for the pace of its provider, before that counts as a failed attempt."""
MAX_DEFERRED_MS = 15 * MINUTE

FAILED_RECEIPTS = frozenset(
    {"busy", "no-answer", "failed", "canceled", "undelivered", "machine", "bounced", "opted-out"}
)
"""A machine that took the call has reached nobody."""
REMARKS = frozenset({"complained"})
"""They change nothing, and somebody may want to know."""
OPTED_OUT = "opted-out"
"""A receipt that says so, too: whose address it is wants nothing from us."""
FINAL_RECEIPTS = {
    "delivered": Progress.DELIVERED,
    "answered": Progress.ANSWERED,
    "in-progress": Progress.DELIVERED,
}
RANK = {
    _PENDING: 0,
    _CLAIMED: 1,
    _SENT: 2,
    Progress.CANCELLED: 2,
    Progress.DELIVERED: 3,
    Progress.ANSWERED: 4,
    _FAILED: 5,
}


def claimed(draft: Draft, delivery: Delivery, entry: Claimed) -> None:
    """A worker is at it; if it falls silent past its own timeout, the attempt is made again."""
    if entry.attempt != delivery.attempt or delivery.progress is not _PENDING:
        return
    draft.put_delivery(msgspec.structs.replace(delivery, progress=_CLAIMED, changed_at=draft.now))
    draft.unwake(_UNCLAIMED, delivery.id)
    draft.wake(
        _SILENT,
        delivery.id,
        entry.at + entry.timeout_ms + SILENT_GRACE_MS,
        incident=delivery.incident,
        what=f"repeat {delivery.id} if its worker gave no answer",
    )


def delivered(draft: Draft, delivery: Delivery, entry: Delivered) -> None:
    """What the provider answered. Of an older attempt only good news counts."""
    if entry.outcome is _OK:
        _sent(draft, delivery, entry)
    elif entry.attempt == delivery.attempt and not delivery.progress.over:
        if entry.opted_out:
            optouts.stopped(draft, delivery.channel, delivery.address, f"refused by {delivery.channel}")
        _failed(draft, delivery, entry)


def _sent(draft: Draft, delivery: Delivery, entry: Delivered) -> None:
    rank = RANK[delivery.progress]
    known = delivery.provider_id == entry.provider_id and delivery.answer == entry.answer
    if known and rank >= RANK[_SENT]:
        return
    progress = delivery.progress if rank > RANK[_SENT] else _SENT
    taken = msgspec.structs.replace(
        delivery,
        progress=progress,
        changed_at=draft.now,
        provider_id=entry.provider_id,
        answer=entry.answer,
        sandbox=entry.sandbox,
        error="" if progress is _SENT else delivery.error,
    )
    draft.put_delivery(taken)
    sending.settle(draft, delivery)
    where = " in the SANDBOX" if entry.sandbox else ""
    again = ", marked as a repeat" if delivery.repeat else ""
    what = f"{delivery.purpose} to {delivery.contact} by {delivery.channel}"
    remark = f"; {entry.remark}" if entry.remark else ""
    draft.note(delivery.incident, f"{what} accepted{where} as {entry.provider_id}{again}{remark}")
    if progress is not _FAILED:
        carried.accepted(draft, taken)
    if threads.has(draft, delivery):
        threads.opened(draft, delivery, entry)
        sending.follow(draft, delivery)


def _failed(draft: Draft, delivery: Delivery, entry: Delivered) -> None:
    channel = draft.policy.channels.get(delivery.channel)
    attempts = channel.attempts if channel else 1
    if entry.outcome is Outcome.PERMANENT or delivery.attempt >= attempts:
        give_up(draft, delivery, entry.error, entry.answer)
        return
    urgent = delivery.purpose is Purpose.PAGE and delivery.severity <= Severity.SEV1
    ceiling = URGENT_BACKOFF_MS if urgent else MAX_BACKOFF_MS
    wait = min(max(BACKOFF_MS << (delivery.attempt - 1), entry.retry_after_ms), ceiling)
    sending.settle(draft, delivery)
    draft.put_delivery(
        msgspec.structs.replace(
            delivery,
            progress=_PENDING,
            attempt=delivery.attempt + 1,
            repeat=delivery.repeat or entry.outcome is Outcome.UNKNOWN,
            deferred_at=0,
            changed_at=draft.now,
            error=entry.error,
            answer=entry.answer,
        )
    )
    draft.wake(
        Wake.RETRY, delivery.id, draft.now + wait, incident=delivery.incident, what=f"try {delivery.id} again"
    )
    draft.note(
        delivery.incident,
        f"{delivery.channel} to {delivery.contact} failed ({entry.error}); again in {wait // 1000} s",
    )


def deferred(draft: Draft, delivery: Delivery, entry: Deferred) -> None:
    """Its provider takes no more at present. It comes back without having spent an attempt, but not for ever:
    what waits for too long is a failed attempt, and in the end the next method has its turn.
    """
    if entry.attempt != delivery.attempt or delivery.progress is not _PENDING:
        return
    since = delivery.deferred_at or draft.now
    longest = MAX_DEFERRED_PAGE_MS if delivery.purpose is Purpose.PAGE else MAX_DEFERRED_MS
    if draft.now + entry.wait_ms - since > longest:
        late = f"{entry.why}, and its turn did not come within {longest // 1000} s"
        failed = Delivered(
            at=entry.at, delivery=delivery.id, attempt=entry.attempt, outcome=Outcome.TEMPORARY, error=late
        )
        _failed(draft, delivery, failed)
        return
    draft.put_delivery(msgspec.structs.replace(delivery, deferred_at=since, changed_at=draft.now))
    draft.unwake(_UNCLAIMED, delivery.id)
    what = f"send {delivery.id}, which waits its turn"
    draft.wake(Wake.RETRY, delivery.id, draft.now + entry.wait_ms, incident=delivery.incident, what=what)
    if not delivery.deferred_at:
        draft.note(delivery.incident, f"{delivery.channel} to {delivery.contact} waits its turn: {entry.why}")


def give_up(draft: Draft, delivery: Delivery, error: str, answer: str = "") -> None:
    """No attempt is left: a dead letter for the operator, another way for the person."""
    sending.settle(draft, delivery)
    failed = msgspec.structs.replace(
        delivery, progress=_FAILED, changed_at=draft.now, error=error, answer=answer
    )
    draft.put_delivery(failed)
    if delivery.purpose is Purpose.RECALL:
        draft.note(delivery.incident, f"the call to {delivery.contact} could not be ended: {error}")
        return
    draft.note(delivery.incident, f"{delivery.channel} to {delivery.contact} failed for good: {error}")
    if delivery.purpose is not Purpose.TEST:  # whoever asked for it sees that it failed
        draft.bury("undelivered", delivery.id, delivery.incident, error, encode(failed))
    if threads.has(draft, failed):
        sending.follow(draft, failed)
    _other_way(draft, failed)


def _other_way(draft: Draft, delivery: Delivery) -> None:
    if delivery.purpose is Purpose.NOTICE:
        notices.otherwise(draft, delivery)
        return
    incident = draft.incident(delivery.incident)
    if incident is None:
        return
    if delivery.purpose is not Purpose.PAGE:
        _tell_otherwise(draft, incident, delivery)
    elif escalation.is_waiting_for_ack(incident):
        escalation.fall_back(draft, incident, delivery)


def _tell_otherwise(draft: Draft, incident: Incident, delivery: Delivery) -> None:
    contact = callees.owed(draft, incident, delivery.contact)
    if contact is None:
        return
    tried = {
        (other.channel, other.address)
        for other in draft.owned(incident.id, Table.DELIVERY, Delivery)
        if other.contact == contact.name and other.message == delivery.message
    }
    for method in contact.quiet:
        if (method.channel, method.address) not in tried:
            why = f"{delivery.channel} failed"
            if delivery.run:
                sending.ask(draft, incident, contact, method, delivery.message, why, delivery.run)
            else:
                sending.send(draft, incident, contact, method, delivery.purpose, delivery.message, why)
            return


def receipt(draft: Draft, delivery: Delivery, entry: Receipt) -> None:
    """The provider calls back, perhaps before we know that it took the call at all.

    Bad news of what we know to be an earlier attempt, or of what was called off, changes nothing.
    """
    if delivery.progress is _FAILED:
        return
    if entry.status in REMARKS:
        draft.note(delivery.incident, f"{delivery.channel} to {delivery.contact}: {_said(entry)}")
        return
    if entry.status in FAILED_RECEIPTS:
        earlier = bool(delivery.provider_id) and entry.provider_id not in delivery.provider_id.split()
        if delivery.progress not in {Progress.ANSWERED, Progress.CANCELLED} and not (
            entry.provider_id and earlier
        ):
            if entry.status == OPTED_OUT:
                optouts.stopped(draft, delivery.channel, delivery.address, f"refused by {delivery.channel}")
            known = msgspec.structs.replace(delivery, provider_id=delivery.provider_id or entry.provider_id)
            give_up(draft, known, _said(entry))
        return
    progress = FINAL_RECEIPTS.get(entry.status)
    if progress is None or RANK[progress] <= RANK[delivery.progress]:
        return
    draft.put_delivery(
        msgspec.structs.replace(
            delivery,
            progress=progress,
            changed_at=draft.now,
            provider_id=delivery.provider_id or entry.provider_id,
        )
    )
    sending.settle(draft, delivery)
    draft.note(delivery.incident, f"{delivery.channel} to {delivery.contact}: {entry.status}")


def _said(entry: Receipt) -> str:
    return f"{entry.status} {entry.detail}".strip()


def unclaimed(draft: Draft, delivery: Delivery, tries: int) -> None:
    if delivery.progress is _PENDING:
        sending.dispatch(draft, delivery, tries + 1)


def retry(draft: Draft, delivery: Delivery) -> None:
    if delivery.progress is _PENDING:
        sending.dispatch(draft, delivery)


def silent(draft: Draft, delivery: Delivery) -> None:
    """Claimed, and no answer within the call's own timeout: better twice than not at all, and said so."""
    if delivery.progress is not _CLAIMED:
        return
    channel = draft.policy.channels.get(delivery.channel)
    if delivery.attempt >= (channel.attempts if channel else 1) + 1:
        give_up(draft, delivery, "its workers gave no answer")
        return
    repeated = msgspec.structs.replace(
        delivery,
        progress=_PENDING,
        attempt=delivery.attempt + 1,
        repeat=True,
        changed_at=draft.now,
        error="its worker gave no answer",
    )
    draft.put_delivery(repeated)
    draft.note(
        delivery.incident,
        f"{delivery.channel} to {delivery.contact} again, marked as a repeat: its worker gave no answer",
    )
    sending.dispatch(draft, repeated)


def revive(draft: Draft, delivery: Delivery, by: str) -> None:
    """An operator retries a delivery that was given up. What has arrived, or rings for nothing, is only noted."""
    if why := _needless(draft, delivery):
        draft.note(delivery.incident, f"{by} asked to retry {delivery.id}; {why}", by=by)
        return
    revived = msgspec.structs.replace(
        delivery,
        progress=_PENDING,
        attempt=delivery.attempt + 1,
        repeat=delivery.repeat or delivery.progress is _CLAIMED,
        changed_at=draft.now,
        error="",
    )
    draft.put_delivery(revived)
    draft.note(delivery.incident, f"{delivery.id} retried by {by}", by=by)
    sending.dispatch(draft, revived)


def _needless(draft: Draft, delivery: Delivery) -> str:
    if delivery.progress in {_SENT, Progress.DELIVERED, Progress.ANSWERED}:
        return f"it was {delivery.progress} meanwhile"
    incident = draft.incident(delivery.incident)
    over = incident is not None and incident.phase is Phase.RESOLVED
    return "the incident is resolved" if over and delivery.purpose is Purpose.PAGE else ""
