"""`tocsin oncall override|swap|temporary|overrides|remove`: who takes whose shift for a time."""

import uuid

import click

from console.acting import acting
from console.context import Context, connected
from console.decided import act
from console.options import json_option, local_instant
from console.output import as_json, clock, iso, table, wall_clock
from ledger.clock import now_ms
from routing import oncall as shifts
from routing.calendar.hours import FOREVER
from routing.decision import Table
from routing.entry import OverrideKind, OverrideSet, Shift
from routing.instant import DAY
from routing.oncall.standing import last_key
from routing.policy import Schedule
from routing.state import Fact

AHEAD = 366 * DAY
"""So far ahead the shifts to be swapped are looked for."""

_TIMES = "Times without an offset are local to the schedule; 18:00 is the next time its clock shows that."


@click.command(epilog=_TIMES)
@click.argument("SCHEDULE")
@click.argument("CONTACT")
@click.option("--from", "from_", default="now", show_default=True, metavar="TIME")
@click.option("--until", default="", metavar="TIME", help="Default: the end of the shift it begins in.")
@click.option("--instead-of", default="", metavar="CONTACT", help="Only of this one of several.")
@click.option("--add", "kind", flag_value="add", help="Beside whoever is on call.")
@click.option("--remove", "kind", flag_value="remove", help="CONTACT is not on call.")
@click.option("--shadow", "kind", flag_value="shadow", help="CONTACT is told, and never awaited.")
@acting
def override(
    schedule: str, contact: str, from_: str, until: str, instead_of: str, kind: str | None, by: str
) -> None:
    """Have CONTACT take SCHEDULE's shift, or join or leave it, for a time."""
    context = connected()
    plan = known_schedule(context, schedule)
    known_contact(context, contact)
    if instead_of:
        known_contact(context, instead_of)
    if instead_of and kind:
        raise click.UsageError(f"--instead-of and --{kind} contradict each other; leave one out")
    now = now_ms()
    from_at = local_instant(from_, plan.timezone, now)
    until_at = local_instant(until, plan.timezone, from_at) if until else _end(context, plan, from_at)
    what = OverrideKind(kind) if kind else OverrideKind.REPLACE
    entry = OverrideSet(
        at=now, by=by, id=_new_id(), schedule=schedule, contact=contact, from_at=from_at,
        until_at=_after(from_at, until_at), kind=what, instead_of=instead_of,
    )  # fmt: skip
    place = (
        f"from {wall_clock(from_at, plan.timezone)} until {wall_clock(until_at, plan.timezone)} ({entry.id})"
    )
    act(context, entry, f"{contact} {_DOES[what]} {schedule} {place}")


_DOES = {
    OverrideKind.REPLACE: "takes",
    OverrideKind.ADD: "joins",
    OverrideKind.REMOVE: "leaves",
    OverrideKind.SHADOW: "shadows",
}


@click.command(epilog=_TIMES)
@click.argument("SCHEDULE")
@click.argument("ONE")
@click.argument("OTHER")
@click.option(
    "--from", "from_", default="now", show_default=True, metavar="TIME", help="The next ones after it."
)
@acting
def swap(schedule: str, one: str, other: str, from_: str, by: str) -> None:
    """Swap the next shift of ONE with the next one of OTHER."""
    context = connected()
    plan = known_schedule(context, schedule)
    now = now_ms()
    from_at = local_instant(from_, plan.timezone, now)
    mine, theirs = (
        _next_shift(context, plan, known_contact(context, name), from_at) for name in (one, other)
    )
    if mine.since_at < theirs.until_at and theirs.since_at < mine.until_at:
        raise click.UsageError(f"{one} and {other} are on call at the same time; nothing would change")
    entry = OverrideSet(
        at=now, by=by, id=_new_id(), schedule=schedule, kind=OverrideKind.SWAP, contact=other, instead_of=one,
        from_at=mine.since_at, until_at=mine.until_at, back_from_at=theirs.since_at,
        back_until_at=theirs.until_at,
    )  # fmt: skip
    act(
        context,
        entry,
        f"{other} takes {schedule} from {wall_clock(mine.since_at, plan.timezone)}, "
        f"{one} from {wall_clock(theirs.since_at, plan.timezone)} ({entry.id})",
    )


@click.command(epilog=_TIMES)
@click.argument("SCHEDULE")
@click.option(
    "--shift",
    "given",
    nargs=3,
    multiple=True,
    required=True,
    metavar="CONTACT FROM UNTIL",
    help="May be repeated.",
)
@acting
def temporary(schedule: str, given: tuple[tuple[str, str, str], ...], by: str) -> None:
    """Lay shifts over SCHEDULE; between the first and the last of them nothing else counts."""
    context = connected()
    plan = known_schedule(context, schedule)
    now = now_ms()
    laid = []
    for contact, from_, until in given:
        from_at = local_instant(from_, plan.timezone, now)
        until_at = _after(from_at, local_instant(until, plan.timezone, from_at))
        laid.append(Shift(contact=known_contact(context, contact), from_at=from_at, until_at=until_at))
    entry = OverrideSet(
        at=now, by=by, id=_new_id(), schedule=schedule, kind=OverrideKind.TEMPORARY, contact="", shifts=laid,
        from_at=min(each.from_at for each in laid), until_at=max(each.until_at for each in laid),
    )  # fmt: skip
    place = (
        f"from {wall_clock(entry.from_at, plan.timezone)} until {wall_clock(entry.until_at, plan.timezone)}"
    )
    act(context, entry, f"{schedule} follows {entry.id} {place}")


@click.command()
@json_option
def overrides(json: bool) -> None:
    """List the overrides that are set."""
    found = connected().store.records(Table.OVERRIDE, OverrideSet).values()
    rows = sorted(found, key=lambda each: (each.from_at, each.id))
    if json:
        as_json([
            {"id": each.id, "schedule": each.schedule, "kind": str(each.kind), "contact": each.contact,
             "instead_of": each.instead_of, "from": iso(each.from_at), "until": iso(each.until_at),
             "back_from": iso(each.back_from_at), "back_until": iso(each.back_until_at), "by": each.by,
             "shifts": [{"contact": shift.contact, "from": iso(shift.from_at), "until": iso(shift.until_at)}
                        for shift in each.shifts]}
            for each in rows
        ])  # fmt: skip
        return
    table(
        ("ID", "SCHEDULE", "KIND", "CONTACT", "INSTEAD OF", "FROM", "UNTIL", "BY"),
        [
            (each.id, each.schedule, each.kind, each.contact or _people(each),
             each.instead_of, clock(each.from_at), clock(each.until_at), each.by)
            for each in rows
        ],
        empty="No override is set.",
    )  # fmt: skip


@click.command()
@click.argument("ID")
@acting
def remove(id: str, by: str) -> None:  # noqa: A002  # the name shown in the usage
    """Take an override back: what it lay over counts again."""
    context = connected()
    known = context.store.records(Table.OVERRIDE, OverrideSet).get(id)
    if known is None:
        raise click.ClickException(f"no override {id!r}; see: tocsin oncall overrides")
    entry = OverrideSet(
        at=now_ms(), by=by, id=id, schedule=known.schedule, contact="", from_at=known.from_at,
        until_at=known.until_at,
    )  # fmt: skip
    act(context, entry, f"override {id} removed by {by}; {known.schedule} is as it was without it")


def standings(context: Context) -> dict[str, shifts.Standing]:
    """What stands over each schedule, as a command sees it."""
    facts = context.store.records(Table.FACT, Fact)
    found = tuple(context.store.records(Table.OVERRIDE, OverrideSet).values())
    last = {name: facts.get(last_key(name)) for name in context.policy.schedules}
    return {name: shifts.Standing(found, fact.value if fact else "") for name, fact in last.items()}


def known_schedule(context: Context, name: str) -> Schedule:
    """Raises click.UsageError."""
    found = context.policy.schedules
    if name not in found:
        raise click.UsageError(f"no schedule {name!r}; there are {', '.join(found)}")
    return found[name]


def known_contact(context: Context, name: str) -> str:
    """Raises click.UsageError."""
    if name not in context.policy.contacts:
        raise click.UsageError(f"no contact {name!r}; there are {', '.join(context.policy.contacts)}")
    return name


def _people(override: OverrideSet) -> str:
    return ", ".join(dict.fromkeys(shift.contact for shift in override.shifts))


def _new_id() -> str:
    return f"o-{uuid.uuid4().hex[:8]}"


def _after(from_at: int, until_at: int) -> int:
    if until_at <= from_at:
        raise click.UsageError("it ends before it begins; give a later --until")
    return until_at


def _end(context: Context, schedule: Schedule, at: int) -> int:
    until_at = shifts.who(schedule, standings(context)[schedule.name], at).until_at
    if until_at >= FOREVER:
        raise click.UsageError(f"the shift in {schedule.name} then never ends; give --until")
    return until_at


def _next_shift(context: Context, schedule: Schedule, contact: str, at: int) -> shifts.OnCall:
    """The contact's shift at the instant, or the first one after it. Raises click.UsageError."""
    found = shifts.shifts(schedule, standings(context)[schedule.name], at, at + AHEAD)
    mine = next((each for each in found if contact in each.contacts), None)
    if mine is None:
        raise click.UsageError(f"{contact} has no shift in {schedule.name} within a year; nothing to swap")
    return mine
