"""Notices: messages that belong to no incident. They are followed through as all deliveries are, and then forgotten."""

from routing.decision import Table
from routing.delivery import Delivery, Message, Progress, Purpose
from routing.draft import Draft
from routing.instant import DAY
from routing.policy import Contact, Method
from routing.response import callees, sending
from routing.severity import Severity
from routing.timer import Wake

KEPT_MS = 7 * DAY
"""So long a notice can be looked up, and retried."""

_COUNTED = "notices"
"""The fact that holds how many there ever were."""


def tell(draft: Draft, contact: Contact, message: Message, why: str) -> None:
    """By the first of the contact's quiet methods; to who is only ever called, nothing."""
    if contact.quiet:
        send(draft, contact.name, contact.quiet[0], message, why)


def otherwise(draft: Draft, failed: Delivery) -> None:
    """What failed for good goes out by the contact's next quiet method, if there is one."""
    contact = callees.find(draft.policy, failed.contact)
    ways = contact.quiet if contact else ()
    places = [(each.channel, each.address) for each in ways]
    place = (failed.channel, failed.address)
    for method in ways[places.index(place) + 1 :][:1] if place in places else ():
        send(draft, failed.contact, method, failed.message, f"{failed.channel} failed")


def forget(draft: Draft, key: str) -> None:
    """It is old. One that nobody took up by now would be news of last week."""
    notice = draft.delivery(key)
    if notice is not None and not notice.progress.over:
        sending.cancel(draft, notice, "nobody sent it while it was news")
    draft.drop(Table.NOTICE, key)


def send(
    draft: Draft,
    contact: str,
    method: Method,
    message: Message,
    why: str,
    purpose: Purpose = Purpose.NOTICE,
    name: str = "",
) -> None:
    """It leaves at once. `name`: the delivery's id; "" counts them."""
    if not name:
        number = int(draft.fact(_COUNTED) or 0) + 1
        draft.put_fact(_COUNTED, str(number))
        name = f"notice-{number}"
    notice = Delivery(
        id=name,
        incident="",
        contact=contact,
        channel=method.channel,
        address=method.address,
        purpose=purpose,
        severity=Severity.SEV4,
        message=message,
        progress=Progress.PENDING,
        created_at=draft.now,
        changed_at=draft.now,
        why=why,
    )
    draft.wake(Wake.EXPIRE, f"notice:{notice.id}", draft.now + KEPT_MS, what="forget an old notice")
    sending.leave(draft, notice)
