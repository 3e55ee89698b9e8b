"""Trials: a test to one address, clearly said to be one.

Whoever returns its code, or opens its link and says so, is reached there.
"""

import re
from hmac import compare_digest

import msgspec

from routing.decision import Table
from routing.delivery import Delivery, Message, Purpose
from routing.draft import Draft
from routing.entry import Answer, TrialSet
from routing.instant import MINUTE, iso
from routing.pages import digits
from routing.policy import Contact, Method
from routing.response import notices, proofs, sending
from routing.timer import Wake
from routing.trial import Trial

GUESSES = 5
"""After so many wrong codes it is over: of a million codes, five say nothing."""
GOOD_FOR_MS = 10 * MINUTE

_CODE = re.compile(r"\s*(\d{3})[\s-]?(\d{3})\W*")


def begin(draft: Draft, entry: TrialSet) -> None:
    """The test goes out; one to the same address whose code has not come back is over."""
    contact = draft.policy.contacts.get(entry.contact)
    methods = contact.methods if contact else ()
    method = next((m for m in methods if (m.channel, m.address) == (entry.channel, entry.address)), None)
    if contact is None or method is None:
        return
    if entry.code:
        _expect(draft, entry)
    why = f"a test, asked for by {entry.by or 'an operator'}"
    notices.send(draft, contact.name, method, _message(contact, method, entry), why, Purpose.TEST, entry.id)


def _expect(draft: Draft, entry: TrialSet) -> None:
    for other in _open(draft):
        if (other.channel, other.address) == (entry.channel, entry.address):
            end(draft, other.id)
    trial = Trial(
        id=entry.id,
        contact=entry.contact,
        channel=entry.channel,
        address=entry.address,
        code=entry.code,
        until_at=draft.now + GOOD_FOR_MS,
    )
    draft.put(Table.TRIAL, trial.id, trial)
    draft.wake(Wake.EXPIRE, f"trial:{trial.id}", trial.until_at, what="forget the code of a test")


def _message(contact: Contact, method: Method, entry: TrialSet) -> Message:
    if not entry.code:
        said = f"This is a test of Tocsin by {method.channel}. Nothing is wrong, and nothing is asked of you."
        return Message(title="Test of Tocsin: nothing is wrong", body=said, speech=said)
    spaced = f"{entry.code[:3]} {entry.code[3:]}"
    body = (
        f"{contact.title}, this is a test of Tocsin; nothing is wrong. Your code is {spaced}.\n"
        f"Reply with it, open the link, or tell it to {entry.by or 'who asked for this'}: that shows that you are "
        f"reached here. It is good for {GOOD_FOR_MS // MINUTE} minutes."
    )
    spoken = " ".join(f"{each}," for each in entry.code)
    speech = f"This is a test of Tocsin. Nothing is wrong. Your code is: {spoken} Press these six digits now."
    return Message(title="Test of Tocsin: please confirm", body=body, speech=speech)


def returned(draft: Draft, entry: Answer) -> bool:
    """Whether this answers a test, and not a page; a right code or the link proves the address."""
    found = _CODE.fullmatch(entry.text)
    code = "".join(found.groups()) if found else ""
    delivery = draft.delivery(entry.delivery) if entry.delivery else None
    if entry.delivery:
        if delivery is None or delivery.purpose is not Purpose.TEST:
            return False
        _take(draft, entry, delivery, code)
        return True
    trial = _of_address(draft, entry.address) if code else None
    delivery = draft.delivery(trial.id) if trial else None
    if delivery is None:
        return False
    _take(draft, entry, delivery, code)
    return True


def _take(draft: Draft, entry: Answer, delivery: Delivery, code: str) -> None:
    trial = draft.find(Table.TRIAL, delivery.id, Trial)
    if not code:
        # A link holds a signature that only the message had; a key shows no more than that somebody listens.
        if entry.text == "ack":
            _answered(draft, delivery, f"answered {delivery.id}")
        return
    if trial is None or draft.now >= trial.until_at:
        return
    if compare_digest(trial.code, code):
        _answered(draft, delivery, f"by the code of {delivery.id} over {entry.channel}")
        return
    guesses = trial.guesses + 1
    draft.put(Table.TRIAL, trial.id, msgspec.structs.replace(trial, guesses=guesses))
    if guesses >= GUESSES:
        end(draft, trial.id)


def _answered(draft: Draft, delivery: Delivery, how: str) -> None:
    if not delivery.sandbox:
        draft.put_fact(proofs.proof_key(delivery.channel, delivery.address), f"{how} at {iso(draft.now)}")
    sending.answered(draft, delivery)
    end(draft, delivery.id)


def end(draft: Draft, key: str) -> None:
    """Its code is worth nothing any more."""
    draft.drop(Table.TRIAL, key)
    draft.unwake(Wake.EXPIRE, f"trial:{key}")


def _open(draft: Draft) -> list[Trial]:
    known = list(draft.state.tables[Table.TRIAL])
    return [found for key in known if (found := draft.find(Table.TRIAL, key, Trial))]


def _of_address(draft: Draft, address: str) -> Trial | None:
    return next((each for each in _open(draft) if digits(each.address) == digits(address)), None)
