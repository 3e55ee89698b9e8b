"""`tocsin kill-switch`: stop all automation within a second."""

import click

from console.acting import acting
from console.context import connected
from console.decided import act
from console.output import say
from ledger.clock import now_ms
from ledger.switches import killed
from routing.entry import SwitchSet


@click.command("kill-switch")
@click.argument("STATE", type=click.Choice(["on", "off", "status"]))
@click.option("--reason", default="")
@acting
def kill_switch(state: str, reason: str, by: str) -> None:
    """Stop all automation (on), allow it again (off), or say which (status). Paging goes on."""
    context = connected()
    if state == "status":
        say("on: no runbook changes anything" if killed(context.client, context.keys) else "off")
        return
    entry = SwitchSet(at=now_ms(), by=by, name="kill", on=state == "on", reason=reason)
    act(context, entry, f"kill switch {state} by {by}")
