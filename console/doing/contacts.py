"""Whether people are reached: a code that they return, or the word of somebody who knows."""

import click

from console.context import Context
from console.doing.entries import Done, Who, do
from console.doing.oncall import known_contact
from console.reaching import Reach, reaches
from ledger.clock import now_ms
from routing.decision import Table
from routing.entry import Answer, Verified
from routing.trial import Trial


def ways(context: Context, name: str, channel: str = "") -> list[Reach]:
    """How they are reached, over this channel or "" any. Raises click.UsageError."""
    known_contact(context, name)
    mine = [
        each
        for each in reaches(context)
        if each.contact.name == name and channel in {"", each.method.channel}
    ]
    if not mine:
        known = ", ".join(each.channel for each in context.policy.contacts[name].methods)
        raise click.UsageError(f"{name} is not reached by {channel!r}, but by {known}")
    return mine


def refuse_placeholder(each: Reach) -> None:
    """Raises click.ClickException."""
    name, method = each.contact.name, each.method
    if method.is_placeholder:
        raise click.ClickException(
            f"{method.channel} {method.address} of {name} is a placeholder; fill it in at {each.contact.origin}"
        )


def vouch(context: Context, who: Who, each: Reach, *, over: bool = False) -> Done:
    """They were reached by it; `over`: that is taken back. Raises click.ClickException, Undecided."""
    if not over:
        refuse_placeholder(each)
    method = each.method
    entry = Verified(
        at=now_ms(), by=who.name, client=who.client, channel=method.channel, address=method.address, over=over
    )
    return do(context, who, entry)


def give_back(context: Context, who: Who, mine: list[Reach], code: str) -> list[Reach]:
    """What a code they told has proven. Raises click.ClickException, Undecided.

    The fold compares: it counts wrong guesses, whoever makes them.
    """
    waiting = context.store.records(Table.TRIAL, Trial).values()
    places = {(each.method.channel, each.method.address) for each in mine}
    trials = [each for each in waiting if (each.channel, each.address) in places]
    name = mine[0].contact.name
    if not trials:
        raise click.ClickException(
            f"no code is awaited of {name}; send one: tocsin contacts verify {name} --send"
        )
    for trial in trials:
        entry = Answer(
            at=now_ms(), by=who.name, client=who.client, channel=f"{who.name}'s word", text=code, delivery=trial.id
        )  # fmt: skip
        do(context, who, entry)
    right = [
        each for each in ways(context, name)
        if (each.method.channel, each.method.address) in places
        and each.fresh and any(trial.id in each.proof for trial in trials)
    ]  # fmt: skip
    if not right:
        raise click.ClickException("that is not the code, or it is too late for it")
    return right
