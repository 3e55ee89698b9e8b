"""Opt-outs: who wrote STOP to our number, or is refused by a provider for it, is not written to until they write START.

What they are paged and told by is what is left of their methods; where nothing is left, all of them are tried all
the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from routing.decision import Table
from routing.delivery import Delivery, Progress, Purpose
from routing.draft import Draft
from routing.instant import iso
from routing.pages import digits
from routing.policy import Contact, Method, Policy
from routing.response import personal
from routing.response.proofs import stop_key

_FACT = Table.FACT  # named once, as in `routing.draft`

STOP = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})
START = frozenset({"start", "unstop", "yes"})
"""Words that carriers and providers act on by themselves: we only learn of it."""


def stopped(draft: Draft, channel: str, address: str, why: str) -> None:
    """From now on the method is known to reach nobody."""
    draft.put_fact(stop_key(channel, address), f"{why} at {iso(draft.now)}")


def wrote_stop(draft: Draft, address: str) -> list[Method]:
    """Every way to write to the address is closed. Returns those that were open."""
    closed = [each for each in carriers(draft.policy, address) if not is_stopped(draft, each)]
    for method in closed:
        stopped(draft, method.channel, method.address, "they wrote STOP")
    return closed


def wrote_start(draft: Draft, address: str) -> list[Method]:
    """They can be written to again. Returns the ways that were closed."""
    opened = [each for each in carriers(draft.policy, address) if is_stopped(draft, each)]
    for method in opened:
        draft.drop(_FACT, stop_key(method.channel, method.address))
    return opened


def carriers(policy: Policy, address: str) -> list[Method]:
    """Those of them that are telephone numbers: carriers act on such words, chats do not."""
    return [each for each in written(policy, address) if each.address.startswith("+")]


def written(policy: Policy, address: str) -> Iterator[Method]:
    """Ways that write to this address, however it is written, of any contact."""
    seen: set[tuple[str, str]] = set()
    for contact in policy.contacts.values():
        for method in contact.methods:
            place = (method.channel, method.address)
            if place not in seen and digits(method.address) == digits(address) and _writes(policy, method):
                seen.add(place)
                yield method


def is_stopped(draft: Draft, method: Method) -> bool:
    return bool(draft.fact(stop_key(method.channel, method.address)))


def reachable(draft: Draft, contact: Contact) -> Contact:
    """The contact with what is left of their methods; as they are where nothing is closed, or nothing is left."""
    if not draft.has_put(_FACT) and not _may_be_stopped(draft.state.tables[_FACT], contact):
        return contact
    closed = [each for each in contact.methods if is_stopped(draft, each)]
    if not closed or len(closed) == len(contact.methods):
        return contact
    left = tuple(each for each in contact.methods if each not in closed)

    def open_(methods: tuple[Method, ...]) -> tuple[Method, ...]:
        kept = tuple(each for each in methods if not is_stopped(draft, each))
        return kept if len(kept) == len(methods) else personal.at_once(kept or left)

    quiet = tuple(each for each in contact.quiet if not is_stopped(draft, each))
    return replace(
        contact,
        methods=left,
        by_severity={level: open_(methods) for level, methods in contact.by_severity.items()},
        by_hour=tuple(
            replace(each, by_severity={level: open_(of) for level, of in each.by_severity.items()})
            for each in contact.by_hour
        ),
        quiet=quiet or tuple(each for each in left if _writes(draft.policy, each)) or contact.quiet,
    )


def _may_be_stopped(facts: Mapping[str, object], contact: Contact) -> bool:
    # Asked with every message, and hardly ever so: a loop, and no call, for each method.
    for method in contact.methods:  # noqa: SIM110
        if stop_key(method.channel, method.address) in facts:
            return True
    return False


def open_page(draft: Draft, method: Method) -> Delivery | None:
    """The latest page over a way that was closed, if it still waits for an answer."""
    page = draft.delivery(draft.state.pages.latest(method.address))
    waits = {Progress.CLAIMED, Progress.SENT, Progress.DELIVERED}
    same = page is not None and (page.channel, page.purpose) == (method.channel, Purpose.PAGE)
    return page if page is not None and same and page.progress in waits else None


def _writes(policy: Policy, method: Method) -> bool:
    channel = policy.channels.get(method.channel)
    return channel is not None and not channel.voice
