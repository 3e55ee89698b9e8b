"""`tocsin users`: who may sign in to the console, and as what."""

from collections.abc import Sequence

import click

from console.acting import acting
from console.context import connected
from console.options import json_option
from console.output import as_json, clock, iso, say, table
from console.serving.settings import from_env
from console.trust.acts import Role
from console.trust.people import Doer, People
from console.trust.shown import Row, session_row, user_row
from console.trust.welcoming import link_to
from ledger import accounts
from ledger.clock import now_ms
from routing.instant import parse_iso

_role = click.Choice([role.value for role in Role])


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
@click.option("--role", type=_role, default=Role.RESPONDER.value, show_default=True)
@click.option("--team", "teams", multiple=True, help="Only of this team; several may be given. Default: all.")
@click.option("--contact", default="", help="Who they are in contacts.yaml.")
@acting
def add(name: str, role: str, teams: tuple[str, ...], contact: str, by: str) -> None:
    """Add NAME, and print the one-time link by which they set a password."""
    context = connected()
    _known(contact, set(context.policy.contacts))
    people, now = People(context.client, context.keys), now_ms()
    people.add(name, Role(role), teams, contact, Doer(by), now)
    tell_link(link_to(from_env().origin, people.invite(name, Doer(by), now)), name)


@users.command("set")
@click.argument("NAME")
@click.option("--role", type=_role, default=None)
@click.option("--team", "teams", multiple=True, help='Only of these teams; "all" for all of them.')
@click.option("--contact", default=None, help="Who they are in contacts.yaml.")
@click.option(
    "--subject", default=None, help='Who they are to the OpenID Connect provider: "ISSUER SUB"; "" to none.'
)
@acting
def set_(
    name: str, role: str | None, teams: tuple[str, ...], contact: str | None, subject: str | None, by: str
) -> None:  # fmt: skip
    """Change what NAME may do. It counts from their next request on."""
    context = connected()
    _known(contact or "", set(context.policy.contacts))
    given = [team for team in teams if team != "all"] if teams else None
    changed = People(context.client, context.keys).change(
        name,
        Doer(by),
        now_ms(),
        role=Role(role) if role else None,
        teams=given,
        contact=contact,
        subject=subject,
    )
    tell_standing(name, changed.role, changed.teams)


@users.command()
@click.argument("NAME")
@acting
def invite(name: str, by: str) -> None:
    """Print a one-time link by which NAME sets a new password."""
    context = connected()
    secret = People(context.client, context.keys).invite(name, Doer(by), now_ms())
    tell_link(link_to(from_env().origin, secret), name)


@users.command()
@click.argument("NAME")
@acting
def remove(name: str, by: str) -> None:
    """Remove NAME, with their sessions and tokens."""
    context = connected()
    People(context.client, context.keys).remove(name, Doer(by), now_ms())
    say(f"{name} is gone, with their sessions and tokens")


@users.command()
@click.argument("NAME")
@acting
def disable(name: str, by: str) -> None:
    """Let NAME in no more: their sessions end, no password, provider or token of theirs opens anything."""
    context = connected()
    People(context.client, context.keys).disable(name, Doer(by), now_ms())
    say(f"{name} is disabled; back with: tocsin users enable {name}")


@users.command()
@click.argument("NAME")
@acting
def enable(name: str, by: str) -> None:
    """Let NAME in again."""
    context = connected()
    People(context.client, context.keys).enable(name, Doer(by), now_ms())
    say(f"{name} may sign in again")


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
    context = connected()
    ended = People(context.client, context.keys).end_sessions(name, Doer(by), now_ms(), only)
    say(f"ended {ended} of {name}'s sessions")


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
        ("NAME", "ROLE", "TEAMS", "CONTACT", "WAY IN", "SESSIONS"),
        [
            (row["name"], row["role"], ", ".join(row["teams"]) or "all", row["contact"], way_in(row), row["sessions"])
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


def tell_standing(name: str, role: str, teams: Sequence[str]) -> None:
    say(f"{name} is {role} of {', '.join(teams) or 'all teams'}")


def way_in(row: Row) -> str:
    """How they sign in, for a table."""
    if row["disabled"]:
        return "disabled"
    ways = (["password"] if row["password"] else []) + (["provider"] if row["subject"] else [])
    return ", ".join(ways) or "none yet"


def _known(contact: str, there: set[str]) -> None:
    """Raises click.UsageError."""
    if contact and contact not in there:
        raise click.UsageError(f"no contact {contact!r}; there are {', '.join(sorted(there))}")
