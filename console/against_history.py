"""`tocsin simulate --against-history`: what another configuration would have made of the last days."""

from collections import deque
from collections.abc import Iterator
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
from routing.simulation.history import Course, Difference, Recorded, course
from routing.simulation.history import differences as _differences

MOST_ENTRIES = 5_000
"""So many a console plays; the newest."""
Found = dict[str, Any]
"""What `compared` answers."""


def compared(context: Context, new: Policy, since: int, *, limit: int, most: int = 0) -> Found:
    """Hold it against what was decided from an instant (ms) on, beside the one in force; the newest `most` if not 0.

    `cut`: there are older entries that were not played. `more`: more than `limit` events were treated differently.
    """
    kept = deque(enumerate(read(context.store, since)), most or None)
    recorded = [each for _, each in kept]
    before, after = course(context.policy, recorded), course(new, recorded)
    found = _differences(recorded, before, after)
    return {
        "entries": len(recorded), "cut": bool(kept and kept[0][0]), "in_force": context.policy.version,
        "tried": new.version, "before": _totals(before), "after": _totals(after),
        "differences": [_shown(each) for each in islice(found, limit)], "more": next(found, None) is not None,
    }  # fmt: skip


def compare(config: Path, days: int, limit: int, *, json: bool) -> None:
    """Print both courses side by side, and the events that were treated differently."""
    context = connected()
    new = load(policies.read_files(config), catalogue())
    tell(compared(context, new, now_ms() - days * DAY, limit=limit), days, limit, json=json)


def tell(found: Found, days: int, limit: int, *, json: bool) -> None:
    """Said alike beside the store and over a console."""
    if json:
        as_json({"days": days, **found})
        return
    say(f"{found['entries']} entries of {days} days: in force {found['in_force']}, tried {found['tried']}")
    if found["cut"]:
        say("only the newest are played over a console; beside the store all are", "yellow")
    table(("", "in force", "tried"), list(rows(found)), empty="")
    heading("Treated differently")
    for each in found["differences"]:
        say(one_line(f"{each['event']}  {each['title']}: {fate(each['before'])} → {fate(each['after'])}"))
    if found["more"]:
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


def rows(found: Found) -> Iterator[tuple[str, str, str]]:
    """What is counted, in force, tried."""
    before, after = found["before"], found["after"]
    for level in Severity:
        yield f"incidents {level}", str(before["incidents"][str(level)]), str(after["incidents"][str(level)])
    yield "pages", str(before["pages"]), str(after["pages"])
    pages, others = before["pages_by_contact"], after["pages_by_contact"]
    for contact in sorted({*pages, *others}):
        yield f"  to {contact}", str(pages.get(contact, 0)), str(others.get(contact, 0))
    for name, said in _COUNTED.items():
        yield said, str(before[name]), str(after[name])


_COUNTED = {
    "people": "people paged", "updates": "quiet messages", "open_minutes": "minutes open",
    "unanswered_minutes": "minutes unanswered",
}  # fmt: skip


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


def fate(side: dict[str, Any]) -> str:
    """One side of a difference in a few words."""
    level = f" {side['severity']}" if side["severity"] is not None else ""
    return f"{side['did']}{level}" + (
        f", pages {', '.join(side['paged'])}" if side["paged"] else ", pages nobody"
    )
