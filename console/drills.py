"""`tocsin drills`: fire drills that come by the calendar, and how they ended."""

from collections.abc import Iterable, Mapping, Sequence
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
from routing.instant import parse_iso
from routing.policy import Drill
from routing.response.drills import NOBODY
from routing.timer import Timer, Wake

ANSWERED = "answered"
Row = Mapping[str, Any]


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
        return ANSWERED if self.answer_ms is not None else "FINDING: nobody answered"

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
    held, _ = page(context, limit, after)
    following = [next_one(rule, at) for rule, at in coming(context)]
    tell(following, [each.as_json() for each in held], json=json)


def tell(following: Sequence[Row], held: Sequence[Row], *, json: bool) -> None:
    """As `next_one` and `Ended.as_json` have them."""
    if json:
        as_json({"next": following, "held": held})
        return
    table(
        ("DRILL", "NEXT", "BY", "WHAT"),
        [
            (each["drill"], wall_clock(parse_iso(each["at"]), each["timezone"]), each["escalation"], each["title"])
            for each in following
        ],
        empty="No drill comes by the calendar; see drills in calendar.yaml.",
    )  # fmt: skip
    if held:
        say("")
        table(
            ("INCIDENT", "DRILL", "HELD", "PAGED", "ANSWERED BY", "AFTER", "OUTCOME"),
            [
                (each["id"], each["drill"], clock(parse_iso(each["at"])), ", ".join(each["paged"]),
                 each["answered_by"], _after(each["answer_ms"]), each["outcome"])
                for each in held
            ],
        )  # fmt: skip


@drills.command()
@json_option
def report(json: bool) -> None:
    """Say of each drill how often it was held and answered, and how soon; exit status 1 when the last one was not."""
    tell_report(reported(incident for incident, _ in connected().store.incidents()), json=json)


def tell_report(rows: Sequence[Row], *, json: bool) -> None:
    """`rows` as `row`. Exit status 1 when the last one of any was not answered."""
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
    if any(row["last"] != ANSWERED for row in rows):
        raise SystemExit(1)


def reported(incidents: Iterable[Incident]) -> list[Row]:
    """Of each drill, by name, how those of these incidents ended that are over; newest first."""
    by_drill: dict[str, list[Ended]] = {}
    for incident in incidents:
        if incident.drill and incident.phase is Phase.RESOLVED:
            by_drill.setdefault(incident.drill, []).append(Ended(incident, answered_after(incident)))
    return [row(name, held) for name, held in sorted(by_drill.items())]


def next_one(rule: Drill, at: int) -> dict[str, Any]:
    return {
        "drill": rule.name, "title": rule.title, "at": iso(at), "timezone": rule.recurs.timezone,
        "escalation": rule.escalation, "origin": str(rule.origin),
    }  # fmt: skip


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


def page(context: Context, limit: int, after: str = "", most: int = 0) -> tuple[list[Ended], str]:
    """Those that were held, newest first, and what to go on after; "" where there are no more.

    Not more than `most` incidents are read if not 0: there may be fewer drills than there could be.
    """
    below = int(after.rpartition("-")[2]) if after.rpartition("-")[2].isdigit() else 0
    found: list[Ended] = []
    last = ""
    for read, (incident, _) in enumerate(context.store.incidents(below=below)):
        if len(found) == limit or (most and read == most):
            return found, last
        last = incident.id
        if incident.drill:
            found.append(Ended(incident, answered_after(incident)))
    return found, ""


def answered_after(incident: Incident) -> int | None:
    """Whoever ended it by hand has answered it too."""
    if incident.acknowledged_at:
        return incident.acknowledged_at - incident.opened_at
    if incident.resolved_at and incident.resolved_by != NOBODY:
        return incident.resolved_at - incident.opened_at
    return None


def _after(ms: int | None) -> str:
    return "" if ms is None else span(ms)
