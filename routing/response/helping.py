"""What can be answered, said to whoever wrote something that means nothing to us, or asked.

Seldom enough that two machines never write to each other for long, and to nobody we do not know.
"""

from routing.delivery import Message
from routing.draft import Draft
from routing.instant import DAY, MINUTE
from routing.pages import digits
from routing.policy import Contact, Method
from routing.response import notices, optouts

MOST_A_DAY = 5
PAUSE_MS = 10 * MINUTE
"""Between two that nobody asked for."""
HELP = frozenset({"help", "info", "?", "h"})
WORDS = (
    "Answer ack, resolve or escalate; ack 12 or 12a is for INC-12.\n"
    "approve or deny, where a repair asks.\n"
    "STOP ends these messages, START takes it back."
)


def explain(draft: Draft, address: str, found: str, *, asked: bool = False) -> None:
    """Tell whoever writes from this address what can be answered, and what was found of their answer."""
    who = _who(draft, address)
    if who is None or not _may(draft, address, asked=asked):
        return
    contact, method = who
    message = Message(title=found, body=WORDS)
    notices.send(draft, contact.name, method, message, "they wrote what means nothing to us")


def _who(draft: Draft, address: str) -> tuple[Contact, Method] | None:
    """Whose address it is, and how to write back."""
    for method in optouts.written(draft.policy, address):
        if not optouts.is_stopped(draft, method):
            places = ((contact, contact.methods) for contact in draft.policy.contacts.values())
            return next((contact, method) for contact, methods in places if method in methods)
    return None


def _may(draft: Draft, address: str, *, asked: bool) -> bool:
    """Whether the limits allow it; then it counts."""
    key = f"helped:{digits(address)}"
    times = [int(at) for at in draft.fact(key).split(",") if at]
    times = [at for at in times if at > draft.now - DAY]
    pause = MINUTE if asked else PAUSE_MS
    if len(times) >= MOST_A_DAY or (times and times[-1] > draft.now - pause):
        return False
    draft.put_fact(key, ",".join(map(str, [*times, draft.now])))
    return True
