"""Carried: what one message tells of, together with others. When it is accepted, they are told.

Each still has a timer of its own, and looks for itself: after a failure, and where there are more than one entry
of the log should change.
"""

from itertools import islice

import msgspec

from routing.delivery import Delivery, Progress
from routing.draft import Draft
from routing.instant import SECOND
from routing.response import sending
from routing.timer import Wake

CHECK_MS = 30 * SECOND
"""How often a carried delivery looks what became of the message that told of it."""
MOST_AT_ONCE = 50
"""So many join, or are told, in the entry of the message that carries them; the others in entries of their own."""


def join(draft: Draft, delivery: Delivery, carrier: str) -> None:
    """The message tells of it: it is done when that is done."""
    joined = msgspec.structs.replace(delivery, carrier=carrier, changed_at=draft.now)
    draft.put_delivery(joined)
    sending.owe(draft, joined)
    look_again(draft, joined)


def look_again(draft: Draft, delivery: Delivery) -> None:
    what = f"see that {delivery.contact} got {delivery.carrier}, which tells of it"
    draft.wake(Wake.BUNDLE, delivery.id, draft.now + CHECK_MS, incident=delivery.incident, what=what)


def accepted(draft: Draft, carrier: Delivery) -> None:
    """The message was accepted, and with it what it tells of."""
    carried = draft.state.waiting.carried_by(carrier.id)
    for key in list(islice(carried, MOST_AT_ONCE)) if carried else ():
        delivery = draft.delivery(key)
        if delivery is not None and delivery.progress is Progress.PENDING:
            told(draft, delivery, carrier)


def told(draft: Draft, delivery: Delivery, carrier: Delivery) -> None:
    draft.put_delivery(
        msgspec.structs.replace(
            delivery, progress=Progress.SENT, changed_at=draft.now, provider_id=carrier.provider_id,
            answer=carrier.answer, sandbox=carrier.sandbox,
        )
    )  # fmt: skip
    draft.unwake(Wake.BUNDLE, delivery.id)
    draft.note(delivery.incident, f"{delivery.contact} was told by {carrier.id}, together with others")
