"""View: what a page is made of. A page is a function from a View to the facts its template shows.

`page` and `act` make endpoints of such functions. They run in a thread: what they ask of the database may wait.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import click
from anyio import to_thread
from markupsafe import Markup, escape
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from console.context import Context
from console.doing.entries import Who
from console.output import plain
from console.serving import navigation
from console.serving.rendering import written
from console.serving.site import Site, site_of
from console.trust.actor import Actor, actor_of
from console.trust.acts import Act
from console.trust.guard import Endpoint, check, guarded, known
from ledger import dead, phases

Facts = dict[str, Any]
CONSOLE = "the console"
WAIT_S = 3.0
"""So long whoever acts waits to see what came of it; it is decided all the same."""


class NotFound(click.ClickException):
    """Nothing is there by this name."""


@dataclass(frozen=True, slots=True)
class View:
    """`path` are the parts of the address, `query` what follows it, `now` ms. `form` is what was sent, of an act."""

    site: Site
    actor: Actor
    path: Mapping[str, str]
    query: Mapping[str, str]
    now: int
    form: FormData = field(default_factory=FormData)
    agent: str = ""

    @property
    def context(self) -> Context:
        return self.site.context

    @property
    def who(self) -> Who:
        """Who acts, for the functions of `console.doing`."""
        return Who(self.actor.name, self.actor.client, CONSOLE, WAIT_S, self.actor.contact)

    def sent(self, name: str, most: int = 4_000) -> str:
        """A field of the form, trimmed; "" where it was not sent."""
        found = self.form.get(name, "")
        return found.strip()[:most] if isinstance(found, str) else ""

    def need(self, act: Act, team: str = "") -> None:
        """Raises Refused when the actor may not do it to something of this team."""
        check(self.actor, act, team)


Ask = Callable[[View], Facts]
Do = Callable[[View], str]
Topics = Callable[[View], tuple[str, ...]]


def page(act: Act, template: str, ask: Ask, *topics: str, shared: bool = False) -> Endpoint:
    """A page that shows what `ask` answers. It is told of what changes in its topics; "{id}" is of the path.

    `shared`: it depends on what its reader may do, but not on who they are. All who look at once get the same.
    """

    async def shown(request: Request) -> Response:
        view = await _view(request)
        live = tuple(topic.format(**view.path) for topic in topics)

        async def make() -> str:
            around: Facts = {"topics": live, "version": view.site.live.version}
            around |= {"who": _WHO} if shared else {}
            return await view.site.read(_written, request, view, template, ask, around)

        if not shared:
            return HTMLResponse(await make())
        html = await view.site.together.ask((template, _address(request), _authority(view.actor)), make)
        return HTMLResponse(html.replace(_WHO, escape(plain(view.actor.name))))

    return guarded(act, shown)


_WHO = Markup("<!--who-->")
"""Where a shared page names its reader. No text of anybody's can hold it: what they write is escaped."""


def _authority(actor: Actor) -> tuple[object, ...]:
    """All that `Actor.may` goes by."""
    return actor.grants, actor.scopes, actor.way


def _address(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def trial(act: Act, template: str, ask: Ask, *, files: int = 0) -> Endpoint:
    """A page that answers what a form asks, and changes nothing. `files`: so many may come with it."""

    async def tried(request: Request) -> Response:
        async with request.form(max_files=files, max_fields=50 + 3 * files) as form:
            view = await _view(request, form)
            still: Facts = {"topics": (), "version": ""}
            html = await to_thread.run_sync(
                _written, request, view, template, ask, still, limiter=view.site.trying
            )
            return HTMLResponse(html)

    return guarded(act, tried)


def act(act: Act, do: Do) -> Endpoint:
    """An act, sent as a form. `do` answers with the address that shows what came of it."""

    async def done(request: Request) -> Response:
        async with request.form(max_files=0, max_fields=500) as form:
            view = await _view(request, form)
            where = await to_thread.run_sync(do, view, limiter=view.site.acting)
            return RedirectResponse(where, 303)

    return guarded(act, done)


async def answer(request: Request, template: str, facts: Facts, status: int = 200) -> HTMLResponse:
    """A page for whoever asks, known or not."""
    actor = await actor_of(request)
    around = {
        "actor": actor, "who": actor.name if actor else "", "topics": (), "version": "", "url": request.url.path,
        **_bare(request, actor),
    }  # fmt: skip
    html = await run_in_threadpool(written, template, {**around, **facts})
    return HTMLResponse(html, status)


async def _view(request: Request, form: FormData | None = None) -> View:
    site = site_of(request)
    agent = request.headers.get("user-agent", "")
    return View(
        site, await known(request), request.path_params, dict(request.query_params), site.now(),
        form or FormData(), agent,
    )  # fmt: skip


def _written(request: Request, view: View, template: str, ask: Ask, live: Facts) -> str:
    facts = ask(view)
    around = {
        "actor": view.actor, "who": view.actor.name, "may": view.actor.may, "Act": Act, "now": view.now,
        "url": _address(request),
    }  # fmt: skip
    return written(template, {**around, **live, **_around(request, view), **facts})


def _around(request: Request, view: View) -> Facts:
    """What stands around every page: where one can go, and how many wait there."""
    client, keys = view.site.client, view.site.keys
    waiting = {"Dead letters": dead.waiting(client, keys), "Now": sum(phases.counts(client, keys).values())}
    return {"nav": navigation.entries(request.url.path, waiting, view.actor)}


def _bare(request: Request, actor: Actor | None) -> Facts:
    return {"nav": navigation.entries(request.url.path, {}, actor), "now": site_of(request).now()}
