"""Now: what is open, how long is left, who is on call, what is wrong with ourselves. One glance says it all."""

import re
from collections import Counter
from dataclasses import dataclass

from starlette.routing import Route

from console.overrides import standings
from console.serving.navigation import Nav
from console.serving.view import Facts, View, page
from console.serving.words import many
from console.trust.acts import Act
from ledger import sandbox
from ledger.views import entries, incidents
from ledger.views.incidents import Shown
from ledger.views.status import status
from ledger.views.under_way import waiting
from routing import oncall as shifts
from routing.calendar.hours import FOREVER
from routing.decision import Table
from routing.entry import SwitchSet
from routing.incident import Incident
from routing.instant import DAY, SECOND
from routing.policy import Policy
from routing.severity import Severity

NAV = Nav("Now", "/", 10)
MOST = 100
"""Open incidents on one page, the worst first; the others are counted."""

ASKING = 5
"""Runs that wait for a yes, on one page; the one first whose time is over first."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """`how` is "alarm" or "care". `path` is where one can do something about it."""

    how: str
    what: str
    then: str = ""
    path: str = ""


def ask(view: View) -> Facts:
    store, policy = view.context.store, view.context.policy
    found = sorted(store.open_incidents(), key=lambda one: (one.severity, -one.opened_at))
    troubles, asking = list(_troubles(view, policy)), waiting(store)
    return {
        "said": said(view),
        "verdict": _verdict(found, troubles, len(asking), view.now),
        "asking": asking[:ASKING],
        "more_asking": len(asking) - ASKING,
        "rows": [row(one) for one in found[:MOST]],
        "more": len(found) - MOST,
        "troubles": troubles,
        "duties": _duties(view, policy),
    }


_ENTRY = re.compile(r"[cub]\d+-\d+")


def said(view: View, incident: str = "") -> Facts | None:
    """What an act did, in the words of the timeline, where the address names its entry."""
    entry, of = view.query.get("said", ""), incident or view.query.get("of", "")
    if not _ENTRY.fullmatch(entry) or not re.fullmatch(r"INC-\d+", of):
        return None
    lines = [moment.what for moment in view.context.store.moments(of, 100) if moment.entry == entry]
    seen = entries.find(view.context.store, entry) if not lines else None
    return {"entry": entry, "lines": lines, "of": of, "decided": bool(seen and seen.decided)}


def row(one: Incident) -> Shown:
    """One line of a listing, with what its clocks are."""
    return {
        **incidents.summary(one),
        "drill": bool(one.drill),
        "held": bool(one.silenced_by),
        "cause": one.cause,
        "snoozed_until": one.snoozed_until,
        "clock": _clock(one),
    }


def _clock(one: Incident) -> tuple[str, int]:
    """Which time runs against us: to respond until somebody has it, then to resolve."""
    if not one.acknowledged_at and one.respond_by:
        return "respond", one.respond_by
    return "resolve", one.resolve_by


def _verdict(found: list[Incident], troubles: list[Trouble], asking: int, now: int) -> Facts:
    """The one sentence. `how` is "alarm", "care" or "calm"."""
    alone = [one for one in found if not one.acknowledged_at and not _waits(one, now)]
    if alone:
        worst = min(one.severity for one in alone)
        how = "alarm" if worst <= Severity.SEV2 else "care"
        what = f"{worst} needs somebody" if len(alone) == 1 else f"{len(alone)} need somebody"
    elif any(each.how == "alarm" for each in troubles):
        how, what = "alarm", "Tocsin itself needs somebody"
    elif asking:
        how, what = "care", f"{many(asking, 'repair waits', 'repairs wait')} for a yes"
    elif found:
        how, what = "care", f"{many(len(found), 'incident')} open, each in somebody's hands"
    else:
        how, what = ("care", "Nothing is open") if troubles else ("calm", "All is quiet")
    counted = Counter(str(one.severity) for one in found)
    return {
        "how": how,
        "what": what,
        "of": len(found),
        "next": _next(found),
        "levels": sorted(counted.items()),
    }


def _waits(one: Incident, now: int) -> bool:
    """Whether it is nobody's turn: held back, put off, an effect of another, or only an exercise."""
    return bool(one.silenced_by or one.cause or one.snoozed_until > now)


def _next(found: list[Incident]) -> Facts | None:
    due = [(one.next_action.at, one) for one in found if one.next_action]
    at, one = min(due, key=lambda each: each[0], default=(0, None))
    return {"at": at, "id": one.id, "what": one.next_action.what} if one and one.next_action else None


def _troubles(view: View, policy: Policy) -> list[Trouble]:
    told, now = status(view.context.store, view.now), view.now
    behind = sum(told["lanes"].values())
    found = []
    if not told["dispatcher"]:
        found.append(
            Trouble(
                "alarm",
                "Nobody decides",
                "No dispatcher is at work: nothing that comes in leads to anything.",
            )
        )
    if told["timer_overdue_ms"] > 30 * SECOND:
        late = told["timer_overdue_ms"] // SECOND
        found.append(Trouble("alarm", f"Timers are {late} s late", "Pages that are due have not gone out."))
    if behind > 1_000:  # noqa: PLR2004  # as much is decided in a second
        found.append(Trouble("care", f"{many(behind, 'entry', 'entries')} wait to be decided"))
    switches = view.context.store.records(Table.SWITCH, SwitchSet)
    found += [_switched(name, switch) for name, switch in sorted(switches.items()) if switch.on]
    if told["dead_letters"]:
        what = many(told["dead_letters"], "dead letter")
        found.append(
            Trouble("care", what, "Work that was given up, kept for you to mend and bring through.", "/dead")
        )
    newest = sandbox.listing(view.site.client, view.site.keys, 1)
    if newest and now - newest[0].at < DAY:
        then = f"Nothing was sent: {', '.join(newest[0].missing)} not set. See what would have been."
        found.append(Trouble("care", f"Channel {newest[0].channel} is in the sandbox", then, "/outbox"))
    if not any(level for contact in policy.contacts.values() for level in contact.methods):
        found.append(Trouble("alarm", "Nobody can be reached", "No contact has a method."))
    return found


def _switched(name: str, switch: SwitchSet) -> Trouble:
    who = f"{switch.reason or 'no reason given'}, by {switch.by or 'somebody'}"
    if name == "kill":
        return Trouble("care", "All automation is stopped", who)
    kind, _, of = name.partition(":")
    return Trouble("care", f"Source {of} is paused" if kind == "pause" else f"{name} is on", who)


def _duties(view: View, policy: Policy) -> list[Facts]:
    standing = standings(view.context)
    found = []
    for name, schedule in policy.schedules.items():
        duty = shifts.who(schedule, standing[name], view.now)
        until = duty.until_at if duty.until_at < FOREVER else 0
        found.append({"name": name, "who": duty.contacts, "until": until, "why": duty.reason})
    return found


ROUTES = [Route("/", page(Act.READ, "now.html", ask, "now", shared=True))]
