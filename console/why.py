"""`tocsin why`: the whole life of an event, an incident, a delivery, a run or a dead letter."""

import click

from console.context import connected
from console.options import json_option
from console.output import as_json, heading, say
from console.step_cells import cells
from ledger.views import why as read_why
from ledger.views.incidents import Shown


@click.command()
@click.argument("ID")
@json_option
def why(id: str, json: bool) -> None:  # noqa: A002  # the name shown in the usage
    """Tell the whole life of ID: an event, an incident, a delivery, a run, a dead letter."""
    context = connected()
    lives = read_why(context.store, id, sorted(context.policy.sources))
    if json:
        as_json([life.shown() for life in lives])
    elif not lives:
        raise click.ClickException(
            f"nothing is known of {id!r}; see: tocsin incidents list, tocsin dead list"
        )
    for life in () if json else lives:
        heading(f"{life.kind} {life.id}" + (f", {life.incident}" if life.incident else ""))
        for stage in life.stages:
            _tell(stage)
    if not lives:
        raise SystemExit(1)


def _tell(stage: Shown) -> None:
    say(f"{stage['at'] or '-':24}  {stage['stage']:10}  {stage['what']}")
    for reason in stage["reasons"]:
        place = ", ".join(part for part in (reason["rule"], reason["origin"]) if part)
        say(f"{'':38}because {reason['text']}" + (f" ({place})" if place else ""), "dim")
    for step in stage["facts"].get("steps", ()):
        given, asked, result = cells(step)
        told = ", ".join(part for part in (f"with {given}" if given else "", asked, result) if part)
        say(f"{'':38}{step['id']}: {step['action']} {step['status']} {told}", "dim")
    for name in ("provider_id", "answer", "error", "headers", "labels"):
        if stage["facts"].get(name):
            say(f"{'':38}{name}: {stage['facts'][name]}", "dim")
