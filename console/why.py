"""`tocsin why`: the whole life of an event, an incident, a delivery, a run or a dead letter."""

import click

from console.context import Context, connected
from console.options import json_option
from console.output import as_json, heading, say
from console.step_cells import cells
from ledger.views import bodies, entries
from ledger.views import why as read_why
from ledger.views.incidents import Shown
from routing import redaction


@click.command()
@click.argument("ID")
@click.option("--body", is_flag=True, help="Also what an event came in, without secrets and people.")
@click.option("--raw", is_flag=True, help="The same as it was received, secrets and people included.")
@json_option
def why(id: str, body: bool, raw: bool, json: bool) -> None:  # noqa: A002  # the name shown in the usage
    """Tell the whole life of ID: an event, an incident, a delivery, a run, a dead letter."""
    context = connected()
    lives = read_why(context.store, id, sorted(context.policy.sources))
    asked = {life.id: _body(context, life.id, raw=raw) for life in lives} if body or raw else {}
    if json:
        as_json([life.shown() | ({"body": asked[life.id]} if asked else {}) for life in lives])
    elif not lives:
        raise click.ClickException(
            f"nothing is known of {id!r}; see: tocsin incidents list, tocsin dead list"
        )
    for life in () if json else lives:
        heading(f"{life.kind} {life.id}" + (f", {life.incident}" if life.incident else ""))
        for stage in life.stages:
            tell(stage)
        if asked:
            heading("Body")
            say("it is not kept any more, or there was none" if asked[life.id] is None else asked[life.id])
    if not lives:
        raise SystemExit(1)


def _body(context: Context, id_: str, *, raw: bool) -> str | None:
    """What an event came in; None when that is not kept any more, or it is no event's id."""
    seen = entries.find(context.store, id_)
    found = bodies.find(context.store, seen.raw_id) if seen else None
    if found is None:
        return None
    return found.body.decode(errors="backslashreplace") if raw else redaction.body(found.body)


def tell(stage: Shown) -> None:
    say(f"{stage['at'] or '-':24}  {stage['stage']:10}  {stage['what']}")
    for reason in stage["reasons"]:
        place = ", ".join(part for part in (reason["rule"], reason["origin"]) if part)
        say(f"{'':38}because {reason['text']}" + (f" ({place})" if place else ""), "dim")
    for step in stage["facts"].get("steps", ()):
        given, asked, result = cells(step)
        told = ", ".join(part for part in (f"with {given}" if given else "", asked, result) if part)
        say(f"{'':38}{step['id']}: {step['action']} {step['status']} {told}", "dim")
    for name in ("client", "provider_id", "answer", "error", "headers", "labels"):
        if stage["facts"].get(name):
            say(f"{'':38}{name}: {stage['facts'][name]}", "dim")
