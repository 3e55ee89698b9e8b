"""One's own account: the password, where one is signed in, and tokens; and for admins everybody else's."""

from collections.abc import Callable
from typing import TypeVar

import click
from anyio import from_thread, to_thread
from starlette.routing import Route

from console.doing import people as doing
from console.doing.people import Wish
from console.serving.navigation import Nav
from console.serving.view import Facts, View, act, page
from console.trust import passwords
from console.trust.acts import Act, Role, Scope
from console.trust.grants import ALL, kept
from console.trust.people import Doer, People
from ledger import accounts
from routing import duration
from routing.instant import DAY

R = TypeVar("R")

NAV = Nav("People", "/people", 95, Act.GRANT)
LIMIT = 100
TEAM = "team:"
"""Before a team's name, in the name of its field."""
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
    client, keys, me = view.site.client, view.site.keys, view.actor
    found, everything = accounts.users(client, keys), me.may(Act.ADMIN_USERS)
    return {
        "everything": everything,
        "people": [(one, kept(one), len(accounts.sessions(client, keys, one.name))) for one in found],
        "tokens": [(one, kept(one)) for one in accounts.tokens(client, keys)] if everything else [],
        "lines": [line for _, line in accounts.audited(client, keys, LIMIT)] if everything else [],
        "roles": [role.value for role in Role],
        "teams": sorted(doing.teams_of(view.context.policy)) if everything else [],
        "mine": sorted(team for team in me.grants.teams if me.may(Act.GRANT, team)),
        "contacts": sorted(view.context.policy.contacts),
    }


# ── acts ─────────────────────────────────────────────────────────────────────────────────────────────────


def _people(view: View) -> People:
    return People(view.site.client, view.site.keys, Doer(view.actor.name, view.actor.client), view.now)


def password(view: View) -> str:
    """Whoever knows the old one sets a new one; every other session ends."""
    them, me = _people(view), view.actor
    old, new = str(view.form.get("old", "")), str(view.form.get("new", ""))
    user = them.known(me.name)
    if not user.password:
        raise click.UsageError(
            "you have no password: you sign in through a provider; an admin can make you a one-time link"
        )
    if not _slowly(view, passwords.matches, old, user.password):
        raise click.UsageError("that is not your password")
    if wrong := passwords.fault(new, me.name):
        raise click.UsageError(wrong)
    them.set_password(me.name, _slowly(view, passwords.kept, new), but=me.id)
    return "/account"


def _slowly(view: View, ask: Callable[..., R], *given: str) -> R:
    """In the few threads where passwords are tried: each try takes 32 MB."""

    async def asked() -> R:
        return await to_thread.run_sync(ask, *given, limiter=view.site.slow)

    return from_thread.run(asked)


def sign_out(view: View) -> str:
    only = view.sent("session", 12)
    _people(view).end_sessions(view.actor.name, only, "" if only else view.actor.id)
    return "/account"


def make_token(view: View) -> str:
    """The secret is shown once: on the page that the link of it leads to, which works once."""
    length = duration.parse(view.sent("for") or "90d")
    scopes = sorted(
        {each for each in view.form.getlist("scope") if isinstance(each, str)} | {Scope.READ.value}
    )
    name = view.sent("name", 60)
    if not name or not 0 < length <= LONGEST_MS or not set(scopes) <= set(Scope):
        raise click.UsageError("a token has a name, scopes, and lives at most a year")
    me = view.actor
    _, secret = _people(view).make_token(name, scopes, me.grants, view.now + length, user=me.name)
    view.site.shown_once.keep(me.id, secret)
    return "/account/token"


def end_token(view: View) -> str:
    _people(view).end_token(view.sent("token", 12), user=view.actor.name)
    return "/account"


def made(view: View) -> Facts:
    return {**ask(view), "made": view.site.shown_once.take(view.actor.id)}


def add(view: View) -> str:
    name = view.sent("name", 64).lower()
    made = doing.add(view.context, _people(view), name, _wish(view), view.site.settings.origin)
    return _shown(view, name, made)


def change(view: View) -> str:
    doing.change(view.context, _people(view), view.path["name"], _wish(view), view.need)
    return "/people"


def invite(view: View) -> str:
    name = view.path["name"]
    return _shown(view, name, doing.invite(_people(view), name, view.site.settings.origin))


def _shown(view: View, name: str, made: str) -> str:
    view.site.shown_once.keep(view.actor.id, made)
    return f"/people/{name}/link"


def link(view: View) -> Facts:
    return {"name": view.path["name"], "link": view.site.shown_once.take(view.actor.id)}


def _named(do: Callable[[People, str], object]) -> Callable[[View], str]:
    """Do it to whom the address names."""

    def done(view: View) -> str:
        do(_people(view), view.path["name"])
        return "/people"

    return done


def revoke(view: View) -> str:
    _people(view).end_token(view.sent("token", 12))
    return "/people"


def _wish(view: View) -> Wish:
    """A form has a field for every team, with a role or none, and room for one that it does not know.

    Who gives roles for some teams only has no other fields.
    """
    of = {name.removeprefix(TEAM): view.sent(name, 20) for name in view.form if name.startswith(TEAM)}
    if other := view.sent("other", 100):
        of[other] = view.sent("other-role", 20)
    if "role" in view.form:
        of[ALL] = view.sent("role", 20)
    return Wish(grants=of, contact=view.sent("contact", 64) if "contact" in view.form else None)


ROUTES = [
    Route("/account", page(Act.READ, "account.html", ask)),
    Route("/account/password", act(Act.OWN_ACCOUNT, password), methods=["POST"]),
    Route("/account/sign-out", act(Act.OWN_ACCOUNT, sign_out), methods=["POST"]),
    Route("/account/token", page(Act.OWN_ACCOUNT, "account.html", made), methods=["GET"]),
    Route("/account/token", act(Act.OWN_ACCOUNT, make_token), methods=["POST"]),
    Route("/account/token/end", act(Act.OWN_ACCOUNT, end_token), methods=["POST"]),
    Route("/people", page(Act.GRANT, "people.html", people), methods=["GET"]),
    Route("/people", act(Act.ADMIN_USERS, add), methods=["POST"]),
    Route("/people/tokens/end", act(Act.ADMIN_TOKENS, revoke), methods=["POST"]),
    Route("/people/{name}/link", page(Act.ADMIN_USERS, "link.html", link), methods=["GET"]),
    Route("/people/{name}/invite", act(Act.ADMIN_USERS, invite), methods=["POST"]),
    Route("/people/{name}/role", act(Act.GRANT, change), methods=["POST"]),
    Route("/people/{name}/sign-out", act(Act.ADMIN_USERS, _named(People.end_sessions)), methods=["POST"]),
    Route("/people/{name}/disable", act(Act.ADMIN_USERS, _named(People.disable)), methods=["POST"]),
    Route("/people/{name}/enable", act(Act.ADMIN_USERS, _named(People.enable)), methods=["POST"]),
    Route("/people/{name}/remove", act(Act.ADMIN_USERS, _named(People.remove)), methods=["POST"]),
]
