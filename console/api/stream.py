"""What changed, as it happens, for programs: one event a change, to be gone on with after a broken connection."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated

import orjson
from pydantic import Field, StringConstraints
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response

from console.api.asking import query_of
from console.api.declared import Asked, Operation
from console.api.problems import Problem
from console.api.serving import routes
from console.api.shapes import Shape
from console.live import DEAD, NOW, OUTBOX
from console.serving.site import Site, site_of
from console.trust.actor import actor_of
from console.trust.acts import Act
from console.trust.guard import known

PAUSE_S = 1.0
"""In a storm an event tells of all that changed in this time."""
CHECKED_S = 60.0
"""Who was locked out meanwhile hears nothing more after this long."""
AT_ONCE = 10
"""So many streams of one token, or of one session."""

Topic = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Wants(Shape):
    topic: Annotated[
        list[Topic],
        Field(max_length=20, description="now, dead, outbox, or an incident's id. Default: the first three."),
    ] = [NOW, DEAD, OUTBOX]


async def stream(request: Request) -> Response:
    """Events "changed": their id is where to go on, their data {"topics": what changed; null: look at all of it}."""
    try:
        wants = query_of(request, Wants)
    except Problem as problem:
        return problem.response()
    assert isinstance(wants, Wants)  # noqa: S101  # as it was asked for
    actor, open_ones = await known(request), _streams(request)
    if open_ones[actor.id] >= AT_ONCE:
        full = Problem(429, f"{AT_ONCE} streams are open already", "close one", headers={"retry-after": "5"})
        return full.response()
    since = request.headers.get("last-event-id", "")
    told = _told(site_of(request), request, wants.topic, since, open_ones, actor.id)
    return EventSourceResponse(
        told, ping=3_600, headers={"cache-control": "no-store", "x-accel-buffering": "no"}
    )


def _streams(request: Request) -> "Counter[str]":
    """How many each has open, in this process."""
    state = request.app.state
    if not hasattr(state, "streams"):
        state.streams = Counter()
    found: Counter[str] = state.streams
    return found


async def _told(
    site: Site, request: Request, topics: list[str], since: str, open_ones: "Counter[str]", who: str
) -> AsyncIterator[ServerSentEvent]:
    open_ones[who] += 1
    try:
        since = since or site.live.version
        yield ServerSentEvent(retry=1_000, comment="live", id=since)
        clock = asyncio.get_running_loop().time
        checked = clock()
        async for version in site.live.changes(topics, since, PAUSE_S):
            if clock() - checked > CHECKED_S:
                checked = clock()
                del request.state.actor
                if await actor_of(request) is None:
                    return
            if not version:
                yield ServerSentEvent(comment="live")
                continue
            changed = site.live.changed(topics, since)
            since = version
            yield ServerSentEvent(
                data=orjson.dumps({"topics": changed}).decode(), event="changed", id=version
            )
    finally:
        open_ones[who] -= 1


def _as_any(asked: Asked) -> None:
    """It is served by `stream`, as it never ends."""


OPERATIONS = (
    Operation(
        "GET", "/stream", Act.READ, "Server-sent events: what changed, as it happens.", _as_any, None, Wants,
        media="text/event-stream", streams=True,
        description='Each event is `changed`; its data is `{"topics": [...]}`, null where everything may have changed. '
        "Send the id of the last one as Last-Event-ID to go on after a broken connection.",
    ),
)  # fmt: skip
ROUTES = routes(OPERATIONS, stream)
