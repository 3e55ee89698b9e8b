"""`tocsin scheduled`: what comes by the calendar, and when next."""

import click

from console.context import connected
from console.options import json_option
from console.output import ago, as_json, iso, table, wall_clock
from ledger.clock import now_ms
from routing.calendar import recurring
from routing.policy import Policy, Scheduled


@click.command()
@json_option
def scheduled(json: bool) -> None:
    """List what comes by the calendar, with when it comes next."""
    now = now_ms()
    rows = coming(connected().policy, now)
    if json:
        as_json([shown(*row) for row in rows])
        return
    table(
        ("NAME", "EVERY", "NEXT", "IN", "KIND", "WHAT"),
        [
            (each.name, each.recurs.every, wall_clock(at, each.recurs.timezone), ago(at, now), each.kind, each.title)
            for each, at in rows
        ],
        empty="Nothing comes by the calendar; see scheduled in calendar.yaml.",
    )  # fmt: skip


def coming(policy: Policy, now: int) -> list[tuple[Scheduled, int]]:
    """What comes by the calendar with when it comes next (ms), the next first."""
    rows = [(each, recurring.next_after(each.recurs, now)) for each in policy.scheduled]
    return sorted(rows, key=lambda row: row[1])


def shown(each: Scheduled, at: int) -> dict[str, object]:
    return {
        "name": each.name,
        "every": str(each.recurs.every),
        "next_at": iso(at),
        "timezone": each.recurs.timezone,
        "kind": each.kind,
        "title": each.title,
        "origin": str(each.origin),
    }
