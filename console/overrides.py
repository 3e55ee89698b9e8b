"""`tocsin oncall override|swap|temporary|overrides|remove`: who takes whose shift for a time."""

from typing import Any

import click

from console.acting import acting
from console.context import Context, connected
from console.doing import oncall as doing
from console.doing.entries import Who
from console.doing.oncall import known_contact, known_schedule, standings
from console.options import json_option, local_instant
from console.output import as_json, clock, iso, say, table, wall_clock
from ledger.clock import now_ms
from routing.decision import Table
from routing.entry import OverrideKind, OverrideSet, Shift

__all__ = ["known_contact", "known_schedule", "standings"]

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
    now = now_ms()
    from_at = local_instant(from_, plan.timezone, now)
    until_at = local_instant(until, plan.timezone, from_at) if until else 0
    what = OverrideKind(kind) if kind else OverrideKind.REPLACE
    set_, _ = doing.override(context, Who(by), schedule, contact, from_at, until_at, what, instead_of)
    place = f"from {wall_clock(from_at, plan.timezone)} until {wall_clock(set_.until_at, plan.timezone)} ({set_.id})"
    say(f"{contact} {_DOES[what]} {schedule} {place}")


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
    from_at = local_instant(from_, plan.timezone, now_ms())
    set_, _ = doing.swap(context, Who(by), schedule, one, other, from_at)
    say(
        f"{other} takes {schedule} from {wall_clock(set_.from_at, plan.timezone)}, "
        f"{one} from {wall_clock(set_.back_from_at, plan.timezone)} ({set_.id})"
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
        until_at = local_instant(until, plan.timezone, from_at)
        laid.append(Shift(contact=contact, from_at=from_at, until_at=until_at))
    set_, _ = doing.temporary(context, Who(by), schedule, laid)
    place = f"from {wall_clock(set_.from_at, plan.timezone)} until {wall_clock(set_.until_at, plan.timezone)}"
    say(f"{schedule} follows {set_.id} {place}")


@click.command()
@json_option
def overrides(json: bool) -> None:
    """List the overrides that are set."""
    rows = laid(connected())
    if json:
        as_json([shown(each) for each in rows])
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


def laid(context: Context) -> list[OverrideSet]:
    """Every override that is set, the first to begin first."""
    found = context.store.records(Table.OVERRIDE, OverrideSet).values()
    return sorted(found, key=lambda each: (each.from_at, each.id))


def shown(each: OverrideSet) -> dict[str, Any]:
    return {
        "id": each.id, "schedule": each.schedule, "kind": str(each.kind), "contact": each.contact,
        "instead_of": each.instead_of, "from": iso(each.from_at), "until": iso(each.until_at),
        "back_from": iso(each.back_from_at), "back_until": iso(each.back_until_at), "by": each.by,
        "shifts": [{"contact": shift.contact, "from": iso(shift.from_at), "until": iso(shift.until_at)}
                   for shift in each.shifts],
    }  # fmt: skip


@click.command()
@click.argument("ID")
@acting
def remove(id: str, by: str) -> None:  # noqa: A002  # the name shown in the usage
    """Take an override back: what it lay over counts again."""
    set_, _ = doing.remove(connected(), Who(by), id)
    say(f"override {id} removed by {by}; {set_.schedule} is as it was without it")


def _people(override: OverrideSet) -> str:
    return ", ".join(dict.fromkeys(shift.contact for shift in override.shifts))
