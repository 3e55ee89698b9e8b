"""`tocsin runbook`: what would run by itself, and when; start one, approve or deny one."""

import click

from console.acting import acting
from console.context import Context, connected
from console.decided import act
from console.options import json_option
from console.output import as_json, span, table
from ledger.clock import now_ms
from routing.entry import Command, Verb


@click.group()
def runbook() -> None:
    """Look at runbooks, start one, approve or deny one."""


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


@runbook.command()
@click.argument("RUNBOOK")
@click.option("--incident", required=True, metavar="ID", help="The incident it is to repair.")
@acting
def run(runbook: str, incident: str, by: str) -> None:
    """Start RUNBOOK now, whatever it matches. Every guard rail holds, and you cannot approve it yourself."""
    context = connected()
    known = [each.id for each in context.policy.runbooks]
    if runbook not in known:
        raise click.UsageError(f"no runbook {runbook!r}; there are {', '.join(known)}")
    _say(context, incident, Verb.RUN, by, runbook)


@runbook.command()
@click.argument("RUN")
@acting
def approve(run: str, by: str) -> None:
    """Let RUN (like INC-12-r1), which waits for it, change what it said it would."""
    _say(connected(), _incident_of(run), Verb.APPROVE, by, run)


@runbook.command()
@click.argument("RUN")
@acting
def deny(run: str, by: str) -> None:
    """End RUN, which waits for approval: nothing is changed."""
    _say(connected(), _incident_of(run), Verb.DENY, by, run)


@runbook.command()
@click.argument("RUN")
@acting
def undo(run: str, by: str) -> None:
    """Take back now what RUN has changed, the last change first, where its steps say how."""
    _say(connected(), _incident_of(run), Verb.UNDO, by, run)


def _incident_of(run: str) -> str:
    incident, found, _ = run.rpartition("-r")
    if not found:
        raise click.UsageError(f"{run!r} is no run; it is like INC-12-r1, see: tocsin incidents show INC-12")
    return incident


def _say(context: Context, incident: str, verb: Verb, by: str, text: str) -> None:
    if context.store.incident(incident) is None:
        raise click.ClickException(f"no incident {incident!r}; see: tocsin incidents list --all")
    entry = Command(at=now_ms(), by=by, incident=incident, verb=verb, text=text)
    act(context, entry, incident=incident)
