"""`tocsin status`: one glance at Tocsin itself."""

from typing import Any

import click

from console.context import connected
from console.options import json_option
from console.output import as_json, facts
from ledger.clock import now_ms
from ledger.views import status as read_status


@click.command()
@json_option
def status(json: bool) -> None:
    """Say how Tocsin itself is doing: what waits, and what is degraded."""
    context = connected()
    found = read_status(context.store, now_ms())
    if json:
        as_json(found)
    else:
        tell(found)
    if not found["ok"]:
        raise SystemExit(1)


def tell(found: dict[str, Any]) -> None:
    waiting = ", ".join(f"{lane} {count}" for lane, count in found["lanes"].items())
    rest = [(name.replace("_", " "), value) for name, value in found.items() if name != "lanes"]
    facts([("waiting to be decided", waiting), *rest])
