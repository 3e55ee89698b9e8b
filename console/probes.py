"""`tocsin probes`: what is looked at, and what was seen last."""

import click

from console.context import Context, connected
from console.options import json_option
from console.output import ago, as_json, iso, say, span, table
from ledger import probes as ledger_probes
from ledger.clock import now_ms
from ledger.probes import Seen
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
    rows = looks(context, now)
    if json:
        as_json([shown(*row) for row in rows])
    else:
        _tell(context, rows, now)
    if any(state not in GOOD for _, _, state in rows):
        raise SystemExit(1)


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


def shown(probe: Probe, seen: Seen | None, state: str) -> dict[str, object]:
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


def _tell(context: Context, rows: list[tuple[Probe, Seen | None, str]], now: int) -> None:
    table(
        ("PROBE", "STATE", "SEEN", "EVERY", "TOOK", "USUALLY", "KIND", "WHAT"),
        [
            (probe.name, state, ago(seen.at, now) if seen and seen.at else "", span(probe.every_ms),
             f"{seen.took_ms} ms" if seen and seen.at else "", f"{seen.usual_ms} ms" if seen and seen.usual_ms else "",
             probe.kind, seen.what if seen else "")
            for probe, seen, state in rows
        ],
        empty="No probe is configured; see probes.yaml.",
    )  # fmt: skip
    if rows and not context.client.exists(context.keys.prober):
        say("nobody looks: start `tocsin prober` or `tocsin up` with TOCSIN_PROBES=on", "yellow")
