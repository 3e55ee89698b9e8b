"""A calendar's shifts laid over a schedule: looked at first, told whose they are where nobody knows, then laid."""

import click
from starlette.datastructures import UploadFile
from starlette.routing import Route

from console.doing import calendars
from console.doing.oncall import known_schedule
from console.output import wall_clock
from console.pages.oncall import wall_time
from console.refusals import Undecided
from console.serving.view import Facts, View, act, page, trial
from console.trust.acts import Act
from routing import duration
from routing.instant import DAY, parse_iso

LONGEST = 600_000
"""Characters of a calendar that the page takes; the command line and the API take more."""
MOST_MS = 2 * 366 * DAY
NO_SHIFT = "-"
"""Chosen for a title that is no shift."""


def ask(view: View) -> Facts:
    policy = view.context.policy
    found, wrong = _looked(view) if view.form else (None, "")
    schedule = view.sent("schedule")
    plan = policy.schedules.get(schedule)
    zone = plan.timezone if plan else "UTC"
    told, shown = _told(view), found.as_json() if found else None
    return {
        "schedules": {name: each.timezone for name, each in policy.schedules.items()},
        "contacts": sorted(policy.contacts),
        "schedule": schedule, "begin": view.sent("from"), "length": view.sent("for") or "90d",
        "exclusive": bool(view.sent("exclusive")), "wrong": wrong, "zone": zone, "no_shift": NO_SHIFT,
        "found": shown,
        "text": found.wanted.text.decode() if found else "", "place": found.wanted.place if found else "",
        "told": told, "fed": bool(plan and plan.feed),
        "unknown": [
            {"title": each.appointment.title, "times": each.times, "found": each.found,
             "at": wall_clock(each.appointment.from_at, zone),
             "close": calendars.closest(each.appointment.title, policy.contacts)}
            for each in (found.matched.unknown if found else ())
        ],
        "rows": [
            (each["contact"], *(wall_clock(parse_iso(each[name]), zone) for name in ("from", "until")))
            for each in (shown["shifts"] if shown else ())
        ],
    }  # fmt: skip


def _looked(view: View) -> tuple[calendars.Laid | None, str]:
    """What would be laid, or why nothing would be."""
    try:
        return calendars.lay(view.context, view.who, _wanted(view), dry_run=True), ""
    except click.ClickException as error:
        return None, error.message


def _wanted(view: View) -> calendars.Wanted:
    """Raises click.UsageError."""
    plan = known_schedule(view.context, view.sent("schedule"))
    told = _told(view)
    place, text = _calendar(view)
    return calendars.Wanted(
        plan.name, text, {title: who for title, who in told.items() if who != NO_SHIFT},
        [title for title, who in told.items() if who == NO_SHIFT],
        wall_time("from", view.sent("from"), plan.timezone), _length(view.sent("for") or "90d"),
        bool(view.sent("exclusive")), place,
    )  # fmt: skip


def _told(view: View) -> dict[str, str]:
    """Title -> contact, or that it is no shift, as far as it was chosen."""
    pairs = zip(view.form.getlist("title"), view.form.getlist("whose"), strict=False)
    return {str(title): str(whose) for title, whose in pairs if whose}


def _calendar(view: View) -> tuple[str, bytes]:
    """What it is called, and its text: as uploaded now, or as the page brought it along. Raises click.UsageError."""
    sent = view.form.get("calendar")
    if isinstance(sent, UploadFile) and sent.filename:
        text, place = sent.file.read(LONGEST + 1), sent.filename[-100:]
    else:
        text, place = view.sent("text", LONGEST + 1).encode(), view.sent("place", 100) or "the calendar"
    if not text:
        raise click.UsageError("no calendar was chosen")
    if len(text) > LONGEST:
        raise click.UsageError(
            f"{place} has more than {LONGEST:,} characters; use tocsin oncall import, or a smaller one"
        )
    return place, text


def _length(written: str) -> int:
    """Raises click.UsageError."""
    try:
        found = duration.parse(written)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if not 0 < found <= MOST_MS:
        raise click.UsageError("two years at most; write for example 90d")
    return found


def lay(view: View) -> str:
    wanted = _wanted(view)
    try:
        laid = calendars.lay(view.context, view.who, wanted)
    except Undecided:
        return "/oncall?kept=1"
    if laid.entry is None:
        titles = ", ".join(repr(each.appointment.title[:60]) for each in laid.matched.unknown[:5])
        raise click.UsageError(f"nothing was changed: whose is {titles}?")
    return f"/oncall?set={laid.entry.id}"


ROUTES = [
    Route("/oncall/import", page(Act.OVERRIDE, "oncall_import.html", ask), methods=["GET"]),
    Route("/oncall/import", trial(Act.OVERRIDE, "oncall_import.html", ask, files=1), methods=["POST"]),
    Route("/oncall/import/lay", act(Act.OVERRIDE, lay), methods=["POST"]),
]
