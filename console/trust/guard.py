"""Every route says which act it is; whoever may not do it is turned away before anything is read."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from console.serving.site import site_of
from console.trust.actor import Actor, actor_of
from console.trust.acts import Act
from ledger import accounts
from routing.errors import TocsinError
from routing.instant import MINUTE

Endpoint = Callable[[Request], Awaitable[Response]]
_ACT = "act"


class Refused(TocsinError):
    """`hint` says what to do about it."""

    status = 403

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class Unknown(Refused):
    """Nobody is known by what came with the request."""

    status = 401


class TooMany(Refused):
    """More than the allowance lets through."""

    status = 429

    def __init__(self, reason: str, retry_after_ms: int) -> None:
        super().__init__(reason, f"try again in {retry_after_ms // 1000 + 1} s")
        self.retry_after_s = retry_after_ms // 1000 + 1


def guarded(act: Act, endpoint: Endpoint) -> Endpoint:
    """The endpoint behind its act: raises Refused before it is asked."""

    async def asked(request: Request) -> Response:
        if act.role is not None:
            actor = await known(request)
            await _spend(request, actor)
            check(actor, act)
        return await endpoint(request)

    setattr(asked, _ACT, act)
    return asked


def act_of(endpoint: object) -> Act | None:
    """Which act a route's endpoint is behind; None when behind none, which no route may be."""
    found: Act | None = getattr(endpoint, _ACT, None)
    return found


def check(actor: Actor, act: Act, team: str = "") -> None:
    """Raises Refused when they may not do it; a route that learns the team only later asks again."""
    if actor.may(act, team):
        return
    assert act.role is not None  # what nobody need be known for is never refused  # noqa: S101
    if not actor.grants.highest.allows(act.role):
        raise Refused(f"{actor.name} is {actor.grants}; this takes {act.role}", "ask an admin")
    if act.scope not in actor.scopes:
        raise Refused(f"this token lacks the scope {act.scope}", "make one that has it")
    if actor.role_at(act, team).allows(act.role):
        raise Refused("a token may not do this", "sign in with a browser")
    of = f"of {team}" if team and not act.of_all else "of all teams"
    raise Refused(f"{actor.name} is {actor.grants}; this takes {act.role} {of}", "ask an admin")


async def known(request: Request) -> Actor:
    """Who asks, behind an act that takes somebody."""
    actor = await actor_of(request)
    if actor is None:
        raise Unknown("nobody is signed in", "sign in, or send a token that has not expired")
    return actor


async def _spend(request: Request, actor: Actor) -> None:
    """A token may do so much a minute."""
    if actor.way != "token":
        return
    site = site_of(request)
    tried, left = await site.read(accounts.spend, site.client, site.keys, f"token:{actor.id}", MINUTE)
    if tried > actor.per_minute:
        raise TooMany(f"this token may ask {actor.per_minute} times a minute", left)
