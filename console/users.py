"""`tocsin users`: who may sign in to the console, and as what."""

from collections.abc import Mapping, Sequence

import click

from console.acting import acting
from console.context import Context, connected
from console.doing import people as doing
from console.doing.people import Wish
from console.granting import granting
from console.options import json_option
from console.output import as_json, clock, iso, say, table
from console.serving.settings import from_env
from console.trust.people import Doer, People
from console.trust.shown import Row, session_row, standing, user_row
from ledger import accounts
from ledger.clock import now_ms
from routing.instant import parse_iso


def _people(by: str) -> tuple[Context, People]:
    context = connected()
    return context, People(context.client, context.keys, Doer(by), now_ms())


@click.group()
def users() -> None:
    """Let people sign in to the console, change what they may do, and end it."""


@users.command("list")
@json_option
def list_(json: bool) -> None:
    """List who may sign in, their role, and how many sessions they have."""
    context = connected()
    client, keys = context.client, context.keys
    tell([user_row(client, keys, one) for one in accounts.users(client, keys)], json=json)


@users.command()
@click.argument("NAME")
@granting
@click.option("--contact", default="", help="Who they are in contacts.yaml.")
@acting
def add(
    name: str, role: str | None, teams: tuple[str, ...], grants: Mapping[str, str], contact: str, by: str
) -> None:  # fmt: skip
    """Add NAME, a responder of all teams unless you say otherwise, and print the link by which they set a password."""
    context, people = _people(by)
    wish = Wish(role, teams or None, grants, contact)
    tell_link(doing.add(context, people, name, wish, from_env().origin), name)


@users.command("set")
@click.argument("NAME")
@granting
@click.option("--contact", default=None, help="Who they are in contacts.yaml.")
@click.option(
    "--subject", default=None, help='Who they are to the OpenID Connect provider: "ISSUER SUB"; "" to none.'
)
@acting
def set_(
    name: str, role: str | None, teams: tuple[str, ...], grants: Mapping[str, str], contact: str | None,
    subject: str | None, by: str,
) -> None:  # fmt: skip
    """Change what NAME may do. It counts from their next request on."""
    context, people = _people(by)
    changed = doing.change(
        context, people, name, Wish(role, teams or None, grants, contact, subject), doing.anything
    )
    tell_standing(user_row(context.client, context.keys, changed))


@users.command()
@click.argument("NAME")
@acting
def invite(name: str, by: str) -> None:
    """Print a one-time link by which NAME sets a new password."""
    _, people = _people(by)
    tell_link(doing.invite(people, name, from_env().origin), name)


@users.command()
@click.argument("NAME")
@acting
def remove(name: str, by: str) -> None:
    """Remove NAME, with their sessions and tokens."""
    _people(by)[1].remove(name)
    tell_removed(name)


@users.command()
@click.argument("NAME")
@acting
def disable(name: str, by: str) -> None:
    """Let NAME in no more: their sessions end, no password, provider or token of theirs opens anything."""
    _people(by)[1].disable(name)
    tell_disabled(name)


@users.command()
@click.argument("NAME")
@acting
def enable(name: str, by: str) -> None:
    """Let NAME in again."""
    _people(by)[1].enable(name)
    tell_enabled(name)


@users.command()
@click.argument("NAME")
@json_option
def sessions(name: str, json: bool) -> None:
    """List where NAME is signed in."""
    context = connected()
    found = accounts.sessions(context.client, context.keys, name)
    tell_sessions(name, [session_row(one) for one in found], json=json)


@users.command("sign-out")
@click.argument("NAME")
@click.option("--session", "only", default="", help="Only this one; see: tocsin users sessions NAME")
@acting
def sign_out(name: str, only: str, by: str) -> None:
    """End the sessions of NAME at once."""
    tell_ended(name, _people(by)[1].end_sessions(name, only))


@users.command()
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@json_option
def audit(limit: int, json: bool) -> None:
    """List who signed in, and what was changed of users and tokens, newest first."""
    context = connected()
    found = accounts.audited(context.client, context.keys, limit)
    tell_audit([
        {"at": iso(line.at), "by": line.by, "what": line.what, "from": line.client} for _, line in found
    ], json=json)  # fmt: skip


# ── said alike beside the store and over a console ───────────────────────────────────────────────────────


def tell(rows: Sequence[Row], *, json: bool) -> None:
    if json:
        as_json(rows)
        return
    table(
        ("NAME", "MAY", "CONTACT", "WAY IN", "SESSIONS"),
        [
            (row["name"], standing(row), row["contact"], way_in(row), row["sessions"])
            for row in rows
        ],
        empty="Nobody may sign in; add somebody: tocsin users add NAME --role admin",
    )  # fmt: skip


def tell_sessions(name: str, rows: Sequence[Row], *, json: bool) -> None:
    if json:
        as_json(rows)
        return
    table(
        ("ID", "SINCE", "FROM", "THROUGH", "BROWSER"),
        [
            (row["id"], clock(parse_iso(row["created_at"])), row["address"], row["via"] or "password", row["agent"])
            for row in rows
        ],
        empty=f"{name} is signed in nowhere.",
    )  # fmt: skip


def tell_audit(rows: Sequence[Row], *, json: bool) -> None:
    if json:
        as_json(rows)
        return
    table(
        ("AT", "WHO", "WHAT", "FROM"),
        [(clock(parse_iso(row["at"])), row["by"], row["what"], row["from"]) for row in rows],
        empty="Nothing yet.",
    )


def tell_link(link: str, name: str) -> None:
    say(f"{name} sets a password at {link} (once, within 24 h)")


def tell_standing(row: Row) -> None:
    say(f"{row['name']} is {standing(row)}")


def tell_removed(name: str) -> None:
    say(f"{name} is gone, with their sessions and tokens")


def tell_disabled(name: str) -> None:
    say(f"{name} is disabled; back with: tocsin users enable {name}")


def tell_enabled(name: str) -> None:
    say(f"{name} may sign in again")


def tell_ended(name: str, ended: int) -> None:
    say(f"ended {ended} of {name}'s sessions")


def way_in(row: Row) -> str:
    """How they sign in, for a table."""
    if row["disabled"]:
        return "disabled"
    ways = (["password"] if row["password"] else []) + (["provider"] if row["subject"] else [])
    return ", ".join(ways) or "none yet"
