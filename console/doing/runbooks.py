"""What people do with runbooks: start one, answer one that waits, take back what one has changed; stop them all."""

from collections.abc import Mapping

import click

from console.context import Context
from console.doing import incidents
from console.doing.entries import Done, Who, do
from ledger.clock import now_ms
from routing.entry import SwitchSet, Verb
from routing.policy import Runbook


def known(context: Context, runbook: str) -> Runbook:
    """Raises click.UsageError."""
    there = {each.id: each for each in context.policy.runbooks}
    if runbook not in there:
        raise click.UsageError(f"no runbook {runbook!r}; there are {', '.join(there)}")
    return there[runbook]


def start(context: Context, who: Who, runbook: str, incident: str, inputs: Mapping[str, str]) -> Done:
    """In these words where they are given. Raises Nowhere, click.UsageError, Undecided."""
    found = known(context, runbook)
    if unknown := sorted(inputs.keys() - found.inputs.keys()):
        there = ", ".join(found.inputs) or "none"
        raise click.UsageError(f"{runbook} has no input {unknown[0]!r}; there are {there}")
    return incidents.command(context, who, incident, Verb.RUN, text=runbook, inputs=dict(inputs))


def say(context: Context, who: Who, run: str, verb: Verb, reason: str = "") -> Done:
    """Approve, deny, undo or leave a run. Raises Nowhere, click.UsageError, Undecided."""
    return incidents.command(context, who, incident_of(run), verb, text=run, reason=reason)


def incident_of(run: str) -> str:
    """Raises click.UsageError."""
    incident, found, _ = run.rpartition("-r")
    if not found:
        raise click.UsageError(f"{run!r} is no run; it is like INC-12-r1, see: tocsin incidents show INC-12")
    return incident


def switch(context: Context, who: Who, name: str, *, on: bool, reason: str = "") -> Done:
    """The kill switch, the freeze, the pause of a source. Raises Undecided."""
    entry = SwitchSet(at=now_ms(), by=who.name, client=who.client, name=name, on=on, reason=reason)
    return do(context, who, entry)
