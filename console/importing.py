"""`tocsin oncall import`: the shifts of a calendar, laid over a schedule as one thing."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import click

from console.acting import acting
from console.calendar_text import calendar_text
from console.context import connected
from console.doing import calendars
from console.doing.entries import Who
from console.doing.oncall import known_schedule
from console.options import Duration, dry_run_option, json_option, local_instant
from console.output import as_json, one_line, say, table, wall_clock, warn
from ledger.clock import now_ms
from routing.instant import parse_iso


@click.command("import", epilog="Only what ends after --from, and begins within --for, is looked at.")
@click.argument("SCHEDULE")
@click.argument("FILE")
@click.option(
    "--name", "names", multiple=True, metavar="TITLE=CONTACT", help="Whose a title is. May be repeated."
)
@click.option(
    "--skip", multiple=True, metavar="TITLE", help="What has this title is no shift. May be repeated."
)
@click.option("--from", "from_", default="", metavar="TIME", help="Default: now, and the 30 days before it.")
@click.option("--for", "length", type=Duration(), default="90d", show_default=True, help="How far ahead.")
@click.option(
    "--exclusive", is_flag=True, help="Nobody is on call between the shifts. Default: the schedule's own."
)
@dry_run_option
@json_option
@acting
def import_(
    schedule: str, file: str, names: tuple[str, ...], skip: tuple[str, ...], from_: str, length: int,
    exclusive: bool, dry_run: bool, json: bool, by: str,
) -> None:  # fmt: skip
    """Lay the shifts of an iCalendar FILE over SCHEDULE, in place of those imported before.

    FILE may be - for the standard input, or an address like https://... Whose a shift is, is told by --name, by who
    is invited, or by its title. If that leaves one without a contact, nothing is changed.
    """
    context = connected()
    plan = known_schedule(context, schedule)
    from_at = local_instant(from_, plan.timezone, now_ms()) if from_ else 0
    wanted = calendars.Wanted(
        schedule, calendar_text(file), named(names), skip, from_at, length, exclusive, place(file)
    )
    laid = calendars.lay(context, Who(by), wanted, dry_run=dry_run)
    tell(laid.as_json(), plan.timezone, json=json)


def named(names: Iterable[str]) -> dict[str, str]:
    """Title -> contact. Raises click.UsageError."""
    found = {}
    for name in names:
        title, equals, contact = name.rpartition("=")
        if not equals or not title.strip():
            raise click.UsageError(f'--name {name!r} is no pair; write --name "Anna K."=anna')
        found[title] = contact.strip()
    return found


def place(file: str) -> str:
    """Where it came from, without what may be secret about an address."""
    return "standard input" if file == "-" else (urlsplit(file).hostname or file)


def tell(found: Mapping[str, Any], zone: str, *, json: bool) -> None:
    """`found` as `Laid.as_json`; exit status 1 while whose a shift is is not known."""
    if found["unknown"]:
        _refuse(found["unknown"], zone, json=json)
    if json:
        as_json({name: value for name, value in found.items() if name != "unknown"})
        return
    if found["dry_run"]:
        table(
            ("CONTACT", "FROM", "UNTIL"),
            [(each["contact"], _wall(each["from"], zone), _wall(each["until"], zone)) for each in found["shifts"]],
        )  # fmt: skip
    for remark in found["remarks"]:
        say(one_line(remark), "yellow")
    begin, end = _wall(found["from"], zone), _wall(found["until"], zone)
    shifts = f"{len(found['shifts'])} shifts of the calendar from {begin} until {end} ({found['id']})"
    if not found["changed"]:
        say(f"{found['schedule']} follows {shifts}, as it did before")
    else:
        verb = "would follow; --dry-run:" if found["dry_run"] else "follows"
        say(f"{found['schedule']} {verb} {shifts}")


def _refuse(unknown: Iterable[Mapping[str, Any]], zone: str, *, json: bool) -> None:
    if json:
        as_json({"unknown": unknown})
    for each in () if json else unknown:
        times = f", {each['times']} times" if each["times"] > 1 else ""
        warn(
            f"line {each['line']}: {one_line(each['title'])!r} from {_wall(each['from'], zone)}{times} "
            f"(uid {one_line(each['uid'], 80) or 'none'}): {one_line(each['found'])}; write {each['write']}"
        )
    warn("Nothing was changed: whose these shifts are is not known.")
    sys.exit(1)


def _wall(at: str, zone: str) -> str:
    return wall_clock(parse_iso(at), zone)
