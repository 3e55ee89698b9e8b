"""`tocsin users`: who may sign in to the console, and as what."""

import click

from console.acting import acting
from console.context import connected
from console.options import json_option
from console.output import as_json, clock, iso, say, table
from console.serving.settings import from_env
from console.trust.acts import Role
from console.trust.people import Doer, People
from ledger import accounts
from ledger.accounts import User
from ledger.clock import now_ms

_role = click.Choice([role.value for role in Role])


@click.group()
def users() -> None:
    """Let people sign in to the console, change what they may do, and end it."""


@users.command("list")
@json_option
def list_(json: bool) -> None:
    """List who may sign in, their role, and how many sessions they have."""
    context = connected()
    found = [
        (one, len(accounts.sessions(context.client, context.keys, one.name)))
        for one in accounts.users(context.client, context.keys)
    ]
    if json:
        as_json([
            {"name": one.name, "role": one.role, "teams": one.teams, "contact": one.contact,
             "password": bool(one.password), "subject": one.subject, "disabled": bool(one.disabled_at),
             "sessions": sessions, "created_at": iso(one.created_at),
             "created_by": one.created_by}
            for one, sessions in found
        ])  # fmt: skip
        return
    table(
        ("NAME", "ROLE", "TEAMS", "CONTACT", "WAY IN", "SESSIONS"),
        [
            (one.name, one.role, ", ".join(one.teams) or "all", one.contact, way_in(one), sessions)
            for one, sessions in found
        ],
        empty="Nobody may sign in; add somebody: tocsin users add NAME --role admin",
    )  # fmt: skip


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
    _tell_link(people.invite(name, Doer(by), now), name)


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
    say(f"{name} is {changed.role} of {', '.join(changed.teams) or 'all teams'}")


@users.command()
@click.argument("NAME")
@acting
def invite(name: str, by: str) -> None:
    """Print a one-time link by which NAME sets a new password."""
    context = connected()
    _tell_link(People(context.client, context.keys).invite(name, Doer(by), now_ms()), name)


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
    if json:
        as_json([
            {"id": one.id, "created_at": iso(one.created_at), "expires_at": iso(one.expires_at),
             "address": one.address, "agent": one.agent}
            for one in found
        ])  # fmt: skip
        return
    table(
        ("ID", "SINCE", "FROM", "BROWSER"),
        [(one.id, clock(one.created_at), one.address, one.agent) for one in found],
        empty=f"{name} is signed in nowhere.",
    )


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
    if json:
        as_json(
            [{"at": iso(line.at), "by": line.by, "what": line.what, "from": line.client} for _, line in found]
        )
        return
    table(
        ("AT", "WHO", "WHAT", "FROM"),
        [(clock(line.at), line.by, line.what, line.client) for _, line in found],
        empty="Nothing yet.",
    )


def way_in(one: User) -> str:
    """How they sign in, for a table."""
    if one.disabled_at:
        return "disabled"
    ways = (["password"] if one.password else []) + (["provider"] if one.subject else [])
    return ", ".join(ways) or "none yet"


def _known(contact: str, there: set[str]) -> None:
    """Raises click.UsageError."""
    if contact and contact not in there:
        raise click.UsageError(f"no contact {contact!r}; there are {', '.join(sorted(there))}")


def _tell_link(secret: str, name: str) -> None:
    say(f"{name} sets a password at {from_env().origin}/welcome/{secret} (once, within 24 h)")
