"""On call: who has the shift when, in the viewer's zone; who follows; gaps; who cannot be reached; taking over."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.doing import oncall as doing
from console.oncall import Duties, exported
from console.overrides import laid
from console.pages.oncall_calendar import Shown, Span, days, tones
from console.reaching import unverified
from console.refusals import Undecided
from console.serving.navigation import Nav
from console.serving.site import site_of
from console.serving.view import Facts, View, act, page
from console.trust.acts import Act
from console.trust.guard import guarded
from ledger.clock import now_ms
from routing import oncall as shifts
from routing.calendar.hours import FOREVER
from routing.calendar.wall import instant_of, local
from routing.entry import OverrideKind, OverrideSet, Shift
from routing.instant import DAY
from routing.oncall import OnCall
from routing.severity import Severity

NAV = Nav("On call", "/oncall", 32)
LENGTHS = (7, 14, 28)
LAYS = 5
"""Shifts that are laid by one form."""
_EXPORTED = 90 * DAY
_YEARS = (2000, 2100)
_KINDS = {
    OverrideKind.REPLACE: "takes the shift",
    OverrideKind.ADD: "joins whoever has it",
    OverrideKind.REMOVE: "is not on call",
    OverrideKind.SHADOW: "shadows: told, never awaited",
}


def ask(view: View) -> Facts:
    context, span = view.context, _span(view)
    schedules, standing = context.policy.schedules, doing.standings(context)
    found = {
        name: shifts.shifts(each, standing[name], span.from_at, span.until_at)
        for name, each in schedules.items()
    }
    duties = Duties.at(context, view.now)
    wanted = view.query.get("by") == "person"
    colours = tones(found)
    unsure = unverified(context, set(colours))
    shown = Shown(
        span, colours, frozenset(name for name, levels in unsure.items() if len(levels) == len(Severity))
    )
    overrides = [each for each in laid(context) if each.until_at > view.now]
    return {
        "span": span,
        "zones": _zones(view, span.zone),
        "by": "person" if wanted else "schedule",
        "rows": shown.by_person(found, colours) if wanted else shown.by_schedule(found),
        "days": days(span, view.now),
        "today": span.share(view.now),
        "duties": [_duty(duties, name) for name in duties.now],
        "gaps": _gaps(view, duties.gaps, span),
        "remarks": [line for line in duties.remarks(context.policy) if ": nobody from" not in line],
        "unsure": {name: [str(level) for level in levels] for name, levels in unsure.items()},
        "overrides": [_override(each, span) for each in overrides],
        "contacts": sorted(context.policy.contacts),
        "schedules": list(schedules),
        "kinds": [(kind.value, text) for kind, text in _KINDS.items()],
        "local_now": f"{local(view.now, span.zone):%Y-%m-%dT%H:%M}",
        "lays": range(LAYS),
        "links": _links(view, span, "person" if wanted else "schedule"),
        "told": _told(view, overrides),
    }  # fmt: skip


def _span(view: View) -> Span:
    zone = _zone(view)
    length = int(asked) if (asked := view.query.get("days", "")) in map(str, LENGTHS) else LENGTHS[0]
    try:
        first = date.fromisoformat(view.query.get("from", ""))
    except ValueError:
        first = local(view.now, zone).date()
    return Span(first if _YEARS[0] <= first.year < _YEARS[1] else local(view.now, zone).date(), length, zone)


def _zone(view: View) -> str:
    """As asked for; else of the contact who looks, else of the first schedule."""
    policy = view.context.policy
    own = policy.contacts.get(view.actor.name)
    zones = [own.timezone] if own else [each.timezone for each in policy.schedules.values()]
    return known_zone(view.query.get("zone", "")) or next(iter(zones), "UTC")


def known_zone(name: str) -> str:
    """The name, where it is a zone's; else ""."""
    try:
        return ZoneInfo(name).key if name else ""
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""


def _zones(view: View, chosen: str) -> list[str]:
    policy = view.context.policy
    known = {each.timezone for each in policy.schedules.values()}
    known |= {each.timezone for each in policy.contacts.values()}
    return sorted({chosen, "UTC", *known})


def _links(view: View, span: Span, by: str) -> Mapping[str, str]:
    def at(**more: str | int) -> str:
        asked = {"by": by, "days": span.days, "from": span.first.isoformat(), "zone": span.zone, **more}
        return f"/oncall?{urlencode(asked)}#calendar"

    step = timedelta(days=span.days)
    return {
        "before": at(**{"from": (span.first - step).isoformat()}),
        "after": at(**{"from": (span.first + step).isoformat()}),
        "today": at(**{"from": local(view.now, span.zone).date().isoformat()}),
        "schedule": at(by="schedule"),
        "person": at(by="person"),
        **{f"days{length}": at(days=length) for length in LENGTHS},
    }


def _duty(duties: Duties, name: str) -> Facts:
    now, following = duties.now[name], duties.next[name]
    return {
        "name": name, "who": now.contacts, "shadows": now.shadows, "why": now.reason, "next": following.contacts,
        "until": now.until_at if now.until_at < FOREVER else 0,
        "unsure": sorted(set(now.contacts) & duties.unverified.keys()),
    }  # fmt: skip


def _gaps(view: View, found: Mapping[str, Sequence[OnCall]], span: Span) -> list[Facts]:
    schedules = view.context.policy.schedules
    return [
        {"name": name, "begins": span.text(gap.since_at), "ends": span.text(gap.until_at),
         "meant": schedules[name].gaps_accepted}
        for name, gaps in found.items() for gap in gaps
    ]  # fmt: skip


def _override(each: OverrideSet, span: Span) -> Facts:
    return {
        "id": each.id, "schedule": each.schedule, "kind": each.kind.value, "by": each.by,
        "contact": _people(each), "instead_of": each.instead_of,
        "begins": span.text(each.from_at), "ends": span.text(each.until_at),
    }  # fmt: skip


def _people(each: OverrideSet) -> str:
    return each.contact or ", ".join(dict.fromkeys(shift.contact for shift in each.shifts))


def _told(view: View, overrides: Sequence[OverrideSet]) -> str:
    """What an act did, where the address names it."""
    wanted = view.query.get("set", "")
    if wanted:
        one = next((each for each in overrides if each.id == wanted), None)
        return f"{one.id}: {_people(one)} in {one.schedule}, set by {one.by}" if one else ""
    if view.query.get("removed"):
        return "The override is removed: what it lay over counts again."
    return "Kept, and not decided yet; it will be." if view.query.get("kept") else ""


# ── acts ─────────────────────────────────────────────────────────────────────────────────────────────────


def override(view: View) -> str:
    kind = view.sent("kind") or OverrideKind.REPLACE.value
    if kind not in _KINDS:
        raise click.UsageError(f"no such change: {kind[:40]!r}")
    since, until = _sent_time(view, "from") or now_ms(), _sent_time(view, "until")
    try:
        entry, _ = doing.override(
            view.context, view.who, view.sent("schedule"), view.sent("contact"), since, until, OverrideKind(kind),
            view.sent("instead_of"),
        )  # fmt: skip
    except Undecided:
        return "/oncall?kept=1"
    return f"/oncall?set={entry.id}"


def swap(view: View) -> str:
    since = _sent_time(view, "from") or now_ms()
    try:
        entry, _ = doing.swap(
            view.context, view.who, view.sent("schedule"), view.sent("one"), view.sent("other"), since
        )
    except Undecided:
        return "/oncall?kept=1"
    return f"/oncall?set={entry.id}"


def temporary(view: View) -> str:
    """Lines of the form without a name or times are left out."""
    columns = (view.form.getlist(name) for name in ("contact", "from", "until"))
    rows = [[str(cell).strip()[:200] for cell in row] for row in zip(*columns, strict=False)]
    laid = [
        Shift(contact=contact, from_at=_needed("from", since, view), until_at=_needed("until", until, view))
        for contact, since, until in rows
        if contact and (since or until)
    ]
    if not laid:
        raise click.UsageError("no shift is given: who, from when and until when")
    try:
        entry, _ = doing.temporary(view.context, view.who, view.sent("schedule"), laid)
    except Undecided:
        return "/oncall?kept=1"
    return f"/oncall?set={entry.id}"


def _needed(name: str, written: str, view: View) -> int:
    if not written:
        raise click.UsageError(f"{name}: each shift needs one")
    return wall_time(name, written, view.sent("zone"))


def remove(view: View) -> str:
    try:
        doing.remove(view.context, view.who, view.path["id"])
    except Undecided:
        return "/oncall?kept=1"
    return "/oncall?removed=1"


def _sent_time(view: View, name: str) -> int:
    """A time of the form, in ms; 0 where none was given. Raises click.UsageError."""
    return wall_time(name, view.sent(name), view.sent("zone"))


def wall_time(name: str, written: str, zone: str) -> int:
    """A time as a clock in the zone shows it, in ms; 0 for none. Raises click.UsageError."""
    if not written:
        return 0
    try:
        wall = datetime.fromisoformat(written)
    except ValueError as error:
        raise click.UsageError(
            f"{name}: {written[:40]!r} is no time; write it like 2026-11-28T18:00"
        ) from error
    if wall.tzinfo is not None or not _YEARS[0] <= wall.year < _YEARS[1]:
        raise click.UsageError(f"{name}: {written[:40]!r} is no time of a clock between 2000 and 2100")
    return instant_of(wall, known_zone(zone) or "UTC")


async def calendar(request: Request) -> Response:
    """Shifts of the next 90 days for the calendars people keep: of `person`, of `schedule`, or all."""
    site, asked = site_of(request), request.query_params
    text = await site.read(
        exported, site.context, asked.get("person", ""), asked.get("schedule", ""), site.now(), _EXPORTED
    )
    headers = {"content-disposition": 'attachment; filename="oncall.ics"'}
    return Response(text, headers=headers, media_type="text/calendar; charset=utf-8")


ROUTES = [
    Route("/oncall", page(Act.READ, "oncall.html", ask, "now")),
    Route("/oncall/calendar.ics", guarded(Act.READ, calendar)),
    Route("/oncall/overrides", act(Act.OVERRIDE, override), methods=["POST"]),
    Route("/oncall/swaps", act(Act.OVERRIDE, swap), methods=["POST"]),
    Route("/oncall/temporary", act(Act.OVERRIDE, temporary), methods=["POST"]),
    Route("/oncall/overrides/{id}/remove", act(Act.OVERRIDE, remove), methods=["POST"]),
]
