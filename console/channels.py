"""`tocsin channels`: the ways out, what each would send, and whether it really arrives."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from console import trying
from console.acting import acting
from console.context import connected
from console.doing import contacts as doing
from console.doing.entries import Who
from console.options import Duration, json_option
from console.output import as_json, facts, heading, one_line, say, table
from console.previewing import Wanted, previews
from ledger import catalogue, credentials
from ledger.settings import environment
from routing.policy import Channel, Policy
from routing.severity import Severity
from routing.templates import choosing


@click.group()
def channels() -> None:
    """Show the ways out, what they would send, and try them."""


@channels.command("list")
@json_option
def list_(json: bool) -> None:
    """List every channel with its vendor, what it lacks to be real, and who is reached by it."""
    policy = connected().policy
    tell([row(policy, each) for each in policy.channels.values()], json=json)


def tell(rows: Sequence[Mapping[str, Any]], *, json: bool) -> None:
    """`rows` as `row`."""
    if json:
        as_json(rows)
        return
    table(
        ("CHANNEL", "VENDOR", "IS", "CONTACTS", "STATE"),
        [
            (each["channel"], each["vendor"], each["title"], len(each["contacts"]), _state(each["missing"]))
            for each in rows
        ],
        empty="No channel is configured.",
    )


def row(policy: Policy, channel: Channel) -> dict[str, Any]:
    reached = [
        name
        for name, contact in policy.contacts.items()
        if any(method.channel == channel.name for method in contact.methods)
    ]
    try:
        title = catalogue.channel(channel.vendor).TITLE
    except KeyError:
        title = "no such vendor"
    return {
        "channel": channel.name,
        "vendor": channel.vendor,
        "title": title,
        "rings": channel.voice,
        "attempts": channel.attempts,
        "timeout_ms": channel.timeout_ms,
        "contacts": reached,
        "missing": list(credentials.resolve(channel.settings, environment()).missing),
        "origin": str(channel.origin),
    }


def _state(missing: object) -> str:
    """As far as this environment tells; the workers' own may hold more."""
    return (
        f"SANDBOX here: {', '.join(missing)} not set" if isinstance(missing, list) and missing else "set up"
    )


@channels.command()
@click.argument("CHANNEL", required=False)
@click.option("--kind", type=click.Choice(choosing.KINDS), default="page", show_default=True)
@click.option(
    "--severity",
    type=click.Choice([str(each) for each in Severity]),
    default=None,
    help="Default: the incident's, or SEV-1.",
)
@click.option("--incident", default="", metavar="ID", help="Of this one. Default: one that is made up.")
@click.option("--contact", default="", metavar="NAME", help="To them. Default: whoever is reached by it.")
@json_option
def preview(
    channel: str | None, kind: str, severity: str | None, incident: str, contact: str, json: bool
) -> None:
    """Show what CHANNEL, or every one, would send: worded by its templates and cut to its vendor's limits.

    Nothing is sent. Exit status 1 when a template fails.
    """
    context = connected()
    level = Severity(int(severity[-1])) if severity else None
    found = previews(context, Wanted(channel or "", kind, level, incident, contact))
    tell_previews([each.as_json() for each in found], json=json)


def tell_previews(found: Sequence[Mapping[str, Any]], *, json: bool) -> None:
    """`found` as `Preview.as_json`; exit status 1 when a template fails."""
    if json:
        as_json(found)
    else:
        for each in found:
            _show(each)
    if any(each["failures"] for each in found):
        raise SystemExit(1)


def _show(each: Mapping[str, Any]) -> None:
    heading(f"{each['channel']} ({each['vendor']}) to {each['to']}: {each['kind']}, {each['severity']}")
    if each["refused"]:
        say(f"sends none: {each['refused']}", "dim")
    facts((f"{name} ({len(value)})", value) for name, value in each["fields"].items())
    if each["templates"]:
        say(f"words: {', '.join(f'{part} by {name}' for part, name in each['templates'].items())}", "dim")
    for failure in each["failures"]:
        say(f"template failed, plain words instead: {one_line(failure)}", "red")
    for pace in each["paces"]:
        say(f"pace: {pace['per_s']:g} a second of all that are {pace['key']}", "dim")
    if each["missing"]:
        say(f"not real here: {', '.join(each['missing'])} not set", "magenta")


@channels.command()
@click.argument("CHANNEL", required=False)
@click.option("--to", "contact", required=True, metavar="CONTACT", help="Whose addresses are tried.")
@click.option(
    "--wait", type=Duration(), default="30s", show_default=True, help="So long for it to be delivered."
)
@acting
@json_option
def test(channel: str | None, contact: str, wait: int, by: str, json: bool) -> None:
    """Send a real test to CONTACT over CHANNEL, or over each of theirs, and say how long it took.

    It says that it is a test, and asks for nothing. Exit status 1 when a provider did not take one in time, or
    it stayed in the sandbox.
    """
    context, who = connected(), Who(by)
    ways = doing.ways(context, contact, channel or "")
    sent = [trying.begin(context, who, contact, each.method, code=False) for each in ways]
    tell_tests(trying.watch(sent, trying.looking(context), wait, delivered=True), json=json)


def tell_tests(found: Sequence[trying.Outcome], *, json: bool) -> None:
    """Exit status 1 when one has not reached its provider."""
    if json:
        as_json([each.as_json() for each in found])
    else:
        table(
            ("CHANNEL", "ADDRESS", "ACCEPTED", "DELIVERED", "ANSWERED", "STATE"),
            [
                (each.channel, each.address, *map(_seconds, (each.accepted_ms, each.delivered_ms, each.answered_ms)),
                 "SANDBOX" if each.sandbox else each.error or each.progress)
                for each in found
            ],
        )  # fmt: skip
    if not all(each.reached for each in found):
        raise SystemExit(1)


def _seconds(ms: int | None) -> str:
    return "" if ms is None else f"{ms / 1000:.1f} s"
