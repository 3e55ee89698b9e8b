"""Append an entry and wait, for a bounded time, until it is decided: then say what became of it."""

import time

import click

from console.context import Context
from console.output import say
from ledger import log
from ledger.views import entries
from routing.entry import AnyEntry, Lane

WAIT_S = 10.0


def act(context: Context, entry: AnyEntry, done: str) -> str:
    """Append to the control lane and print `done` once it is decided. Returns the entry's id."""
    entry_id = log.append(context.client, context.keys, Lane.CONTROL, entry)
    if wait(context, entry_id):
        say(done)
    else:
        say(f"kept as {entry_id}, but not decided within {WAIT_S:.0f} s; see: tocsin status", "yellow")
    return entry_id


def wait(context: Context, entry_id: str) -> bool:
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        seen = entries.find(context.store, entry_id)
        if seen is None:
            raise click.ClickException(f"{entry_id} is not in the log")
        if seen.decided:
            return True
        time.sleep(0.02)
    return False
