"""What is muted: silences and maintenance windows, with the open incidents each holds back right now."""

from collections.abc import Mapping, Sequence

from console.doing.entries import Done, do
from console.serving.view import Facts, NotFound, View
from ledger.clock import now_ms
from routing.calendar.hours import FOREVER, around
from routing.decision import Table
from routing.entry import SilenceSet
from routing.incident import Incident
from routing.noise import silences as silencing

MOST = 20
"""Incidents named of each; the others are counted."""


Held = Mapping[str, Sequence[Incident]]
"""Open incidents nobody is paged for, by what mutes them."""


def silences(view: View, held: Held) -> list[Facts]:
    """Those that have not ended, the first to end first."""
    known = view.context.store.records(Table.SILENCE, SilenceSet).values()
    return [
        {"id": each.id, "matchers": each.matchers, "from": each.from_at, "until": each.until_at, "by": each.by,
         "reason": each.reason, **_hides(held.get(each.id, []))}
        for each in sorted(known, key=lambda one: (one.until_at, one.id)) if each.until_at > view.now
    ]  # fmt: skip


def windows(view: View, held: Held) -> list[Facts]:
    """Of the configuration; those that mute now first."""
    found = []
    for each in view.context.policy.noise.maintenance:
        inside, since, until = around(each.hours, view.now)
        found.append({
            "name": each.name, "matchers": [str(one) for one in each.matchers], "hours": each.hours.name,
            "reason": each.reason, "origin": str(each.origin), "now": inside,
            "until": until if until < FOREVER else 0, "since": since,
            **_hides(held.get(f"maintenance/{each.name}", [])),
        })  # fmt: skip
    return sorted(found, key=lambda one: (not one["now"], one["name"]))


def held(view: View) -> Held:
    found: dict[str, list[Incident]] = {}
    for one in view.context.store.open_incidents():
        if one.silenced_by:
            found.setdefault(one.silenced_by, []).append(one)
    return found


def _hides(found: Sequence[Incident]) -> Facts:
    hidden = [{"id": one.id, "title": one.title, "severity": str(one.severity)} for one in found[:MOST]]
    return {"hides": hidden, "more": max(0, len(found) - MOST)}


def end(view: View) -> Done:
    """End a silence now; what only it held back is paged. Raises NotFound, Undecided."""
    known, now = view.context.store.records(Table.SILENCE, SilenceSet).get(view.path["id"]), now_ms()
    if known is None or known.until_at <= now:
        raise NotFound(f"no silence {view.path['id'][:40]!r} that has not ended")
    return do(view.context, view.who, silencing.ended(known, now, view.actor.name, view.actor.client))
