"""`tocsin sources`: who may send, taking one aside for a while, and trying what becomes of a body."""

from pathlib import Path
from typing import IO

import click

from console import readings
from console.acting import acting
from console.context import connected
from console.decided import act
from console.options import json_option
from console.output import as_json, one_line, say, table
from ledger import policies
from ledger.catalogue import catalogue
from ledger.clock import now_ms
from ledger.settings import from_env
from routing.decision import Table
from routing.entry import SwitchSet
from routing.load import load


def _headers(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition(":") for text in given]
    if any(not colon for _, colon, _ in pairs):
        raise click.BadParameter("write NAME:VALUE, as in x-github-event:release")
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


@click.group()
def sources() -> None:
    """List sources, pause and resume them, try what becomes of a body."""


@sources.command("list")
@json_option
def list_(json: bool) -> None:
    """List every configured source."""
    context = connected()
    switches = context.store.records(Table.SWITCH, SwitchSet)
    rows = [
        {"name": source.name, "vendor": source.vendor, "team": source.team, "service": source.service,
         "paused": f"pause:{source.name}" in switches, "origin": str(source.origin)}
        for source in context.policy.sources.values()
    ]  # fmt: skip
    if json:
        as_json(rows)
        return
    names = ("name", "vendor", "team", "service", "paused", "origin")
    table([name.upper() for name in names], [[row[name] for name in names] for row in rows])


@sources.command()
@click.argument("SOURCE")
@acting
def pause(source: str, by: str) -> None:
    """Take SOURCE's events aside: accepted and kept, but nobody is alarmed."""
    _switch(source, by, on=True)


@sources.command()
@click.argument("SOURCE")
@acting
def resume(source: str, by: str) -> None:
    """Heed SOURCE's events again."""
    _switch(source, by, on=False)


def _switch(source: str, by: str, *, on: bool) -> None:
    context = connected()
    if source not in context.policy.sources:
        raise click.UsageError(f"no source {source!r}; there are {', '.join(context.policy.sources)}")
    entry = SwitchSet(at=now_ms(), by=by, name=f"pause:{source}", on=on)
    act(context, entry, f"{source} {'paused' if on else 'resumed'} by {by}")


@sources.command()
@click.argument("SOURCE")
@click.argument("FILE", type=click.File("rb"))
@click.option(
    "--header", "headers", multiple=True, callback=_headers, metavar="NAME:VALUE", help="One it comes with."
)
@click.option("--config", type=click.Path(path_type=Path), help="Folder to read. Default: TOCSIN_CONFIG.")
@json_option
def test(source: str, file: IO[bytes], headers: dict[str, str], config: Path | None, json: bool) -> None:
    """Say what becomes of FILE, a body as SOURCE sends it (- for standard input). Nothing is sent or kept.

    Exit status 1 when some of it cannot be read: it would be a dead letter.
    """
    policy = load(policies.read_files(config or from_env().config_dir), catalogue())
    if source not in policy.sources or not policy.sources[source].secrets:
        known = sorted(name for name, one in policy.sources.items() if one.secrets)
        raise click.UsageError(f"no source {source!r}; there are {', '.join(known)}")
    reading = readings.read(policy, policy.sources[source], file.read(), headers)
    if json:
        as_json(readings.as_rows(reading))
    else:
        _tell(reading)
    if reading.unread:
        raise SystemExit(1)


def _tell(reading: readings.Reading) -> None:
    for event, classified in reading.events:
        say(one_line(f"{event.status.value:<9}{classified.severity}  {event.title}"))
        say(one_line(f"  kind {event.kind}, key {event.key or '(none)'}, {classified.handling}"), "dim")
        labels = ", ".join(f"{name}={value}" for name, value in sorted(event.labels.items()))
        say(
            one_line(f"  team {classified.team or '-'}, service {classified.service or '-'}; {labels}"), "dim"
        )
        for reason in classified.reasons:
            say(one_line(f"  because {reason}"), "dim")
    for unread in reading.unread:
        say(
            one_line(
                f"dead letter: {unread.where}: {unread.reason}"
                if unread.where
                else f"dead letter: {unread.reason}"
            ),
            "red",
        )
