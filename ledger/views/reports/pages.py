"""Who was paged when, by which of their methods, and what they did then."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from ledger.views.store import Whole
from ledger.views.times import iso
from routing.delivery import Delivery, Progress, Purpose
from routing.incident import Moment

_NEVER_LEFT = frozenset({Progress.PENDING, Progress.CANCELLED})


def of(whole: Whole) -> list[dict[str, Any]]:
    """One for each time a contact was paged, however many their methods:
    {"contact", "at", "ways": [{"channel", "status"}], "answer", "answered_at", "after_ms"}; null without an answer.
    """
    ended = whole.incident.resolved_at
    done = [one for one in whole.timeline if not ended or one.at <= ended]
    return [_page(contact, some, done) for contact, some in together(whole.deliveries) if _any_left(some)]


def together(deliveries: Sequence[Delivery]) -> Iterator[tuple[str, list[Delivery]]]:
    """Messages that were one page: of one contact, for one step of the escalation, in the order they began."""
    paged = sorted((one for one in deliveries if one.purpose is Purpose.PAGE), key=_one_page)
    groups = [list(some) for _, some in groupby(paged, key=_one_page)]
    yield from ((some[0].contact, some) for some in sorted(groups, key=lambda some: some[0].created_at))


def left(delivery: Delivery) -> bool:
    """Whether it was ever said, or at least tried."""
    return delivery.progress not in _NEVER_LEFT or delivery.attempt > 1


def _any_left(some: list[Delivery]) -> bool:
    return any(map(left, some))


def _one_page(one: Delivery) -> tuple[str, int, int, int]:
    return one.contact, one.start, one.round, one.stage


def _page(contact: str, some: list[Delivery], timeline: Sequence[Moment]) -> dict[str, Any]:
    at = some[0].created_at
    answer = next((one for one in timeline if one.by == contact and one.at >= at), None)
    return {
        "contact": contact,
        "at": iso(at),
        "ways": [{"channel": one.channel, "status": _status(one)} for one in some],
        "answer": answer.what if answer else None,
        "answered_at": iso(answer.at) if answer else None,
        "after_ms": answer.at - at if answer else None,
    }


def _status(one: Delivery) -> str:
    """In words: what became of the message, and why where it did not arrive."""
    if one.sandbox:
        return "kept in the sandbox"
    if one.progress is Progress.CANCELLED:
        return f"not sent, {one.error}" if one.error else "not sent"
    if one.progress is Progress.FAILED:
        return f"failed, {one.error}" if one.error else "failed"
    return one.progress.value
