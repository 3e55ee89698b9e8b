"""What changed, told as it happens: a page that hears of it looks again."""

import asyncio
from collections.abc import AsyncIterator

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.serving.site import Site, site_of
from console.trust.actor import actor_of
from console.trust.acts import Act
from console.trust.guard import guarded

MOST_TOPICS = 20
PAUSE_S = {"now": 2.0}
"""How often a topic is told of at most, in a storm; one incident once a second."""
CHECKED_S = 60.0
"""A session that was revoked meanwhile hears nothing more after this long."""


async def live(request: Request) -> Response:
    """Events "changed" with the version reached. `topic` says of what, `since` what was seen."""
    site = site_of(request)
    topics = request.query_params.getlist("topic")[:MOST_TOPICS]
    pause = max(PAUSE_S.get(topic, 1.0) for topic in topics or ["now"])
    told = _told(site, request, topics, request.query_params.get("since", ""), pause)
    return EventSourceResponse(
        told, ping=3_600, headers={"cache-control": "no-store", "x-accel-buffering": "no"}
    )


async def _told(
    site: Site, request: Request, topics: list[str], since: str, pause_s: float
) -> AsyncIterator[ServerSentEvent]:
    yield ServerSentEvent(retry=1_000, comment="live")
    clock = asyncio.get_running_loop().time
    checked = clock()
    async for version in site.live.changes(topics, since, pause_s):
        if clock() - checked > CHECKED_S:
            checked = clock()
            del request.state.actor
            if await actor_of(request) is None:
                return
        yield ServerSentEvent(data=version, event="changed") if version else ServerSentEvent(comment="live")


ROUTES = [Route("/live", guarded(Act.READ, live))]
