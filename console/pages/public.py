"""What is said in public: the status page as it stands, and a word about an incident."""

from itertools import islice

import click
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.doing import incidents
from console.doing import public as doing
from console.refusals import Nowhere, Undecided
from console.serving.navigation import Nav
from console.serving.site import site_of
from console.serving.view import Facts, View, act, page
from console.trust.acts import Act
from console.trust.guard import guarded
from routing.public import Health, Said

NAV = Nav("Status page", "/status-page", 55)
MOST = 50
"""Open incidents that can be chosen to speak of."""


def ask(view: View) -> Facts:
    facts: Facts = {"found": None, "components": {}, "open": [], "words": [], "healths": [], "at": ""}
    try:
        there = doing.page_of(view.context)
    except Nowhere:
        return facts
    found = list(islice(view.context.store.open_incidents(), MOST))
    base = view.context.policy.public_url.rstrip("/")
    return facts | {
        "found": doing.said(view.context, view.now),
        "components": there.components,
        "open": [(one.id, one.title[:60]) for one in found if view.actor.may(Act.PUBLISH, one.team)],
        "words": [each.value for each in Said],
        "healths": list(Health),
        "health_of": {each.value: each.words for each in Health},
        "at": there.url or (f"{base}{there.path}/" if base and there.path else ""),
        "chosen": view.query.get("of", "")[:40],
        "most": doing.MOST,
        "kept": "kept" in view.query,
    }


def publish(view: View) -> str:
    incident = incidents.known(view.context, view.sent("incident") or view.sent("other"))
    view.need(Act.PUBLISH, incident.team)
    health = view.sent("health")
    services = [each for each in view.form.getlist("component") if isinstance(each, str)]
    try:
        what = Said(view.sent("status"))
        done = doing.publish(
            view.context,
            view.who,
            incident.id,
            what,
            view.sent("text"),
            services,
            Health(health) if health else None,
        )
    except ValueError as error:
        raise click.UsageError(f"{error}; choose one of the list") from error
    except Undecided:
        return "/status-page?kept=1"
    return f"/incidents/{incident.id}?said={done.entry}"


async def drawn(request: Request) -> Response:
    """The page as customers see it, as a file: it has styles of its own."""
    site = site_of(request)
    html = await site.read(doing.drawn, site.context, site.now())
    return Response(
        html, media_type="text/html", headers={"content-disposition": "attachment; filename=status.html"}
    )


ROUTES = [
    Route("/status-page", page(Act.READ, "status_page.html", ask, "now"), methods=["GET"]),
    Route("/status-page", act(Act.PUBLISH, publish), methods=["POST"]),
    Route("/status-page/file", guarded(Act.READ, drawn)),
]
