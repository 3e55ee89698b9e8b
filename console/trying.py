"""A real test over one way to reach somebody, and how long it took: sent by the workers, as every message is."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from console.context import Context
from console.doing.entries import Who, do
from ledger.clock import now_ms
from routing.decision import Table
from routing.delivery import Delivery, Progress, Purpose
from routing.entry import TrialSet
from routing.policy import Method

ACCEPTED_MS = 30_000
"""So long for a provider to take it, tries included."""
_LOOK_S = 0.05
_TIMES = ("accepted_ms", "delivered_ms", "answered_ms")
_TAKEN = frozenset({Progress.SENT, Progress.DELIVERED, Progress.ANSWERED})


@dataclass
class Outcome:
    """Latencies in ms since it was decided; None for what has not happened."""

    id: str
    contact: str
    channel: str
    address: str
    accepted_ms: int | None = None
    delivered_ms: int | None = None
    answered_ms: int | None = None
    provider_id: str = ""
    error: str = ""
    sandbox: bool = False
    progress: str = Progress.PENDING.value
    _seen: set[Progress] = field(default_factory=set)

    @property
    def reached(self) -> bool:
        """Its provider took it; what stayed in the sandbox reached nobody."""
        return self.accepted_ms is not None and not self.sandbox and not self.error

    @property
    def answered(self) -> bool:
        return self.answered_ms is not None and not self.sandbox

    @property
    def said(self) -> str:
        if self.sandbox:
            return f"went to the SANDBOX: {self.error}" if self.error else "went to the SANDBOX"
        if self.progress == Progress.FAILED:
            return f"failed: {self.error}"
        times = (
            ("accepted", self.accepted_ms),
            ("delivered", self.delivered_ms),
            ("answered", self.answered_ms),
        )
        known = [f"{word} after {ms / 1000:.1f} s" for word, ms in times if ms is not None]
        return ", ".join(known) or f"is {self.progress}" + (f": {self.error}" if self.error else "")

    def look(self, delivery: Delivery) -> None:
        """Take down what it has come to; a step that was too quick to be seen has the time of the next."""
        self.progress, self.sandbox, self.provider_id = (
            delivery.progress.value,
            delivery.sandbox,
            delivery.provider_id,
        )
        self.error = delivery.answer if delivery.sandbox else delivery.error
        if delivery.progress in self._seen:
            return
        self._seen.add(delivery.progress)
        took = delivery.changed_at - delivery.created_at
        if delivery.progress in _TAKEN and self.accepted_ms is None:
            self.accepted_ms = took
        if delivery.progress is Progress.DELIVERED:
            self.delivered_ms = took
        if delivery.progress is Progress.ANSWERED:
            self.answered_ms = took

    def take(self, found: Mapping[str, Any]) -> None:
        """What another process has seen of it, as `as_json`; what was seen before stays."""
        for name in _TIMES:
            if getattr(self, name) is None:
                setattr(self, name, found[name])
        for name in ("progress", "provider_id", "sandbox", "error"):
            setattr(self, name, found[name])

    def as_json(self) -> dict[str, Any]:
        names = ("id", "contact", "channel", "address", "progress", *_TIMES)
        return {
            **{name: getattr(self, name) for name in names},
            "provider_id": self.provider_id, "sandbox": self.sandbox, "error": self.error, "reached": self.reached,
        }  # fmt: skip


Look = Callable[[Sequence[Outcome]], None]
"""Has outcomes say what has become of each by now."""


def begin(context: Context, who: Who, contact: str, method: Method, *, code: bool) -> Outcome:
    """As `send`, for who watches what becomes of it."""
    entry = send(context, who, contact, method, code=code)
    return Outcome(entry.id, contact, method.channel, method.address)


def send(context: Context, who: Who, contact: str, method: Method, *, code: bool) -> TrialSet:
    """Have a test sent; with a `code` that its reader returns. Raises Undecided."""
    entry = TrialSet(
        at=now_ms(),
        by=who.name,
        client=who.client,
        id=f"test-{secrets.randbelow(10**10):010d}",
        contact=contact,
        channel=method.channel,
        address=method.address,
        code=f"{secrets.randbelow(10**6):06d}" if code else "",
    )
    do(context, who, entry)
    return entry


def tests(context: Context) -> list[Delivery]:
    """Those of the last days, newest first."""
    found = context.store.records(Table.NOTICE, Delivery).values()
    sent = (each for each in found if each.purpose is Purpose.TEST)
    return sorted(sent, key=lambda each: (each.created_at, each.id), reverse=True)


def outcome(delivery: Delivery) -> Outcome:
    """As far as it has come."""
    found = Outcome(delivery.id, delivery.contact, delivery.channel, delivery.address)
    found.look(delivery)
    return found


def looking(context: Context) -> Look:
    """Beside the store."""

    def look(outcomes: Sequence[Outcome]) -> None:
        known = context.store.records(Table.NOTICE, Delivery)
        for each in outcomes:
            if each.id in known:
                each.look(known[each.id])

    return look


def watch(
    outcomes: Sequence[Outcome],
    look: Look,
    wait_ms: int,
    *,
    answered: bool = False,
    delivered: bool = False,
    every_s: float = _LOOK_S,
) -> Sequence[Outcome]:
    """Until a provider has taken each, or the time is over; until it was `delivered`, or `answered`, too."""
    until = time.monotonic() + wait_ms / 1000
    while True:
        look(outcomes)
        if all(_over(each, answered, delivered) for each in outcomes) or time.monotonic() > until:
            return outcomes
        time.sleep(every_s)


def _over(outcome: Outcome, answered: bool, delivered: bool) -> bool:
    if outcome.progress in {Progress.FAILED, Progress.CANCELLED} or outcome.sandbox:
        return True
    if answered or outcome.answered_ms is not None:
        return outcome.answered_ms is not None
    return (outcome.delivered_ms if delivered else outcome.accepted_ms) is not None
