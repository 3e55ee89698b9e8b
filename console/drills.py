"""`tocsin drills`: fire drills that come by the calendar, and how they ended."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import click

from console.context import Context, connected
from console.options import json_option, paging
from console.output import as_json, clock, iso, say, span, table, wall_clock
from ledger.clock import now_ms
from routing.decision import Table
from routing.incident import Incident, Phase
from routing.policy import Drill
from routing.response.drills import NOBODY
from routing.timer import Timer, Wake


@click.group()
def drills() -> None:
    """Show fire drills: when the next one comes, and how the last ones ended."""


@dataclass(frozen=True, slots=True)
class Ended:
    """One drill that was held. `answer_ms`: from its beginning until somebody answered; None when nobody did."""

    incident: Incident
    answer_ms: int | None

    @property
    def outcome(self) -> str:
        if self.incident.phase is not Phase.RESOLVED:
            return "under way"
        return "answered" if self.answer_ms is not None else "FINDING: nobody answered"

    @property
    def by(self) -> str:
        """Who answered."""
        who = self.incident.acknowledged_by or self.incident.resolved_by
        return "" if self.answer_ms is None else who

    def as_json(self) -> dict[str, Any]:
        incident = self.incident
        return {
            "id": incident.id, "drill": incident.drill, "at": iso(incident.opened_at),
            "severity": str(incident.severity), "paged": incident.paged, "answered_by": self.by,
            "answer_ms": self.answer_ms, "outcome": self.outcome,
        }  # fmt: skip


@drills.command("list")
@paging(20)
@json_option
def list_(limit: int, after: str, json: bool) -> None:
    """List when each drill comes next, and the last ones that were held, newest first."""
    context = connected()
    following = coming(context)
    held = list(_first(held_before(context, after), limit))
    if json:
        as_json({
            "next": [next_one(rule, at) for rule, at in following],
            "held": [each.as_json() for each in held],
        })  # fmt: skip
        return
    table(
        ("DRILL", "NEXT", "BY", "WHAT"),
        [
            (rule.name, wall_clock(at, rule.recurs.timezone), rule.escalation, rule.title)
            for rule, at in following
        ],
        empty="No drill comes by the calendar; see drills in calendar.yaml.",
    )
    if held:
        say("")
        table(
            ("INCIDENT", "DRILL", "HELD", "PAGED", "ANSWERED BY", "AFTER", "OUTCOME"),
            [
                (each.incident.id, each.incident.drill, clock(each.incident.opened_at), ", ".join(each.incident.paged),
                 each.by, _after(each.answer_ms), each.outcome)
                for each in held
            ],
        )  # fmt: skip


@drills.command()
@json_option
def report(json: bool) -> None:
    """Say of each drill how often it was held and answered, and how soon; exit status 1 when the last one was not."""
    context = connected()
    by_drill: dict[str, list[Ended]] = {}
    for each in held_before(context, ""):
        if each.incident.phase is Phase.RESOLVED:
            by_drill.setdefault(each.incident.drill, []).append(each)
    rows = [row(name, held) for name, held in sorted(by_drill.items())]
    if json:
        as_json(rows)
    else:
        table(
            ("DRILL", "HELD", "ANSWERED", "MEDIAN", "SLOWEST", "LAST"),
            [
                (row["drill"], row["held"], row["answered"], _after(row["median_ms"]), _after(row["slowest_ms"]),
                 row["last"])
                for row in rows
            ],
            empty="No drill was held yet.",
        )  # fmt: skip
    if any(held[0].answer_ms is None for held in by_drill.values()):
        raise SystemExit(1)


def next_one(rule: Drill, at: int) -> dict[str, Any]:
    return {"drill": rule.name, "at": iso(at), "escalation": rule.escalation, "origin": str(rule.origin)}


def row(name: str, held: list[Ended]) -> dict[str, Any]:
    """`held` newest first."""
    times = [each.answer_ms for each in held if each.answer_ms is not None]
    return {
        "drill": name,
        "held": len(held),
        "answered": len(times),
        "median_ms": round(median(times)) if times else None,
        "slowest_ms": max(times, default=None),
        "last": held[0].outcome,
        "findings": [each.incident.id for each in held if each.answer_ms is None],
    }


def coming(context: Context) -> list[tuple[Drill, int]]:
    timers = context.store.records(Table.TIMER, Timer)
    found = [(rule, timers.get(f"{Wake.DRILL}:{rule.name}")) for rule in context.policy.drills]
    return sorted(
        ((rule, timer.at if timer else now_ms()) for rule, timer in found), key=lambda each: each[1]
    )


def held_before(context: Context, after: str) -> Iterator[Ended]:
    below = int(after.rpartition("-")[2]) if after.rpartition("-")[2].isdigit() else 0
    for incident, _ in context.store.incidents(below=below):
        if incident.drill:
            yield Ended(incident, answered_after(incident))


def answered_after(incident: Incident) -> int | None:
    """Whoever ended it by hand has answered it too."""
    if incident.acknowledged_at:
        return incident.acknowledged_at - incident.opened_at
    if incident.resolved_at and incident.resolved_by != NOBODY:
        return incident.resolved_at - incident.opened_at
    return None


def _first(found: Iterator[Ended], limit: int) -> Iterator[Ended]:
    for _, each in zip(range(limit), found, strict=False):
        yield each


def _after(ms: int | None) -> str:
    return "" if ms is None else span(ms)
