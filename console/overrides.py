"""`tocsin oncall override|swap|temporary|overrides|remove`: who takes whose shift for a time."""

from collections.abc import Iterable, Mapping, Sequence
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
from routing.instant import parse_iso

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
    say(told(shown(set_), plan.timezone))


_DOES: Mapping[str, str] = {
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
    say(told(shown(set_), plan.timezone))


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
    set_, _ = doing.temporary(context, Who(by), schedule, shifts(given, plan.timezone))
    say(told(shown(set_), plan.timezone))


def shifts(given: Iterable[tuple[str, str, str]], zone: str) -> list[Shift]:
    """Each as (contact, from, until), local to the zone. Raises click.UsageError."""
    now, found = now_ms(), []
    for contact, from_, until in given:
        from_at = local_instant(from_, zone, now)
        found.append(Shift(contact=contact, from_at=from_at, until_at=local_instant(until, zone, from_at)))
    return found


def told(found: Mapping[str, Any], zone: str) -> str:
    """In one line, what an override that was set does; `found` as `shown`."""
    since, until, back = (
        wall_clock(parse_iso(found[name]) if found[name] else 0, zone)
        for name in ("from", "until", "back_from")
    )
    schedule, name = found["schedule"], found["id"]
    if found["kind"] == OverrideKind.SWAP:
        return f"{found['contact']} takes {schedule} from {since}, {found['instead_of']} from {back} ({name})"
    if found["kind"] in _DOES:
        return f"{found['contact']} {_DOES[found['kind']]} {schedule} from {since} until {until} ({name})"
    return f"{schedule} follows {name} from {since} until {until}"


@click.command()
@json_option
def overrides(json: bool) -> None:
    """List the overrides that are set."""
    tell([shown(each) for each in laid(connected())], json=json)


def tell(rows: Sequence[Mapping[str, Any]], *, json: bool) -> None:
    """`rows` as `shown`."""
    if json:
        as_json(rows)
        return
    table(
        ("ID", "SCHEDULE", "KIND", "CONTACT", "INSTEAD OF", "FROM", "UNTIL", "BY"),
        [
            (row["id"], row["schedule"], row["kind"], row["contact"] or _people(row["shifts"]), row["instead_of"],
             *(clock(parse_iso(row[name])) for name in ("from", "until")), row["by"])
            for row in rows
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


def _people(shifts: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(dict.fromkeys(shift["contact"] for shift in shifts))
