"""`tocsin probes`: what is looked at, and what was seen last."""

from collections.abc import Sequence
from typing import Any

import click

from console.context import Context, connected
from console.options import json_option
from console.output import ago, as_json, iso, say, span, table
from ledger import probes as ledger_probes
from ledger.clock import now_ms
from ledger.probes import Seen
from routing.instant import parse_iso
from routing.policy import Probe

GOOD = {"well", "not set up"}


@click.group()
def probes() -> None:
    """See what is looked at again and again."""


@probes.command("list")
@json_option
def list_(json: bool) -> None:
    """List every probe with its last look. Exit status 1 when one fires, sees nothing, or is not looked at.

    One whose credentials nobody has set is not set up, which is no fault.
    """
    context, now = connected(), now_ms()
    tell([shown(*row) for row in looks(context, now)], looked(context), now, json=json)


def looked(context: Context) -> bool:
    """Whether somebody looks at all."""
    return bool(context.client.exists(context.keys.prober))


def looks(context: Context, now: int) -> list[tuple[Probe, Seen | None, str]]:
    """Every probe with its last look, and what that says."""
    seen = ledger_probes.shown(context.client, context.keys)
    return [(each, seen.get(each.name), _state(seen.get(each.name), now)) for each in context.policy.probes]


def _state(seen: Seen | None, now: int) -> str:
    if seen is None or now > seen.due_by:
        return "not looked at"
    if seen.firing:
        return "fires"
    if seen.unset:
        return "not set up"
    return "sees nothing" if seen.look == "blind" else "well" if seen.firing is False else "looking"


def shown(probe: Probe, seen: Seen | None, state: str) -> dict[str, Any]:
    return {
        "name": probe.name,
        "action": probe.action,
        "every": span(probe.every_ms),
        "fails": f"{probe.fails} of {probe.of}",
        "kind": probe.kind,
        "origin": str(probe.origin),
        "state": state,
        "at": iso(seen.at) if seen and seen.at else None,
        "look": seen.look or None if seen else None,
        "what": seen.what if seen else "",
        "took_ms": seen.took_ms if seen and seen.at else None,
        "usual_ms": seen.usual_ms or None if seen else None,
        "since": iso(seen.since_at) if seen and seen.since_at else None,
    }


def tell(rows: Sequence[dict[str, Any]], looked: bool, now: int, *, json: bool) -> None:
    """Said alike beside the store and over a console. Raises SystemExit(1) when one is not as it should be."""
    if json:
        as_json(rows)
    else:
        _tell(rows, looked, now)
    if any(row["state"] not in GOOD for row in rows):
        raise SystemExit(1)


def _tell(rows: Sequence[dict[str, Any]], looked: bool, now: int) -> None:
    table(
        ("PROBE", "STATE", "SEEN", "EVERY", "TOOK", "USUALLY", "KIND", "WHAT"),
        [
            (row["name"], row["state"], ago(parse_iso(row["at"]), now) if row["at"] else "", row["every"],
             f"{row['took_ms']} ms" if row["at"] else "", f"{row['usual_ms']} ms" if row["usual_ms"] else "",
             row["kind"], row["what"])
            for row in rows
        ],
        empty="No probe is configured; see probes.yaml.",
    )  # fmt: skip
    if rows and not looked:
        say("nobody looks: start `tocsin prober` or `tocsin up` with TOCSIN_PROBES=on", "yellow")
