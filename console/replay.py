"""`tocsin replay`: an event once more, past deduplication and the age of its signature."""

import click

from console.acting import acting
from console.context import connected
from console.decided import wait
from console.output import say
from console.reviving import free_id
from ledger import log
from ledger.clock import now_ms
from ledger.views import entries
from ledger.views.life import became
from routing.entry import Signal


@click.command()
@click.argument("EVENT_ID")
@click.option(
    "--number", type=click.IntRange(1), default=None,
    help="Which replay of it this is; the same number twice is one. Default: the next one.",
)  # fmt: skip
@acting
def replay(event_id: str, number: int | None, by: str) -> None:
    """Decide an event once more, as EVENT_ID.r<n>; the event itself stays as it was."""
    context = connected()
    seen = entries.find(context.store, event_id)
    if seen is None or not isinstance(seen.entry, Signal):
        raise click.ClickException(f"no event {event_id!r}; `tocsin why` finds it by the vendor's id too")
    replay_id = f"{seen.id}.r{number}" if number else free_id(context, seen.id)
    entry = Signal(at=now_ms(), by=by, event=seen.entry.event, replay_of=seen.id)
    position = log.append_replay(
        context.client, context.keys, seen.lane, entry, replay_id, raw_id=seen.raw_id
    )
    verdict = wait(context, position).verdict
    say(f"{replay_id}: {became(verdict) if verdict else 'decided'}; see: tocsin why {replay_id}")
