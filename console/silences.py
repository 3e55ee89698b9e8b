"""`tocsin silence`: mute by matchers, with a reason and an end."""

import uuid

import click

from console.acting import acting
from console.context import connected
from console.decided import act
from console.options import Duration, json_option
from console.output import as_json, clock, iso, table
from ledger.clock import now_ms
from routing.decision import Table
from routing.entry import SilenceSet
from routing.language import matchers


@click.group()
def silence() -> None:
    """Mute alerts by matchers for a time."""


@silence.command()
@click.argument("MATCHERS", nargs=-1, required=True)
@click.option("--for", "length", type=Duration(), required=True, help="How long, like 2h.")
@click.option("--reason", required=True)
@acting
def add(matchers: tuple[str, ...], length: int, reason: str, by: str) -> None:
    """Mute what all MATCHERS match, like 'service="site"'. Resolves and acks always pass."""
    _checked(matchers)
    now = now_ms()
    entry = SilenceSet(
        at=now, by=by, id=f"s-{uuid.uuid4().hex[:8]}", matchers=list(matchers), from_at=now,
        until_at=now + length, reason=reason,
    )  # fmt: skip
    act(connected(), entry, f"silenced until {clock(entry.until_at)} as {entry.id}")


def _checked(texts: tuple[str, ...]) -> None:
    for text in texts:
        try:
            matchers.parse(text)
        except ValueError as error:
            raise click.UsageError(str(error)) from error


@silence.command("list")
@json_option
def list_(json: bool) -> None:
    """List what is muted."""
    found = connected().store.records(Table.SILENCE, SilenceSet)
    rows = sorted(found.values(), key=lambda each: each.until_at)
    if json:
        as_json([
            {"id": each.id, "matchers": each.matchers, "from": iso(each.from_at), "until": iso(each.until_at),
             "by": each.by, "reason": each.reason}
            for each in rows
        ])  # fmt: skip
        return
    table(
        ("ID", "MATCHERS", "UNTIL", "BY", "REASON"),
        [(each.id, " ".join(each.matchers), clock(each.until_at), each.by, each.reason) for each in rows],
        empty="Nothing is silenced.",
    )


@silence.command()
@click.argument("ID")
@acting
def expire(id: str, by: str) -> None:  # noqa: A002  # the name shown in the usage
    """End a silence now; what only it held back is paged."""
    context = connected()
    known = context.store.records(Table.SILENCE, SilenceSet).get(id)
    if known is None:
        raise click.ClickException(f"no silence {id!r}; see: tocsin silence list")
    now = now_ms()
    entry = SilenceSet(at=now, by=by, id=id, matchers=known.matchers, until_at=now, reason=known.reason)
    act(context, entry, f"silence {id} ended")
