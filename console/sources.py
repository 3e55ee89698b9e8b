"""`tocsin sources`: who may send and what came of it, taking one aside for a while, trying what becomes of a body."""

from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import click

from console import readings
from console.acting import acting
from console.context import Context, connected
from console.doing.entries import Who
from console.doing.runbooks import switch
from console.gaps import gaps
from console.options import json_option
from console.output import ago, as_json, facts, heading, iso, one_line, say, table
from ledger import arrivals, policies, rhythms
from ledger.arrivals import Arrivals
from ledger.catalogue import catalogue
from ledger.catalogue import source as module
from ledger.clock import now_ms
from ledger.rhythms import Silent
from ledger.settings import from_env
from routing import duration
from routing.decision import Table
from routing.entry import SwitchSet
from routing.instant import parse_iso
from routing.load import load
from routing.policy import Source


def headers_of(lines: Sequence[str]) -> dict[str, str]:
    """By their names in lower case. Raises click.UsageError."""
    pairs = [text.partition(":") for text in lines if text.strip()]
    if any(not colon for _, colon, _ in pairs):
        raise click.UsageError("write each header as NAME:VALUE, as in x-github-event:release")
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _headers(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    return headers_of(given)


@click.group()
def sources() -> None:
    """List sources, look at one, what they missed, pause and resume them, try what becomes of a body."""


sources.add_command(gaps)


@sources.command("list")
@json_option
def list_(json: bool) -> None:
    """List every source: when it last sent, how much in the last hour, since when it is quiet, what was refused."""
    found = rows(connected(), now_ms())
    if json:
        as_json(found)
        return
    tell(found, now_ms())


def rows(context: Context, now: int) -> list[dict[str, Any]]:
    """Every configured source."""
    switches = context.store.records(Table.SWITCH, SwitchSet)
    came = arrivals.of_sources(context.client, context.keys, now)
    silent = rhythms.quiet(context.client, context.keys)
    return [
        {"name": source.name, "vendor": source.vendor, "team": source.team, "service": source.service,
         "paused": f"pause:{source.name}" in switches, "origin": str(source.origin),
         **_told(source, came.get(source.name, Arrivals()), silent.get(source.name))}
        for source in context.policy.sources.values()
    ]  # fmt: skip


def tell(found: Sequence[dict[str, Any]], now: int) -> None:
    table(
        ("NAME", "VENDOR", "TEAM", "SERVICE", "PAUSED", "LAST", "HOUR", "QUIET", "REFUSED", "ORIGIN"),
        [
            (row["name"], row["vendor"], row["team"], row["service"], row["paused"],
             _ago(row["last_at"], now), row["last_hour"], _since(row, now), _refusals(row), row["origin"])
            for row in found
        ],
    )  # fmt: skip


def _told(source: Source, seen: Arrivals, silent: Silent | None) -> dict[str, Any]:
    return {
        "last_at": iso(seen.last_at) if seen.last_at else None,
        "last_hour": seen.hour,
        "quiet_when": _quiet_when(source),
        "quiet_since": iso(silent.since_at) if silent else None,
        "quiet_because": silent.why if silent else None,
        "refused": dict(seen.refused),
    }


def _quiet_when(source: Source) -> str:
    """In the words of its configuration."""
    if not source.secrets or source.quiet_ms is None:
        return "never"
    return duration.text(source.quiet_ms) if source.quiet_ms else "learned"


def _ago(written: str | None, now: int) -> str:
    return ago(parse_iso(written) if written else 0, now)


def _since(row: dict[str, Any], now: int) -> str:
    return f"since {_ago(row['quiet_since'], now)}" if row["quiet_since"] else ""


def _refusals(row: dict[str, Any]) -> str:
    return ", ".join(f"{why} {times}" for why, times in sorted(row["refused"].items()))


@sources.command()
@click.argument("SOURCE")
@json_option
def show(source: str, json: bool) -> None:
    """Show one source: what it last sent, why requests were refused, the last of them, and how it is set up."""
    found = one(connected(), source, now_ms())
    if json:
        as_json(found)
    else:
        tell_one(found, now_ms())


def one(context: Context, source: str, now: int) -> dict[str, Any]:
    """Raises click.UsageError."""
    found = context.policy.sources.get(source)
    if found is None:
        raise click.UsageError(f"no source {source!r}; there are {', '.join(context.policy.sources)}")
    seen = arrivals.of_sources(context.client, context.keys, now).get(source, Arrivals())
    examples = arrivals.examples(context.client, context.keys, source)
    setup = module(found.vendor).SETUP if found.secrets else ""
    silent = rhythms.quiet(context.client, context.keys).get(source)
    told = _told(found, seen, silent)
    return {"name": source, "vendor": found.vendor, **told, "examples": examples, "setup": setup}


def tell_one(found: dict[str, Any], now: int) -> None:
    facts(
        [
            ("vendor", found["vendor"]),
            ("last", _ago(found["last_at"], now)),
            ("last hour", found["last_hour"]),
            ("quiet", found["quiet_because"] or f"no; when: {found['quiet_when']}"),
            ("refused", _refusals(found) or "-"),
        ]
    )
    for example in found["examples"]:
        say(one_line(f"  {example.get('at')} {example.get('why')}: {example.get('error')}"), "dim")
    if found["setup"]:
        heading("Setting up")
        say(found["setup"].rstrip())


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
    switch(context, Who(by), f"pause:{source}", on=on)
    say(f"{source} {'paused' if on else 'resumed'} by {by}")


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
    tell_reading(readings.as_rows(reading), json=json)


def tell_reading(found: dict[str, Any], *, json: bool) -> None:
    """Said alike here and over a console. Raises SystemExit(1) when some of it cannot be read."""
    if json:
        as_json(found)
    else:
        _tell(found)
    if found["unread"]:
        raise SystemExit(1)


def _tell(found: dict[str, Any]) -> None:
    for each in found["events"]:
        say(one_line(f"{each['status']:<9}{each['severity']}  {each['title']}"))
        say(one_line(f"  kind {each['kind']}, key {each['key'] or '(none)'}, {each['handling']}"), "dim")
        labels = ", ".join(f"{name}={value}" for name, value in sorted(each["labels"].items()))
        say(one_line(f"  team {each['team'] or '-'}, service {each['service'] or '-'}; {labels}"), "dim")
        for reason in each["reasons"]:
            say(one_line(f"  because {reason}"), "dim")
    for each in found["commands"]:
        say(one_line(f"{each['verb']} the incident of alert {each['alert']}, by {each['by']}"))
    for each in found["unread"]:
        at = f"{each['where']}: " if each["where"] else ""
        say(one_line(f"dead letter: {at}{each['reason']}"), "red")
