"""`tocsin contacts`: how people are reached, and whether that was ever shown to be true."""

from collections.abc import Iterator
from dataclasses import dataclass

import click

from console.acting import acting
from console.context import Context, connected
from console.decided import act
from console.options import json_option
from console.output import as_json, say, table
from console.overrides import known_contact
from ledger.clock import now_ms
from routing.decision import Table
from routing.entry import Verified
from routing.policy import Contact, Method
from routing.response.proofs import IsProven, proof_key, stop_key, unreachable_for
from routing.severity import Severity
from routing.state import Fact


@click.group()
def contacts() -> None:
    """Show how people are reached, and confirm that they are."""


@dataclass(frozen=True, slots=True)
class _Reach:
    contact: Contact
    method: Method
    proof: str
    stopped: str = ""
    """Why nothing is sent there: they wrote STOP."""

    @property
    def state(self) -> str:
        if self.method.is_placeholder:
            return "to be filled in"
        if self.stopped:
            return f"stopped: {self.stopped}; they must write START"
        return f"verified {self.proof}" if self.proof else "not verified"

    @property
    def pages(self) -> str:
        levels = [str(level) for level in Severity if self.method in self.contact.by_severity.get(level, ())]
        return ", ".join(levels)


@contacts.command("list")
@json_option
def list_(json: bool) -> None:
    """List every method of every contact."""
    context = connected()
    found = list(_reaches(context))
    if json:
        as_json([
            {"contact": each.contact.name, "channel": each.method.channel, "address": each.method.address,
             "pages": each.pages.split(", ") if each.pages else [], "placeholder": each.method.is_placeholder,
             "verified": each.proof, "stopped": each.stopped}
            for each in found
        ])  # fmt: skip
        return
    table(
        ("CONTACT", "CHANNEL", "ADDRESS", "PAGES FOR", "STATE"),
        [(e.contact.name, e.method.channel, e.method.address, e.pages, e.state) for e in found],
        empty="No contact is configured.",
    )


@contacts.command()
@click.argument("CONTACT", required=False)
@click.option("--channel", default="", help="Only this one. Default: every channel of the contact.")
@click.option("--undo", is_flag=True, help="Take it back.")
@acting
def verify(contact: str | None, channel: str, undo: bool, by: str) -> None:
    """Name what is still to be filled in or verified, one by one; or say that CONTACT was reached.

    Whoever answers a page has verified that method by that. Exit status 1 while anything is left.
    """
    context = connected()
    if contact is None:
        _tell_open(context)
        return
    name = known_contact(context, contact)
    mine = [
        each
        for each in _reaches(context)
        if each.contact.name == name and channel in {"", each.method.channel}
    ]
    if not mine:
        known = ", ".join(each.channel for each in context.policy.contacts[name].methods)
        raise click.UsageError(f"{name} is not reached by {channel!r}, but by {known}")
    for each in mine:
        _record(context, each, undo, by)


def _tell_open(context: Context) -> None:
    left = [
        each for each in _reaches(context) if each.method.is_placeholder or not each.proof or each.stopped
    ]
    for each in left:
        what = f"{each.contact.name}: {each.method.channel} {each.method.address} is {each.state}"
        where = f"; {each.contact.origin}" if each.method.is_placeholder else ""
        say(f"{what}{where}")
    if left:
        raise SystemExit(1)
    say("every method of every contact is verified", "green")


def _record(context: Context, each: _Reach, undo: bool, by: str) -> None:
    name, method = each.contact.name, each.method
    if method.is_placeholder and not undo:
        raise click.ClickException(
            f"{method.channel} {method.address} of {name} is a placeholder; fill it in at {each.contact.origin}"
        )
    entry = Verified(at=now_ms(), by=by, channel=method.channel, address=method.address, over=undo)
    act(context, entry, f"{name}: {method.channel} {method.address} is {'not ' if undo else ''}verified")


def _reaches(context: Context) -> Iterator[_Reach]:
    facts = context.store.records(Table.FACT, Fact)
    for contact in context.policy.contacts.values():
        for method in contact.methods:
            place = (method.channel, method.address)
            found = [facts.get(key(*place)) for key in (proof_key, stop_key)]
            yield _Reach(contact, method, *(fact.value if fact else "" for fact in found))


def proven(context: Context) -> IsProven:
    """What is known now of how people are reached."""
    return context.store.records(Table.FACT, Fact).__contains__


def unverified(context: Context, names: set[str]) -> dict[str, tuple[Severity, ...]]:
    """Of these contacts, those who have no verified method for some severities, and for which."""
    known_facts = proven(context)
    known = [context.policy.contacts[name] for name in sorted(names) if name in context.policy.contacts]
    found = {each.name: unreachable_for(each, known_facts) for each in known}
    return {name: levels for name, levels in found.items() if levels}
