"""Letting people in, and what they may: alike for the command, the API and the pages."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import click

from console.context import Context
from console.trust.acts import Act, Role
from console.trust.grants import Grants, kept, wished
from console.trust.people import People
from console.trust.welcoming import link_to
from ledger.accounts import Token, User
from routing.policy import Policy

Need = Callable[[Act, str], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody shall be. What is None, or empty, was not said.

    Either `role` and `teams`, one role for these teams or for all; or `grants`, roles by team.
    """

    role: str | None = None
    teams: Collection[str] | None = None
    grants: Mapping[str, str] = field(default_factory=dict)
    contact: str | None = None
    subject: str | None = None


def add(context: Context, people: People, name: str, wish: Wish, origin: str) -> str:
    """The one-time link by which they set a password. Raises Mistaken, click.UsageError."""
    _check(context, wish)
    people.add(name, _granted(wish), wish.contact or "")
    return invite(people, name, origin)


def invite(people: People, name: str, origin: str) -> str:
    """As `add`. `origin`: where browsers reach the console."""
    return link_to(origin, people.invite(name))


def change(context: Context, people: People, name: str, wish: Wish, need: Need) -> User:
    """`need` raises Refused where who changes it may not. Raises as `add`."""
    _check(context, wish)
    before = people.known(name)
    had = kept(before)
    grants = wished(had, wish.role, wish.teams, wish.grants) or had
    for team in grants.unlike(had):
        need(Act.GRANT, team)
    if grants.everywhere is not had.everywhere or _is_new(
        wish.contact, before.contact, wish.subject, before.subject
    ):
        need(Act.ADMIN_USERS, "")
    return people.change(name, grants=grants, contact=wish.contact, subject=wish.subject)


def anything(_: Act, __: str) -> None:
    """The need of who works beside the store."""


def _is_new(*pairs: str | None) -> bool:
    return any(said not in {None, there} for said, there in zip(pairs[::2], pairs[1::2], strict=True))


def make_token(
    context: Context, people: People, name: str, scopes: Collection[str], wish: Wish, until: int, *, user: str,
    per_minute: int,
) -> tuple[Token, str]:  # fmt: skip
    """And its secret. Raises as `add`."""
    _check(context, wish)
    return people.make_token(name, scopes, _granted(wish), until, user=user, per_minute=per_minute)


def _granted(wish: Wish) -> Grants:
    return wished(None, wish.role, wish.teams, wish.grants) or Grants(Role.RESPONDER)


def teams_of(policy: Policy) -> set[str]:
    """Whose incidents may be, as far as the configuration says; a sender's event may name another."""
    named = [each.team for part in (policy.services, policy.sources) for each in part.values()]
    return {*policy.teams, *filter(None, named), *filter(None, (rule.team for rule in policy.rules))}


def _check(context: Context, wish: Wish) -> None:
    """Raises click.UsageError."""
    if wish.contact and wish.contact not in context.policy.contacts:
        there = ", ".join(sorted(context.policy.contacts))
        raise click.UsageError(f"no contact {wish.contact!r}; there are {there}")
