"""What people lay over schedules: overrides, swaps, whole schedules for a time. Instants in ms."""

import uuid
from collections.abc import Sequence

import click

from console.context import Context
from console.doing.entries import Done, Who, do
from console.refusals import Nowhere
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


def override(
    context: Context, who: Who, schedule: str, contact: str, from_at: int, until_at: int,
    kind: OverrideKind = OverrideKind.REPLACE, instead_of: str = "",
) -> tuple[OverrideSet, Done]:  # fmt: skip
    """`until_at` 0: until the end of the shift it begins in. Raises click.UsageError, Undecided."""
    plan = known_schedule(context, schedule)
    known_contact(context, contact)
    if instead_of:
        known_contact(context, instead_of)
    if instead_of and kind is not OverrideKind.REPLACE:
        raise click.UsageError(f"--instead-of and --{kind} contradict each other; leave one out")
    until = until_at or _end(context, plan, from_at)
    entry = OverrideSet(
        at=now_ms(), by=who.name, client=who.client, id=_new_id(), schedule=schedule, contact=contact,
        from_at=from_at, until_at=after(from_at, until), kind=kind, instead_of=instead_of,
    )  # fmt: skip
    return entry, do(context, who, entry)


def swap(
    context: Context, who: Who, schedule: str, one: str, other: str, from_at: int
) -> tuple[OverrideSet, Done]:
    """The next shift of each after the instant. Raises click.UsageError, Undecided."""
    plan = known_schedule(context, schedule)
    mine, theirs = (
        _next_shift(context, plan, known_contact(context, name), from_at) for name in (one, other)
    )
    if mine.since_at < theirs.until_at and theirs.since_at < mine.until_at:
        raise click.UsageError(f"{one} and {other} are on call at the same time; nothing would change")
    entry = OverrideSet(
        at=now_ms(), by=who.name, client=who.client, id=_new_id(), schedule=schedule, kind=OverrideKind.SWAP,
        contact=other, instead_of=one, from_at=mine.since_at, until_at=mine.until_at,
        back_from_at=theirs.since_at, back_until_at=theirs.until_at,
    )  # fmt: skip
    return entry, do(context, who, entry)


def temporary(context: Context, who: Who, schedule: str, laid: Sequence[Shift]) -> tuple[OverrideSet, Done]:
    """Between the first and the last of the shifts nothing else counts. Raises click.UsageError, Undecided."""
    known_schedule(context, schedule)
    for each in laid:
        known_contact(context, each.contact)
        after(each.from_at, each.until_at)
    entry = OverrideSet(
        at=now_ms(), by=who.name, client=who.client, id=_new_id(), schedule=schedule, contact="",
        kind=OverrideKind.TEMPORARY, shifts=list(laid), from_at=min(each.from_at for each in laid),
        until_at=max(each.until_at for each in laid),
    )  # fmt: skip
    return entry, do(context, who, entry)


def remove(context: Context, who: Who, override_id: str) -> tuple[OverrideSet, Done]:
    """What it lay over counts again. Raises Nowhere, Undecided."""
    known = context.store.records(Table.OVERRIDE, OverrideSet).get(override_id)
    if known is None:
        raise Nowhere(f"no override {override_id!r}; see: tocsin oncall overrides")
    entry = OverrideSet(
        at=now_ms(), by=who.name, client=who.client, id=override_id, schedule=known.schedule, contact="",
        from_at=known.from_at, until_at=known.until_at,
    )  # fmt: skip
    return entry, do(context, who, entry)


def standings(context: Context) -> dict[str, shifts.Standing]:
    """What stands over each schedule, as people see it."""
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


def after(from_at: int, until_at: int) -> int:
    """The end, where it is one. Raises click.UsageError."""
    if until_at <= from_at:
        raise click.UsageError("it ends before it begins; give a later --until")
    return until_at


def _new_id() -> str:
    return f"o-{uuid.uuid4().hex[:8]}"


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
