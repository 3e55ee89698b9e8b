"""`tocsin sources gaps`: how vendors were asked for what we missed, and having one asked now."""

from typing import Any

import click

from console.context import connected
from console.options import json_option
from console.output import ago, as_json, iso, say, table
from ledger import gaps as known
from ledger.clock import now_ms
from ledger.gaps import Gap
from routing.policy import Source


@click.command("gaps")
@click.option("--now", "wanted", metavar="SOURCE", help="Have this source's vendor asked at once.")
@json_option
def gaps(wanted: str | None, json: bool) -> None:
    """List the sources whose vendors are asked for what we missed: when last, what was found, what went wrong."""
    context, now = connected(), now_ms()
    asked = {source.name: source for source in context.policy.sources.values() if source.poll}
    if wanted is not None:
        if wanted not in asked:
            names = ", ".join(sorted(asked)) or "none has poll in config/sources.yaml"
            raise click.UsageError(f"nobody is asked about {wanted!r}; there are: {names}")
        known.want(context.client, context.keys, wanted, now)
    found = known.all_of(context.client, context.keys)
    rows = [(source, found.get(name, Gap())) for name, source in sorted(asked.items())]
    if json:
        as_json([_row(source, gap, now) for source, gap in rows])
        return
    table(
        ("NAME", "VENDOR", "ASKED", "NEXT", "FOUND", "LAST FOUND", "STATE"),
        [
            (source.name, source.vendor, ago(gap.looked_at, now), ago(gap.next_at, now), gap.found,
             ago(gap.found_at, now), _state(gap))
            for source, gap in rows
        ],
        empty="No source has poll: see docs/sources.md.",
    )  # fmt: skip
    for source, gap in rows:
        for what in gap.troubles.values():
            say(f"{source.name}: {what}")
    if wanted is not None:
        say(f"{wanted} is asked within seconds; look again")


def _state(gap: Gap) -> str:
    if gap.off:
        return f"off: {gap.off}"
    if gap.reason:
        return f"failing: {gap.reason}"
    if gap.after:
        return "reading on"
    return "well" if gap.looked_at else "not asked yet"


def _row(source: Source, gap: Gap, now: int) -> dict[str, Any]:
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
