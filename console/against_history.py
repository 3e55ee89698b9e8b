"""`tocsin simulate --against-history`: what another configuration would have made of the last days."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from console.context import Context, connected
from console.output import as_json, heading, one_line, say, table
from ledger import policies
from ledger.catalogue import catalogue
from ledger.clock import now_ms
from ledger.views import history
from ledger.views.store import Store
from routing.entry import decode_entry
from routing.incident import Verdict
from routing.instant import DAY
from routing.load import load
from routing.policy import Policy
from routing.record import decode
from routing.severity import Severity
from routing.simulation.history import Course, Difference, Fate, Recorded, course
from routing.simulation.history import differences as _differences


@dataclass(frozen=True, slots=True)
class Told:
    """An event that was treated differently, each side in a few words."""

    event: str
    title: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Compared:
    """`totals`: what is counted, in force, tried. `cut`: there are older entries that were not played."""

    entries: int
    cut: bool
    totals: Sequence[tuple[str, str, str]]
    differences: Sequence[Told]
    more: bool


def compared(context: Context, new: Policy, since: int, *, most: int, differences: int) -> Compared:
    """Hold it against the newest `most` entries from an instant (ms) on, beside the one in force."""
    kept = deque(enumerate(read(context.store, since)), most)
    recorded = [each for _, each in kept]
    before, after = course(context.policy, recorded), course(new, recorded)
    found = _differences(recorded, before, after)
    told = [
        Told(each.event, each.title, _fate(each.before), _fate(each.after))
        for each in islice(found, differences)
    ]
    return Compared(
        len(recorded),
        bool(kept and kept[0][0]),
        list(_rows(before, after)),
        told,
        next(found, None) is not None,
    )


def compare(config: Path, days: int, limit: int, *, json: bool) -> None:
    """Print both courses side by side, and the events that were treated differently."""
    context = connected()
    new = load(policies.read_files(config), catalogue())
    recorded = list(read(context.store, now_ms() - days * DAY))
    before, after = course(context.policy, recorded), course(new, recorded)
    found = _differences(recorded, before, after)
    if json:
        shown = [_shown(each) for each in islice(found, limit)]
        as_json({"days": days, "entries": len(recorded), "before": _totals(before), "after": _totals(after),
                 "differences": shown, "more": next(found, None) is not None})  # fmt: skip
        return
    say(f"{len(recorded)} entries of {days} days: in force {context.policy.version}, tried {new.version}")
    table(("", "in force", "tried"), list(_rows(before, after)), empty="")
    heading("Treated differently")
    for each in islice(found, limit):
        say(one_line(f"{each.event}  {each.title}: {_fate(each.before)} → {_fate(each.after)}"))
    if next(found, None) is not None:
        say(f"and more: --limit {limit * 10}", "dim")


def read(store: Store, since: int) -> Iterator[Recorded]:
    """The log from an instant (ms) on, in the order it was decided. What cannot be read is left out."""
    for batch in history.batches(store, since):
        for each in batch:
            try:
                entry = decode_entry(each.raw)
            except ValueError:
                continue
            incident = decode(Verdict, each.verdict).incident if each.verdict else ""
            yield Recorded(each.position, entry, each.at, incident)


def _rows(before: Course, after: Course) -> Iterator[tuple[str, str, str]]:
    for level in Severity:
        yield f"incidents {level}", str(before.incidents[level]), str(after.incidents[level])
    yield "pages", str(before.pages.total()), str(after.pages.total())
    for contact in sorted({*before.pages, *after.pages}):
        yield f"  to {contact}", str(before.pages[contact]), str(after.pages[contact])
    yield "people paged", str(len(before.pages)), str(len(after.pages))
    yield "quiet messages", str(before.updates), str(after.updates)
    yield "minutes open", str(before.open_minutes), str(after.open_minutes)
    yield "minutes unanswered", str(before.unanswered_minutes), str(after.unanswered_minutes)


def _totals(found: Course) -> dict[str, Any]:
    return {
        "incidents": {str(level): found.incidents[level] for level in Severity},
        "pages": found.pages.total(), "pages_by_contact": dict(sorted(found.pages.items())),
        "people": len(found.pages), "updates": found.updates, "open_minutes": found.open_minutes,
        "unanswered_minutes": found.unanswered_minutes,
    }  # fmt: skip


def _shown(each: Difference) -> dict[str, Any]:
    sides = {"before": each.before, "after": each.after}
    return {"event": each.event, "title": each.title} | {
        name: {"did": fate.did, "severity": None if fate.severity is None else str(fate.severity),
               "paged": list(fate.paged)}
        for name, fate in sides.items()
    }  # fmt: skip


def _fate(fate: Fate) -> str:
    level = f" {fate.severity}" if fate.severity is not None else ""
    return f"{fate.did}{level}" + (f", pages {', '.join(fate.paged)}" if fate.paged else ", pages nobody")
