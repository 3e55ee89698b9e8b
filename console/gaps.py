"""`tocsin sources gaps`: how vendors were asked for what we missed, and having one asked now."""

from collections.abc import Sequence
from typing import Any

import click

from console.context import Context, connected
from console.options import json_option
from console.output import ago, as_json, iso, say, table
from ledger import gaps as known
from ledger.clock import now_ms
from ledger.gaps import Gap
from routing.instant import parse_iso
from routing.policy import Source

Row = dict[str, Any]


@click.command("gaps")
@click.option("--now", "wanted", metavar="SOURCE", help="Have this source's vendor asked at once.")
@json_option
def gaps(wanted: str | None, json: bool) -> None:
    """List the sources whose vendors are asked for what we missed: when last, what was found, what went wrong."""
    context, now = connected(), now_ms()
    if wanted is not None:
        want(context, wanted, now)
    tell(rows_of(context, now), wanted, now, json=json)


def want(context: Context, source: str, now: int) -> None:
    """Have its vendor asked at once. Raises click.UsageError when nobody is asked about it."""
    asked = sorted(each.name for each in context.policy.sources.values() if each.poll)
    if source not in asked:
        names = ", ".join(asked) or "none has poll in config/sources.yaml"
        raise click.UsageError(f"nobody is asked about {source!r}; there are: {names}")
    known.want(context.client, context.keys, source, now)


def rows_of(context: Context, now: int) -> list[Row]:
    """Each source whose vendor is asked, by name."""
    found = known.all_of(context.client, context.keys)
    asked = {source.name: source for source in context.policy.sources.values() if source.poll}
    return [_row(source, found.get(name, Gap()), now) for name, source in sorted(asked.items())]


def tell(rows: Sequence[Row], wanted: str | None, now: int, *, json: bool) -> None:
    """Said alike beside the store and over a console."""
    if json:
        as_json(rows)
        return
    table(
        ("NAME", "VENDOR", "ASKED", "NEXT", "FOUND", "LAST FOUND", "STATE"),
        [
            (row["name"], row["vendor"], _ago(row["asked_at"], now), _next(row, now), row["found"],
             _ago(row["found_at"], now), _state(row))
            for row in rows
        ],
        empty="No source has poll: see docs/sources.md.",
    )  # fmt: skip
    for row in rows:
        for what in row["troubles"]:
            say(f"{row['name']}: {what}")
    if wanted is not None:
        say(f"{wanted} is asked within seconds; look again")


def _ago(at: str | None, now: int) -> str:
    return ago(parse_iso(at) if at else 0, now)


def _next(row: Row, now: int) -> str:
    return ago(now + row["next_in_s"] * 1000 if row["asked_at"] else 0, now)


def _state(row: Row) -> str:
    if row["off"]:
        return f"off: {row['off']}"
    if row["error"]:
        return f"failing: {row['error']}"
    if row["reading_on"]:
        return "reading on"
    return "well" if row["asked_at"] else "not asked yet"


def _row(source: Source, gap: Gap, now: int) -> Row:
    return {
        "name": source.name,
        "vendor": source.vendor,
        "on": not gap.off and bool(gap.looked_at),
        "off": gap.off or None,
        "asked_at": iso(gap.looked_at) if gap.looked_at else None,
        "known_until": iso(gap.since_at) if gap.since_at else None,
        "next_in_s": max(0, gap.next_at - now) // 1000,
        "reading_on": bool(gap.after),
        "found": gap.found,
        "found_at": iso(gap.found_at) if gap.found_at else None,
        "refused": gap.refused,
        "failures": gap.failures,
        "failing_since": iso(gap.failing_since) if gap.failing_since else None,
        "error": gap.reason or None,
        "troubles": list(gap.troubles.values()),
    }
