"""`tocsin contacts`: how people are reached, and whether that was ever shown to be true."""

from typing import Any

import click

from console import trying
from console.acting import acting
from console.context import Context, connected
from console.decided import act
from console.options import Duration, json_option
from console.output import as_json, say, table
from console.overrides import known_contact
from console.reaching import Reach, reaches
from ledger.clock import now_ms
from routing.decision import Table
from routing.entry import Answer, Verified
from routing.trial import Trial


@click.group()
def contacts() -> None:
    """Show how people are reached, and confirm that they are."""


@contacts.command("list")
@json_option
def list_(json: bool) -> None:
    """List every method of every contact."""
    context = connected()
    found = list(reaches(context))
    if json:
        as_json([shown(each) for each in found])
        return
    table(
        ("CONTACT", "CHANNEL", "ADDRESS", "PAGES FOR", "STATE"),
        [(e.contact.name, e.method.channel, e.method.address, e.pages, e.state) for e in found],
        empty="No contact is configured.",
    )


def shown(each: Reach) -> dict[str, Any]:
    return {
        "contact": each.contact.name, "channel": each.method.channel, "address": each.method.address,
        "pages": each.pages.split(", ") if each.pages else [], "placeholder": each.method.is_placeholder,
        "verified": each.proof, "stale": bool(each.proof) and not each.fresh, "stopped": each.stopped,
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
    context = connected()
    if contact is None:
        _tell_open(context)
        return
    if sum(map(bool, (send, code, undo))) > 1:
        raise click.UsageError("--send, --code and --undo are three ways; use one of them")
    mine = _of(context, known_contact(context, contact), channel)
    if send:
        _send_codes(context, mine, wait, by)
    elif code:
        _give_back(context, mine, code, by)
    else:
        for each in mine:
            _record(context, each, undo, by)


def _of(context: Context, name: str, channel: str) -> list[Reach]:
    """Raises click.UsageError."""
    mine = [
        each
        for each in reaches(context)
        if each.contact.name == name and channel in {"", each.method.channel}
    ]
    if not mine:
        known = ", ".join(each.channel for each in context.policy.contacts[name].methods)
        raise click.UsageError(f"{name} is not reached by {channel!r}, but by {known}")
    return mine


def _send_codes(context: Context, mine: list[Reach], wait_ms: int, by: str) -> None:
    """Exit status 1 when one could not be sent, or did not come back in time where that was waited for."""
    for each in mine:
        _refuse_placeholder(each)
    sent = [trying.begin(context, each.contact.name, each.method, by, code=True) for each in mine]
    outcomes = trying.watch(context, sent, wait_ms or trying.ACCEPTED_MS, answered=bool(wait_ms))
    for outcome in outcomes:
        say(f"{outcome.contact}: {outcome.channel} {outcome.address} {outcome.said}")
    name = mine[0].contact.name
    if not wait_ms:
        say(f"they return it by themselves, or tell you: tocsin contacts verify {name} --code CODE", "dim")
    if any(not (outcome.answered if wait_ms else outcome.reached) for outcome in outcomes):
        raise SystemExit(1)


def _give_back(context: Context, mine: list[Reach], code: str, by: str) -> None:
    """The fold compares: it counts wrong guesses, whoever makes them."""
    waiting = context.store.records(Table.TRIAL, Trial).values()
    places = {(each.method.channel, each.method.address) for each in mine}
    trials = [each for each in waiting if (each.channel, each.address) in places]
    if not trials:
        name = mine[0].contact.name
        raise click.ClickException(
            f"no code is awaited of {name}; send one: tocsin contacts verify {name} --send"
        )
    for trial in trials:
        entry = Answer(at=now_ms(), by=by, channel=f"{by}'s word", text=code, delivery=trial.id)
        act(context, entry)
    proven = [
        each
        for each in reaches(context)
        if (each.method.channel, each.method.address) in places and each.fresh
    ]
    right = [each for each in proven if any(trial.id in each.proof for trial in trials)]
    for each in right:
        say(f"{each.contact.name}: {each.method.channel} {each.method.address} is {each.state}", "green")
    if not right:
        raise click.ClickException("that is not the code, or it is too late for it")


def _tell_open(context: Context) -> None:
    left = [each for each in reaches(context) if not each.counts]
    for each in left:
        what = f"{each.contact.name}: {each.method.channel} {each.method.address} is {each.state}"
        where = f"; {each.contact.origin}" if each.method.is_placeholder else ""
        say(f"{what}{where}")
    if left:
        raise SystemExit(1)
    say("every method of every contact is verified", "green")


def _record(context: Context, each: Reach, undo: bool, by: str) -> None:
    name, method = each.contact.name, each.method
    if not undo:
        _refuse_placeholder(each)
    entry = Verified(at=now_ms(), by=by, channel=method.channel, address=method.address, over=undo)
    act(context, entry, f"{name}: {method.channel} {method.address} is {'not ' if undo else ''}verified")


def _refuse_placeholder(each: Reach) -> None:
    """Raises click.ClickException."""
    name, method = each.contact.name, each.method
    if method.is_placeholder:
        raise click.ClickException(
            f"{method.channel} {method.address} of {name} is a placeholder; fill it in at {each.contact.origin}"
        )
