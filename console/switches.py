"""`tocsin kill-switch` and `tocsin freeze`: stop all automation within a second, or for a time."""

import click

from console.acting import acting
from console.context import connected
from console.doing.entries import Who
from console.doing.runbooks import switch
from console.output import say
from ledger.switches import killed
from routing.automation.stops import FREEZE
from routing.decision import Table
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
    switch(context, Who(by), "kill", on=state == "on", reason=reason)
    say(f"kill switch {state} by {by}")


@click.command()
@click.argument("STATE", type=click.Choice(["on", "off", "status"]))
@click.option("--reason", default="", help="Why; told wherever a runbook is not run.")
@acting
def freeze(state: str, reason: str, by: str) -> None:
    """Let no runbook change anything by itself (on), or again (off). What runs already goes on; so does paging.

    A person can still start one: tocsin runbook run.
    """
    context = connected()
    if state == "status":
        found = context.store.records(Table.SWITCH, SwitchSet).get(FREEZE)
        why = f": {found.reason}" if found and found.reason else ""
        hours = context.policy.freeze
        always = f"; and always in {hours.name} hours" if hours else ""
        say((f"on, by {found.by or 'somebody'}{why}" if found else "off") + always)
        return
    switch(context, Who(by), FREEZE, on=state == "on", reason=reason)
    say(f"change freeze {state} by {by}")
