"""`tocsin sources`: who may send, and taking one aside for a while."""

import click

from console.acting import acting
from console.context import connected
from console.decided import act
from console.options import json_option
from console.output import as_json, table
from ledger.clock import now_ms
from routing.decision import Table
from routing.entry import SwitchSet


@click.group()
def sources() -> None:
    """List sources, pause and resume them."""


@sources.command("list")
@json_option
def list_(json: bool) -> None:
    """List every configured source."""
    context = connected()
    switches = context.store.records(Table.SWITCH, SwitchSet)
    rows = [
        {"name": source.name, "vendor": source.vendor, "team": source.team, "service": source.service,
         "paused": f"pause:{source.name}" in switches, "origin": str(source.origin)}
        for source in context.policy.sources.values()
    ]  # fmt: skip
    if json:
        as_json(rows)
        return
    names = ("name", "vendor", "team", "service", "paused", "origin")
    table([name.upper() for name in names], [[row[name] for name in names] for row in rows])


@sources.command()
@click.argument("SOURCE")
@acting
def pause(source: str, by: str) -> None:
    """Take SOURCE's events aside: accepted and kept, but nobody is alarmed."""
    _switch(source, by, on=True)


@sources.command()
@click.argument("SOURCE")
@acting
def resume(source: str, by: str) -> None:
    """Heed SOURCE's events again."""
    _switch(source, by, on=False)


def _switch(source: str, by: str, *, on: bool) -> None:
    context = connected()
    if source not in context.policy.sources:
        raise click.UsageError(f"no source {source!r}; there are {', '.join(context.policy.sources)}")
    entry = SwitchSet(at=now_ms(), by=by, name=f"pause:{source}", on=on)
    act(context, entry, f"{source} {'paused' if on else 'resumed'} by {by}")
