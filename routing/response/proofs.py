"""Proofs that a person is reached at an address: an answer from there, or somebody's word."""

from collections.abc import Callable

from routing.decision import Table
from routing.delivery import Delivery
from routing.draft import Draft
from routing.entry import Verified
from routing.instant import DAY, iso, parse_iso
from routing.policy import Contact, Method
from routing.severity import Severity

REFRESH_MS = 7 * DAY
"""An answer is written down anew when the last is as old: how fresh a proof is need not be known to the day."""

IsProven = Callable[[str], bool]
"""Whether the fact of this key is known, and fresh enough to count."""


def answered(draft: Draft, delivery: Delivery) -> None:
    """Whoever answers was reached; what the sandbox answers proves nothing."""
    key = proof_key(delivery.channel, delivery.address)
    if not delivery.sandbox and draft.now - proven_at(draft.fact(key)) > REFRESH_MS:
        draft.put_fact(key, f"answered {delivery.id} at {iso(draft.now)}")


def said(draft: Draft, entry: Verified) -> None:
    key = proof_key(entry.channel, entry.address)
    if entry.over:
        draft.drop(Table.FACT, key)
    else:
        draft.put_fact(key, f"by {entry.by} at {iso(draft.now)}")


def proven_at(proof: str) -> int:
    """When (ms) the address was proven, as the fact says at its end; 0 where it says nothing."""
    try:
        return parse_iso(proof.rpartition(" at ")[2])
    except ValueError:
        return 0


def is_fresh(proof: str, now: int, longest_ms: int) -> bool:
    return bool(proof) and now - proven_at(proof) <= longest_ms


def proof_key(channel: str, address: str) -> str:
    """The fact that holds how it is known. A changed address has no proof any more."""
    return f"verified:{channel}:{address}"


def stop_key(channel: str, address: str) -> str:
    """The fact that says why nothing is sent there: whose address it is wants nothing."""
    return f"stopped:{channel}:{address}"


def unreachable_for(contact: Contact, proven: IsProven) -> tuple[Severity, ...]:
    """The severities for which the contact has no method that is proven to reach them, and open."""
    return tuple(
        level for level in Severity if not any(_is_proven(each, proven) for each in _pages(contact, level))
    )


def filled_in(contact: Contact, level: Severity) -> tuple[Method, ...]:
    """The methods a page of this severity goes by, without those that are nobody's yet."""
    pages = _pages(contact, level)
    return tuple(each for each in pages if not each.is_placeholder and not each.is_pattern)


def _pages(contact: Contact, level: Severity) -> tuple[Method, ...]:
    return contact.by_severity.get(level) or contact.methods


def _is_proven(method: Method, proven: IsProven) -> bool:
    place = (method.channel, method.address)
    return proven(proof_key(*place)) and not proven(stop_key(*place))
