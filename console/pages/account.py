"""One's own account: the password, where one is signed in, and tokens; and for admins everybody else's."""

from collections.abc import Callable
from typing import TypeVar

import click
from anyio import from_thread, to_thread
from starlette.routing import Route

from console.serving.navigation import Nav
from console.serving.view import Facts, View, act, page
from console.trust import passwords
from console.trust.acts import Act, Role, Scope
from console.trust.people import Doer, Mistaken, People
from console.trust.welcoming import link_of
from ledger import accounts
from ledger.accounts import Token
from routing import duration
from routing.instant import DAY

R = TypeVar("R")

NAV = Nav("People", "/people", 95, Act.ADMIN_USERS)
LIMIT = 100
LONGEST_MS = 366 * DAY


def ask(view: View) -> Facts:
    client, keys, me = view.site.client, view.site.keys, view.actor
    return {
        "me": accounts.user(client, keys, me.name),
        "sessions": accounts.sessions(client, keys, me.name) if me.way == "session" else [],
        "tokens": [one for one in accounts.tokens(client, keys) if one.user == me.name],
        "scopes": [scope.value for scope in Scope],
        "shortest": passwords.SHORTEST,
        "made": None,
        "own": me.may(Act.OWN_ACCOUNT),
    }


def people(view: View) -> Facts:
    client, keys = view.site.client, view.site.keys
    found = accounts.users(client, keys)
    return {
        "people": [(one, len(accounts.sessions(client, keys, one.name))) for one in found],
        "tokens": accounts.tokens(client, keys),
        "lines": [line for _, line in accounts.audited(client, keys, LIMIT)],
        "roles": [role.value for role in Role],
        "contacts": sorted(view.context.policy.contacts),
    }


# ── acts ─────────────────────────────────────────────────────────────────────────────────────────────────


def _by(view: View) -> tuple[People, Doer]:
    return People(view.site.client, view.site.keys), Doer(view.actor.name, view.actor.client)


def password(view: View) -> str:
    """Whoever knows the old one sets a new one; every other session ends."""
    them, by = _by(view)
    old, new = str(view.form.get("old", "")), str(view.form.get("new", ""))
    user = them.known(by.name)
    if not user.password:
        raise click.UsageError(
            "you have no password: you sign in through a provider; an admin can make you a one-time link"
        )
    if not _slowly(view, passwords.matches, old, user.password):
        raise click.UsageError("that is not your password")
    if wrong := passwords.fault(new, by.name):
        raise click.UsageError(wrong)
    them.set_password(by.name, _slowly(view, passwords.kept, new), by, view.now, but=view.actor.id)
    return "/account"


def _slowly(view: View, ask: Callable[..., R], *given: str) -> R:
    """In the few threads where passwords are tried: each try takes 32 MB."""

    async def asked() -> R:
        return await to_thread.run_sync(ask, *given, limiter=view.site.slow)

    return from_thread.run(asked)


def sign_out(view: View) -> str:
    them, by = _by(view)
    only = view.sent("session", 12)
    them.end_sessions(by.name, by, view.now, only, "" if only else view.actor.id)
    return "/account"


def make_token(view: View) -> str:
    """The secret is shown once: on the page that the link of it leads to, which works once."""
    them, by = _by(view)
    length = duration.parse(view.sent("for") or "90d")
    scopes = sorted(
        {each for each in view.form.getlist("scope") if isinstance(each, str)} | {Scope.READ.value}
    )
    name = view.sent("name", 60)
    if not name or not 0 < length <= LONGEST_MS or not set(scopes) <= set(Scope):
        raise click.UsageError("a token has a name, scopes, and lives at most a year")
    token = Token(
        id="", name=name, role=view.actor.role, scopes=scopes, user=by.name, teams=sorted(view.actor.teams),
        expires_at=view.now + length,
    )  # fmt: skip
    view.site.shown_once.keep(view.actor.id, them.make_token(token, by, view.now))
    return "/account/token"


def end_token(view: View) -> str:
    them, by = _by(view)
    them.end_token(view.sent("token", 12), by, view.now, user=by.name)
    return "/account"


def made(view: View) -> Facts:
    return {**ask(view), "made": view.site.shown_once.take(view.actor.id)}


def add(view: View) -> str:
    them, by = _by(view)
    name, teams = view.sent("name", 64).lower(), _teams(view)
    them.add(name, Role(view.sent("role")), teams, _contact(view), by, view.now)
    return _invited(view, name)


def change(view: View) -> str:
    them, by = _by(view)
    teams = _teams(view)
    them.change(
        view.path["name"], by, view.now, role=Role(view.sent("role")), teams=teams, contact=_contact(view)
    )
    return "/people"


def invite(view: View) -> str:
    return _invited(view, view.path["name"])


def _invited(view: View, name: str) -> str:
    them, by = _by(view)
    view.site.shown_once.keep(view.actor.id, link_of(view.site, them.invite(name, by, view.now)))
    return f"/people/{name}/link"


def link(view: View) -> Facts:
    return {"name": view.path["name"], "link": view.site.shown_once.take(view.actor.id)}


def disable(view: View) -> str:
    them, by = _by(view)
    them.disable(view.path["name"], by, view.now)
    return "/people"


def enable(view: View) -> str:
    them, by = _by(view)
    them.enable(view.path["name"], by, view.now)
    return "/people"


def remove(view: View) -> str:
    them, by = _by(view)
    them.remove(view.path["name"], by, view.now)
    return "/people"


def sign_them_out(view: View) -> str:
    them, by = _by(view)
    them.end_sessions(view.path["name"], by, view.now)
    return "/people"


def revoke(view: View) -> str:
    them, by = _by(view)
    them.end_token(view.sent("token", 12), by, view.now)
    return "/people"


def _teams(view: View) -> list[str]:
    return sorted({each.strip() for each in view.sent("teams", 400).split(",") if each.strip()})


def _contact(view: View) -> str:
    found = view.sent("contact", 64)
    if found and found not in view.context.policy.contacts:
        raise Mistaken(f"no contact {found!r}")
    return found


ROUTES = [
    Route("/account", page(Act.READ, "account.html", ask)),
    Route("/account/password", act(Act.OWN_ACCOUNT, password), methods=["POST"]),
    Route("/account/sign-out", act(Act.OWN_ACCOUNT, sign_out), methods=["POST"]),
    Route("/account/token", page(Act.OWN_ACCOUNT, "account.html", made), methods=["GET"]),
    Route("/account/token", act(Act.OWN_ACCOUNT, make_token), methods=["POST"]),
    Route("/account/token/end", act(Act.OWN_ACCOUNT, end_token), methods=["POST"]),
    Route("/people", page(Act.ADMIN_USERS, "people.html", people), methods=["GET"]),
    Route("/people", act(Act.ADMIN_USERS, add), methods=["POST"]),
    Route("/people/tokens/end", act(Act.ADMIN_TOKENS, revoke), methods=["POST"]),
    Route("/people/{name}/link", page(Act.ADMIN_USERS, "link.html", link), methods=["GET"]),
    Route("/people/{name}/invite", act(Act.ADMIN_USERS, invite), methods=["POST"]),
    Route("/people/{name}/role", act(Act.ADMIN_USERS, change), methods=["POST"]),
    Route("/people/{name}/sign-out", act(Act.ADMIN_USERS, sign_them_out), methods=["POST"]),
    Route("/people/{name}/disable", act(Act.ADMIN_USERS, disable), methods=["POST"]),
    Route("/people/{name}/enable", act(Act.ADMIN_USERS, enable), methods=["POST"]),
    Route("/people/{name}/remove", act(Act.ADMIN_USERS, remove), methods=["POST"]),
]
