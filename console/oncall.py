"""`tocsin oncall`: who is on call, and who takes whose shift."""

import uuid

import click

from console.acting import acting
from console.context import connected
from console.decided import act
from console.options import Instant, json_option
from console.output import as_json, clock, iso, table
from ledger.clock import now_ms
from routing import oncall as shifts
from routing.decision import Table
from routing.entry import OverrideSet


@click.group(invoke_without_command=True)
@click.option("--at", type=Instant(), default=None, help="When. Default: now.")
@json_option
@click.pass_context
def oncall(ctx: click.Context, at: int | None, json: bool) -> None:
    """Say who is on call in every schedule."""
    if ctx.invoked_subcommand:
        return
    context = connected()
    when = at or now_ms()
    standing = shifts.Standing(tuple(context.store.records(Table.OVERRIDE, OverrideSet).values()))
    duties = {
        name: shifts.who(schedule, standing, when) for name, schedule in context.policy.schedules.items()
    }
    if json:
        as_json({
            name: {"contact": duty.contact, "reason": duty.reason,
                   "since": iso(duty.since_at), "until": iso(duty.until_at)}
            for name, duty in duties.items()
        })  # fmt: skip
        return
    table(
        ("SCHEDULE", "ON CALL", "UNTIL", "WHY"),
        [(name, duty.contact, clock(duty.until_at), duty.reason) for name, duty in duties.items()],
        empty="No schedule is configured.",
    )


@oncall.command()
@click.argument("SCHEDULE")
@click.argument("CONTACT")
@click.option("--from", "from_at", type=Instant(), default="now", show_default=True)
@click.option("--until", "until_at", type=Instant(), required=True)
@acting
def override(schedule: str, contact: str, from_at: int, until_at: int, by: str) -> None:
    """Have CONTACT take SCHEDULE's shifts for a time."""
    context = connected()
    if schedule not in context.policy.schedules:
        raise click.UsageError(f"no schedule {schedule!r}; there are {', '.join(context.policy.schedules)}")
    if contact not in context.policy.contacts:
        raise click.UsageError(f"no contact {contact!r}; there are {', '.join(context.policy.contacts)}")
    if until_at <= from_at:
        raise click.UsageError("it ends before it begins; give a later --until")
    entry = OverrideSet(
        at=now_ms(), by=by, id=f"o-{uuid.uuid4().hex[:8]}", schedule=schedule, contact=contact,
        from_at=from_at, until_at=until_at,
    )  # fmt: skip
    act(
        context,
        entry,
        f"{contact} takes {schedule} from {clock(from_at)} until {clock(until_at)} ({entry.id})",
    )


@oncall.command()
@json_option
def overrides(json: bool) -> None:
    """List the overrides that are set."""
    found = connected().store.records(Table.OVERRIDE, OverrideSet).values()
    rows = sorted(found, key=lambda each: each.from_at)
    if json:
        as_json([
            {"id": each.id, "schedule": each.schedule, "contact": each.contact, "from": iso(each.from_at),
             "until": iso(each.until_at), "by": each.by}
            for each in rows
        ])  # fmt: skip
        return
    table(
        ("ID", "SCHEDULE", "CONTACT", "FROM", "UNTIL", "BY"),
        [
            (each.id, each.schedule, each.contact, clock(each.from_at), clock(each.until_at), each.by)
            for each in rows
        ],
        empty="No override is set.",
    )


@oncall.command()
@click.argument("ID")
@acting
def remove(id: str, by: str) -> None:  # noqa: A002  # the name shown in the usage
    """Take an override back: the rotation counts again."""
    context = connected()
    known = context.store.records(Table.OVERRIDE, OverrideSet).get(id)
    if known is None:
        raise click.ClickException(f"no override {id!r}; see: tocsin oncall overrides")
    entry = OverrideSet(
        at=now_ms(), by=by, id=id, schedule=known.schedule, contact="", from_at=known.from_at,
        until_at=known.until_at,
    )  # fmt: skip
    act(context, entry, f"override {id} removed by {by}; {known.schedule} is as its rotation says")
