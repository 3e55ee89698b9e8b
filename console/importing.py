"""`tocsin oncall import`: the shifts of a calendar, laid over a schedule as one thing."""

import sys
from collections.abc import Iterable
from difflib import get_close_matches
from shlex import quote
from typing import Any
from urllib.parse import urlsplit

import click

from console.acting import acting
from console.calendar_text import calendar_text
from console.context import Context, connected
from console.decided import act
from console.options import Duration, dry_run_option, json_option, local_instant
from console.output import as_json, iso, one_line, say, table, wall_clock, warn
from console.overrides import known_contact, known_schedule
from ledger.clock import now_ms
from routing.decision import Table
from routing.entry import OverrideSet
from routing.oncall import importing
from routing.policy import Policy, Schedule


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
    book = importing.Book(context.policy.contacts, _named(context, names), frozenset(skip))
    if plan.feed and not dry_run:
        raise click.ClickException(
            f"{schedule} follows a feed, which would take its place; see: tocsin oncall"
        )
    now = now_ms()
    from_at = local_instant(from_, plan.timezone, now) if from_ else now
    window = (from_at, from_at + length) if from_ else importing.window(now, length)
    matched = _matched(file, plan, book, window)
    if matched.unknown:
        _refuse(matched.unknown, plan, context.policy, json=json)
    if not any(shift.until_at > now for shift in matched.shifts):
        raise click.ClickException(_empty(file, plan, window, matched))
    entry = importing.overlay(plan.name, matched.shifts, exclusive=exclusive, at=now, by=by)
    known = context.store.records(Table.OVERRIDE, OverrideSet).get(entry.id)
    changed = not importing.same_shifts(entry, known)
    if changed and not dry_run:
        act(context, entry)
    if json:
        as_json(_as_json(entry, matched, changed=changed, dry_run=dry_run))
        return
    _tell(entry, matched, plan, changed=changed, dry_run=dry_run)


def _named(context: Context, names: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in names:
        title, equals, contact = name.rpartition("=")
        if not equals or not title.strip():
            raise click.UsageError(f'--name {name!r} is no pair; write --name "Anna K."=anna')
        found[title] = known_contact(context, contact.strip())
    return found


def _matched(file: str, plan: Schedule, book: importing.Book, window: tuple[int, int]) -> importing.Matched:
    data = calendar_text(file)
    try:
        return importing.match(importing.read(data, plan.timezone, *window), book, plan.name)
    except importing.CalendarError as error:
        raise click.ClickException(f"{_place(file)}: {error}") from error


def _place(file: str) -> str:
    """Where it came from, without what may be secret about an address."""
    return "standard input" if file == "-" else (urlsplit(file).hostname or file)


def _refuse(unknown: Iterable[importing.Unknown], plan: Schedule, policy: Policy, *, json: bool) -> None:
    if json:
        as_json({"unknown": [
            {"line": each.appointment.line, "uid": each.appointment.uid, "title": each.appointment.title,
             "from": iso(each.appointment.from_at), "times": each.times, "found": each.found,
             "write": _write(each, policy)}
            for each in unknown
        ]})  # fmt: skip
    for each in () if json else unknown:
        first = each.appointment
        times = f", {each.times} times" if each.times > 1 else ""
        warn(
            f"line {first.line}: {one_line(first.title)!r} from {wall_clock(first.from_at, plan.timezone)}{times} "
            f"(uid {one_line(first.uid, 80) or 'none'}): {one_line(each.found)}; write {_write(each, policy)}"
        )
    warn("Nothing was changed: whose these shifts are is not known.")
    sys.exit(1)


def _write(unknown: importing.Unknown, policy: Policy) -> str:
    title = one_line(unknown.appointment.title)
    if not title:
        return "a title into the calendar, or invite whose it is"
    spoken = {
        name.casefold(): each.name for each in policy.contacts.values() for name in (each.name, each.title)
    }
    close = get_close_matches(title.casefold(), spoken, n=1)
    return f"--name {quote(title)}={spoken[close[0]] if close else 'CONTACT'}, or --skip {quote(title)}"


def _empty(file: str, plan: Schedule, window: tuple[int, int], matched: importing.Matched) -> str:
    begin, end = (wall_clock(at, plan.timezone) for at in window)
    left_out = f" ({'; '.join(map(one_line, matched.remarks))})" if matched.remarks else ""
    return (
        f"{_place(file)} has no shift between {begin} and {end} that is not over{left_out}; nothing was changed. "
        f"To take back what was imported before: tocsin oncall remove {importing.import_id(plan.name)}"
    )


def _as_json(
    entry: OverrideSet, matched: importing.Matched, *, changed: bool, dry_run: bool
) -> dict[str, Any]:
    return {
        "id": entry.id, "schedule": entry.schedule, "changed": changed, "dry_run": dry_run,
        "exclusive": entry.exclusive, "from": iso(entry.from_at), "until": iso(entry.until_at),
        "shifts": [{"contact": each.contact, "from": iso(each.from_at), "until": iso(each.until_at)}
                   for each in entry.shifts],
        "remarks": list(matched.remarks),
    }  # fmt: skip


def _tell(
    entry: OverrideSet, matched: importing.Matched, plan: Schedule, *, changed: bool, dry_run: bool
) -> None:
    if dry_run:
        table(
            ("CONTACT", "FROM", "UNTIL"),
            [(each.contact, *(wall_clock(at, plan.timezone) for at in (each.from_at, each.until_at)))
             for each in entry.shifts],
        )  # fmt: skip
    for remark in matched.remarks:
        say(one_line(remark), "yellow")
    begin, end = (wall_clock(at, plan.timezone) for at in (entry.from_at, entry.until_at))
    what = f"{entry.schedule} {{}} {len(entry.shifts)} shifts of the calendar from {begin} until {end} ({entry.id})"
    if not changed:
        say(what.format("follows") + ", as it did before")
    else:
        say(what.format("would follow; --dry-run:" if dry_run else "follows"))
