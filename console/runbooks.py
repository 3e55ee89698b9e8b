"""`tocsin runbook`: what would run by itself, and when."""

import click

from console.context import connected
from console.options import json_option
from console.output import as_json, span, table


@click.group()
def runbook() -> None:
    """Look at runbooks."""


@runbook.command("list")
@json_option
def list_(json: bool) -> None:
    """List every runbook with its trigger and limits."""
    rows = [
        {"id": each.id, "title": each.title, "mode": each.mode,
         "match": ", ".join(str(matcher) for matcher in each.matchers),
         "cooldown": span(each.limits.cooldown_ms), "per_hour": each.limits.per_hour,
         "origin": str(each.origin)}
        for each in connected().policy.runbooks
    ]  # fmt: skip
    if json:
        as_json(rows)
        return
    names = ("id", "title", "mode", "match", "cooldown", "per_hour", "origin")
    table([name.upper() for name in names], [[row[name] for name in names] for row in rows])
