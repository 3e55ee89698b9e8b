"""`tocsin notify customers`: a mail to all customers, which leaves only once somebody else has said yes."""

import click

from console import runbooks
from console.acting import acting
from console.context import connected

RUNBOOK = "tell-customers"
MOST = {"subject": 200, "message": 5_000}


@click.group()
def notify() -> None:
    """Write to customers, once somebody has agreed to the words."""


@notify.command()
@click.argument("ID")
@click.option("--subject", default="", metavar="TEXT", help="Default: the runbook's.")
@click.option("--message", default="", metavar="TEXT", help="Default: the runbook's.")
@click.option("--runbook", default=RUNBOOK, show_default=True, help="The runbook that writes.")
@acting
def customers(id: str, subject: str, message: str, runbook: str, by: str) -> None:  # noqa: A002
    """Ask those the runbook names whether this may be sent to all customers about incident ID.

    Nothing leaves without their yes, and who gave it is recorded. You cannot approve it yourself.
    """
    inputs = {"subject": subject.strip(), "message": message.strip()}
    for name, text in inputs.items():
        if len(text) > MOST[name]:
            raise click.UsageError(f"--{name} has {len(text)} characters; write at most {MOST[name]:,}")
    runbooks.start(connected(), runbook, id, {name: text for name, text in inputs.items() if text}, by)
