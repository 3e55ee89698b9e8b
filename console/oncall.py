"""`tocsin oncall`: who is on call, who follows, and what is hardly meant about it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from console import importing, overrides
from console.context import Context, connected
from console.options import Duration, Instant, json_option
from console.output import as_json, clock, iso, one_line, say, table, wall_clock
from console.reaching import unverified
from ledger import feeds
from ledger.clock import now_ms
from routing import oncall as shifts
from routing.calendar.hours import FOREVER
from routing.instant import DAY, parse_iso
from routing.oncall import icalendar, review
from routing.oncall.importing import FeedHealth
from routing.policy import Policy, Schedule
from routing.severity import Severity

AHEAD = 30 * DAY
"""So far ahead gaps and double bookings are told."""


@click.group(invoke_without_command=True)
@click.option("--at", type=Instant(), default=None, help="When. Default: now.")
@json_option
@click.pass_context
def oncall(ctx: click.Context, at: int | None, json: bool) -> None:
    """Say who is on call in every schedule, each until when by their own clock.

    Below it: when nobody is, and who is in two schedules at once, within 30 days.
    """
    if ctx.invoked_subcommand:
        return
    context = connected()
    found = Duties.at(context, at or now_ms())
    tell({name: found.as_json(name) for name in found.now}, found.remarks(context.policy), json=json)


def tell(found: Mapping[str, Mapping[str, Any]], remarks: Iterable[str], *, json: bool) -> None:
    """`found` as `Duties.as_json`, by schedule."""
    if json:
        as_json(found)
        return
    table(
        ("SCHEDULE", "ON CALL", "UNTIL", "NEXT", "SHADOWS", "WHY"),
        [
            (name, ", ".join(duty["contacts"]) or "nobody",
             wall_clock(parse_iso(duty["until"]), duty["contact_timezone"]), ", ".join(duty["next"]),
             ", ".join(duty["shadows"]), duty["reason"])
            for name, duty in found.items()
        ],
        empty="No schedule is configured.",
    )  # fmt: skip
    for line in remarks:
        say(line, "yellow")


@dataclass(frozen=True, slots=True)
class Duties:
    """Of every schedule by name: who is and who is next, its gaps; and double bookings of all of them."""

    now: dict[str, shifts.OnCall]
    next: dict[str, shifts.OnCall]
    gaps: dict[str, list[shifts.OnCall]]
    clashes: list[review.Clash]
    unverified: dict[str, tuple[Severity, ...]]
    """Of who is on call now: for which severities no method is proven to reach them."""
    feeds: dict[str, FeedHealth]
    """Of the schedules that follow a calendar and were looked at."""
    zones: dict[str, str]
    """Each schedule's own."""
    homes: dict[str, str]
    """The zone of who is on call; the schedule's when nobody is."""

    @classmethod
    def at(cls, context: Context, at: int) -> "Duties":
        standing = overrides.standings(context)
        duties = [(schedule, standing[name]) for name, schedule in context.policy.schedules.items()]
        now = {each.name: shifts.who(each, standing, at) for each, standing in duties}
        contacts = context.policy.contacts
        return cls(
            now,
            {each.name: shifts.who_next(each, standing, at) for each, standing in duties},
            {each.name: review.gaps(each, standing, at, at + AHEAD) for each, standing in duties},
            review.clashes(duties, at, at + AHEAD),
            unverified(context, {name for duty in now.values() for name in duty.contacts}),
            feeds.health(context.client, context.keys),
            {each.name: each.timezone for each, _ in duties},
            {
                each.name: found.timezone
                if (found := contacts.get(now[each.name].contact))
                else each.timezone
                for each, _ in duties
            },
        )

    def as_json(self, name: str) -> dict[str, Any]:
        duty, following = self.now[name], self.next[name]
        return {
            "contact": duty.contact, "contacts": list(duty.contacts), "shadows": list(duty.shadows),
            "timezone": self.zones[name], "contact_timezone": self.homes[name],
            "reason": duty.reason, "since": iso(duty.since_at), "until": iso(duty.until_at),
            "next": list(following.contacts),
            "unverified": {
                contact: [str(level) for level in self.unverified[contact]]
                for contact in duty.contacts if contact in self.unverified
            },
            "feed": _feed(self.feeds.get(name)),
            "gaps": [{"from": iso(gap.since_at), "until": iso(gap.until_at)} for gap in self.gaps[name]],
            "double_booked": [
                {"contact": each.contact, "schedules": list(each.schedules), "from": iso(each.from_at),
                 "until": iso(each.until_at)}
                for each in self.clashes if name in each.schedules
            ],
        }  # fmt: skip

    def remarks(self, policy: Policy) -> list[str]:
        lines = []
        for name, gaps in self.gaps.items():
            schedule = policy.schedules[name]
            meant = f" (accepted: {schedule.gaps_accepted})" if schedule.gaps_accepted else ""
            lines += [
                f"{name}: nobody from {wall_clock(gap.since_at, schedule.timezone)} "
                f"until {wall_clock(gap.until_at, schedule.timezone)}{meant}"
                for gap in gaps
            ]
        for name, health in self.feeds.items():
            if health.failing_since:
                lines.append(
                    f"{name}: its feed cannot be read since {clock(health.failing_since)}, its last shifts stay: "
                    f"{one_line(health.reason)}"
                )
        for each in self.clashes:
            zone = policy.contacts[each.contact].timezone if each.contact in policy.contacts else "UTC"
            lines.append(
                f"{each.contact} is in {' and '.join(each.schedules)} at once from "
                f"{wall_clock(each.from_at, zone)} until {wall_clock(each.until_at, zone)}"
            )
        for name, levels in self.unverified.items():
            wanted = ", ".join(str(level) for level in levels)
            lines.append(f"{name} has no verified method for {wanted}; see: tocsin contacts verify")
        return lines


def _feed(health: FeedHealth | None) -> dict[str, Any] | None:
    if health is None:
        return None
    return {
        "looked": iso(health.looked_at), "read": iso(health.read_at), "failing_since": iso(health.failing_since),
        "reason": health.reason, "until": iso(health.until_at),
    }  # fmt: skip


@oncall.command()
@click.option("--person", default="", metavar="CONTACT", help="Whose shifts. Default: everybody's.")
@click.option("--schedule", default="", metavar="SCHEDULE", help="Only of this one. Default: of all.")
@click.option("--from", "from_at", type=Instant(), default="now", show_default=True)
@click.option("--for", "length", type=Duration(), default="90d", show_default=True, help="How far ahead.")
def export(person: str, schedule: str, from_at: int, length: int) -> None:
    """Write shifts as an iCalendar file (text/calendar) to the standard output: a person's, a schedule's, or all."""
    click.echo(exported(connected(), person, schedule, from_at, length), nl=False)


def exported(context: Context, person: str, schedule: str, from_at: int, length: int) -> str:
    """Shifts as an iCalendar text; "" is everybody, and all schedules. Raises click.UsageError."""
    names = [overrides.known_schedule(context, schedule).name] if schedule else list(context.policy.schedules)
    contact = context.policy.contacts[overrides.known_contact(context, person)] if person else None
    standing = overrides.standings(context)
    found = [
        (name, each, shift)
        for name in names
        for shift in _whole_shifts(context.policy.schedules[name], standing[name], from_at, from_at + length)
        for each in shift.contacts
        if each == (person or each)
    ]
    title = f"On call: {contact.title if contact else ', '.join(names)}"
    zones = [context.policy.schedules[name].timezone for name in names]
    zone = contact.timezone if contact else next(iter(zones), "UTC")
    return icalendar.calendar(title, zone, found, now_ms())


def _whole_shifts(
    schedule: Schedule, standing: shifts.Standing, from_at: int, until_at: int
) -> list[shifts.OnCall]:
    """Those that touch the time, none cut: a shift that was exported before is the same one again."""
    found = shifts.shifts(schedule, standing, from_at, until_at)
    whole = [shifts.who(schedule, standing, each.since_at) for each in (found[0], found[-1])]
    begins = whole[0].since_at or from_at
    return shifts.shifts(
        schedule, standing, begins, until_at if whole[1].until_at >= FOREVER else whole[1].until_at
    )


for command in (
    overrides.override,
    overrides.swap,
    overrides.temporary,
    overrides.overrides,
    overrides.remove,
    importing.import_,
):
    oncall.add_command(command)
