"""Append an entry and wait, for a bounded time, until it is decided: then say what became of it."""

import time
from dataclasses import dataclass
from itertools import islice

from console.context import Context
from console.output import one_line, say
from console.refusals import Clash, Undecided
from ledger import log
from ledger.dead import Kind, dead_id
from ledger.views import entries
from routing.entry import AnyEntry, Lane
from routing.incident import Moment, Verdict

WAIT_S = 10.0
_LOOK_S = 0.02
_NEWEST = 50
"""Moments looked through for what an entry did, and incidents for the one it opened."""


@dataclass(frozen=True, slots=True)
class Decided:
    """`verdict` is None for most of what people do; its effect is in the timeline."""

    id: str
    verdict: Verdict | None


def act(context: Context, entry: AnyEntry, done: str = "", *, incident: str = "") -> Decided:
    """Append to the control lane, wait, and say what became of it: in the words of `incident`'s timeline,
    or `done` where no incident is concerned. Raises Undecided when it is not decided in time.
    """
    decided = wait(context, log.append(context.client, context.keys, Lane.CONTROL, entry))
    if done:
        say(done)
    if incident:
        for moment in moments(context, incident, decided.id):
            say(f"{incident}: {one_line(moment.what)}")
    return decided


def wait(context: Context, entry_id: str, wait_s: float = WAIT_S) -> Decided:
    """Until the entry is decided. Raises Undecided when it is not, Clash when it cannot be."""
    until = time.monotonic() + wait_s
    while time.monotonic() < until:
        seen = entries.find(context.store, entry_id)
        if seen is not None and seen.decided:
            if seen.verdict is not None and seen.verdict.did == Kind.UNDECIDABLE:
                letter = dead_id(Kind.UNDECIDABLE, seen.position)
                raise Clash(f"{entry_id} was set aside; see: tocsin dead show {letter}")
            return Decided(entry_id, seen.verdict)
        time.sleep(_LOOK_S)
    raise Undecided(
        f"kept as {entry_id}, but not decided within {wait_s:g} s; it will be. Who decides? tocsin status",
        entry_id,
    )


def moments(context: Context, incident: str, entry_id: str) -> list[Moment]:
    """What the entry wrote into the incident's timeline."""
    return [moment for moment in context.store.moments(incident, _NEWEST) if moment.entry == entry_id]


def opened_by(context: Context, entry_id: str) -> str:
    """The incident an entry opened; "" when it opened none."""
    newest = [incident.id for incident in islice(context.store.open_incidents(), _NEWEST)]
    begun = context.store.first_entries(newest)
    return next((incident for incident, entry in begun.items() if entry == entry_id), "")
