"""`tocsin silence`: mute by matchers, with a reason and an end."""

import uuid
from typing import Any

import click

from console.acting import acting
from console.context import connected
from console.decided import act
from console.options import Duration, json_option
from console.output import ago, as_json, clock, heading, iso, table
from ledger.clock import now_ms
from ledger.views import silences
from routing.decision import Table
from routing.entry import SilenceSet
from routing.language import matchers
from routing.noise import silences as silencing


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


def _checked(texts: tuple[str, ...]) -> list[matchers.Matcher]:
    try:
        return [matchers.parse(text) for text in texts]
    except ValueError as error:
        raise click.UsageError(str(error)) from error


@silence.command("list")
@click.option("--ended", is_flag=True, help="Those that ended in the last five days instead.")
@json_option
def list_(ended: bool, json: bool) -> None:
    """List what is muted, and which silences end soon or are hardly needed."""
    now, store = now_ms(), connected().store
    rows = (
        [silences.Standing(each, 0, ("ended",)) for each in silences.ended(store, now)]
        if ended
        else silences.standing(store, now)
    )
    if json:
        as_json([
            {"id": each.silence.id, "matchers": each.silence.matchers, "from": iso(each.silence.from_at),
             "until": iso(each.silence.until_at), "by": each.silence.by, "reason": each.silence.reason,
             "matched_at": iso(each.matched_at) if each.matched_at else None, "remarks": list(each.remarks)}
            for each in rows
        ])  # fmt: skip
        return
    table(
        ("ID", "MATCHERS", "UNTIL", "BY", "REASON", "LAST MATCH", "REMARKS"),
        [
            (each.silence.id, " ".join(each.silence.matchers), clock(each.silence.until_at), each.silence.by,
             each.silence.reason, ago(each.matched_at, now), ", ".join(each.remarks))
            for each in rows
        ],
        empty="Nothing is silenced.",
    )  # fmt: skip


@silence.command()
@click.argument("MATCHERS", nargs=-1, required=True)
@json_option
def preview(matchers: tuple[str, ...], json: bool) -> None:
    """Say what a silence of MATCHERS would hide now, and what it would have hidden in the last day."""
    read = _checked(matchers)
    found = silences.preview(connected().store, read, now_ms())
    tell_hidden(
        {
            "now": [_hidden(each) for each in found.now],
            "last_day": [_hidden(each) for each in found.last_day],
        },
        json=json,
    )


def tell_hidden(found: dict[str, Any], *, json: bool) -> None:
    """Said alike beside the store and over a console."""
    if json:
        as_json(found)
        return
    for title, rows in (("Now", found["now"]), ("In the last day", found["last_day"])):
        heading(title)
        table(
            ("INCIDENT", "SEVERITY", "STATUS", "MATCHED ALERTS", "PAGE", "TITLE"),
            [
                (row["incident"], row["severity"], row["status"], row["matched"],
                 "held" if row["whole"] else "goes out: other alerts are not matched", row["title"])
                for row in rows
            ],
            empty="Nothing would be hidden.",
        )  # fmt: skip


def _hidden(each: silences.Hidden) -> dict[str, object]:
    return {
        "incident": each.incident.id, "title": each.incident.title, "severity": str(each.incident.severity),
        "status": each.incident.phase.value, "matched": each.matched, "firing": each.firing, "whole": each.whole,
    }  # fmt: skip


@silence.command()
@click.argument("ID")
@acting
def expire(id: str, by: str) -> None:  # noqa: A002  # the name shown in the usage
    """End a silence now; what only it held back is paged."""
    context = connected()
    known, now = context.store.records(Table.SILENCE, SilenceSet).get(id), now_ms()
    if known is None:
        raise click.ClickException(f"no silence {id!r}; see: tocsin silence list")
    if known.until_at <= now:
        raise click.ClickException(f"silence {id!r} ended at {iso(known.until_at)}")
    act(context, silencing.ended(known, now, by), f"silence {id} ended")
