"""`tocsin contacts`: how people are reached, and whether that was ever shown to be true."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from console import trying
from console.acting import acting
from console.context import connected
from console.doing import contacts as doing
from console.doing.entries import Who
from console.options import Duration, json_option
from console.output import as_json, say, table
from console.reaching import Reach, reaches


@click.group()
def contacts() -> None:
    """Show how people are reached, and confirm that they are."""


@contacts.command("list")
@json_option
def list_(json: bool) -> None:
    """List every method of every contact."""
    tell([shown(each) for each in reaches(connected())], json=json)


def tell(rows: Sequence[Mapping[str, Any]], *, json: bool) -> None:
    """`rows` as `shown`."""
    if json:
        as_json(rows)
        return
    table(
        ("CONTACT", "CHANNEL", "ADDRESS", "PAGES FOR", "STATE"),
        [(e["contact"], e["channel"], e["address"], ", ".join(e["pages"]), e["state"]) for e in rows],
        empty="No contact is configured.",
    )


def shown(each: Reach) -> dict[str, Any]:
    """`counts`: it is proven, lately enough, and nothing stands against it."""
    return {
        "contact": each.contact.name, "channel": each.method.channel, "address": each.method.address,
        "pages": each.pages.split(", ") if each.pages else [], "placeholder": each.method.is_placeholder,
        "verified": each.proof, "stale": bool(each.proof) and not each.fresh, "stopped": each.stopped,
        "state": each.state, "counts": each.counts, "origin": str(each.contact.origin),
    }  # fmt: skip


@contacts.command()
@click.argument("CONTACT", required=False)
@click.option("--channel", default="", help="Only this one. Default: every channel of the contact.")
@click.option(
    "--send", is_flag=True, help="Send a code there, which they return: reply, link, keys or --code."
)
@click.option("--code", default="", metavar="CODE", help="The code they told you.")
@click.option("--wait", type=Duration(), default="0s", help="With --send: so long for the code to come back.")
@click.option("--undo", is_flag=True, help="Take it back.")
@acting
def verify(contact: str | None, channel: str, send: bool, code: str, wait: int, undo: bool, by: str) -> None:
    """Name what is still to be filled in or verified, one by one; or verify how CONTACT is reached.

    --send has them return a code, --code takes the one they told you; without either it is your word that they
    were reached. Whoever answers a page has verified that method by that, for as long as verified_for of
    tocsin.yaml says. Exit status 1 while anything is left.
    """
    check(send=send, code=code, undo=undo)
    context = connected()
    if contact is None:
        tell_open([shown(each) for each in reaches(context)])
        return
    who, mine = Who(by), doing.ways(context, contact, channel)
    if send:
        for each in mine:
            doing.refuse_placeholder(each)
        sent = [trying.begin(context, who, contact, each.method, code=True) for each in mine]
        tell_sent(trying.watch(sent, trying.looking(context), **patience(wait)), contact, waited=bool(wait))
    elif code:
        for each in doing.give_back(context, who, mine, code):
            tell_proven(shown(each))
    else:
        for each in mine:
            doing.vouch(context, who, each, over=undo)
            tell_vouched(shown(each), over=undo)


def check(*, send: bool, code: str, undo: bool) -> None:
    """Raises click.UsageError."""
    if sum(map(bool, (send, code, undo))) > 1:
        raise click.UsageError("--send, --code and --undo are three ways; use one of them")


def tell_open(rows: Sequence[Mapping[str, Any]]) -> None:
    """Exit status 1 while anything is left."""
    left = [each for each in rows if not each["counts"]]
    for each in left:
        where = f"; {each['origin']}" if each["placeholder"] else ""
        say(f"{_way(each)} is {each['state']}{where}")
    if left:
        raise SystemExit(1)
    say("every method of every contact is verified", "green")


def patience(wait_ms: int) -> dict[str, Any]:
    """How `trying.watch` waits for codes: until each is taken, or, where that is asked for, until it came back."""
    return {"wait_ms": wait_ms or trying.ACCEPTED_MS, "answered": bool(wait_ms)}


def tell_sent(outcomes: Sequence[trying.Outcome], contact: str, *, waited: bool) -> None:
    """Exit status 1 when one could not be sent, or did not come back in time where that was waited for."""
    for outcome in outcomes:
        say(f"{outcome.contact}: {outcome.channel} {outcome.address} {outcome.said}")
    if not waited:
        say(f"they return it by themselves, or tell you: tocsin contacts verify {contact} --code CODE", "dim")
    if any(not (outcome.answered if waited else outcome.reached) for outcome in outcomes):
        raise SystemExit(1)


def tell_proven(each: Mapping[str, Any]) -> None:
    say(f"{_way(each)} is {each['state']}", "green")


def tell_vouched(each: Mapping[str, Any], *, over: bool) -> None:
    say(f"{_way(each)} is {'not ' if over else ''}verified")


def _way(each: Mapping[str, Any]) -> str:
    return f"{each['contact']}: {each['channel']} {each['address']}"
