"""`tocsin outbox`: what would have been sent, had the credentials been there."""

import re
from collections.abc import Sequence
from typing import Any

import click

from console.acting import acting
from console.context import Context, connected
from console.decided import act
from console.options import json_option, paging
from console.output import as_json, clock, facts, heading, iso, say, table
from ledger import sandbox
from ledger.clock import now_ms
from routing.delivery import Delivery
from routing.entry import Answer

_LINK = re.compile(r"(/a/)[A-Za-z0-9._~-]+")


@click.group(invoke_without_command=True)
@paging(20)
@json_option
@click.pass_context
def outbox(ctx: click.Context, limit: int, after: str, json: bool) -> None:
    """List what would have been sent, newest first (SANDBOX: channels without credentials)."""
    if ctx.invoked_subcommand:
        return
    context = connected()
    found = sandbox.listing(context.client, context.keys, limit, after)
    if json:
        after = found[-1].id if len(found) == limit else ""
        as_json({"outbox": [shown(each) for each in found], "after": after})
        return
    table(
        ("AT", "DELIVERY", "WHO", "CHANNEL", "TO", "KIND", ""),
        [
            (clock(each.at), each.delivery, each.contact, each.channel, each.to, each.purpose, "SANDBOX")
            for each in found
        ],
        empty="Nothing was sent to the sandbox.",
    )
    if len(found) == limit:
        say(f"more: tocsin outbox --after {found[-1].id}", "dim")


@outbox.command()
@click.argument("DELIVERY")
@json_option
def show(delivery: str, json: bool) -> None:
    """Show exactly what DELIVERY would have sent, TwiML included."""
    context = connected()
    found = [
        each for each in sandbox.listing(context.client, context.keys, 1000) if each.delivery == delivery
    ]
    if not found:
        raise click.ClickException(f"{delivery} is not in the outbox; see: tocsin outbox")
    tell([shown(each) for each in found], json=json)


def tell(rows: Sequence[dict[str, Any]], *, json: bool) -> None:
    """The attempts of one delivery; said alike beside the store and over a console."""
    if json:
        as_json(rows)
        return
    for row in rows:
        heading(f"SANDBOX {row['delivery']} attempt {row['attempt']} to {row['contact']} by {row['channel']}")
        facts(row["fields"].items())
        say(f"not sent: {', '.join(row['missing'])} not set", "magenta")


@outbox.command()
@click.argument("DELIVERY")
@click.argument("TEXT")
@acting
def answer(delivery: str, text: str, by: str) -> None:
    """Answer DELIVERY as its person would: press 4, 5 or 6, or write ack, resolve, escalate."""
    context = connected()
    entry = Answer(at=now_ms(), by=by, channel="the sandbox", text=text, delivery=delivery)
    incident = delivery.rpartition("-")[0]
    if not any(each.id == delivery for each in _deliveries(context, incident)):
        raise click.ClickException(f"no delivery {delivery!r}; see: tocsin outbox")
    act(context, entry, incident=incident)


def _deliveries(context: Context, incident: str) -> tuple[Delivery, ...]:
    whole = context.store.whole(incident)
    return whole.deliveries if whole else ()


def masked(text: str) -> str:
    """Without what a link would let do."""
    return _LINK.sub(r"\1…", text)


def shown(each: sandbox.Unsent, *, links: bool = True) -> dict[str, Any]:
    """`links` false: without those that acknowledge, for whoever may not."""
    fields = each.fields if links else {name: masked(text) for name, text in each.fields.items()}
    return {
        "id": each.id, "at": iso(each.at), "delivery": each.delivery, "attempt": each.attempt,
        "incident": each.incident, "contact": each.contact, "channel": each.channel, "vendor": each.vendor,
        "to": each.to, "kind": each.purpose.value, "severity": str(each.severity), "fields": fields,
        "missing": each.missing, "repeat": each.repeat, "sandbox": True,
    }  # fmt: skip
