"""Operations as routes: allowed, read, carried out in a thread, answered with an ETag, and once per Idempotency-Key."""

import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.api import asking
from console.api.declared import PREFIX, Asked, Operation
from console.api.problems import Problem, problem_of
from console.refusals import Undecided
from console.serving.site import Site, site_of
from console.trust.actor import Actor
from console.trust.acts import Act
from console.trust.guard import check, guarded, known
from ledger import repeats
from ledger.repeats import Kept

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY")
_log = structlog.get_logger(__name__)


def routes(
    operations: Sequence[Operation], streaming: Callable[[Request], Awaitable[Response]] | None = None
) -> list[Route]:
    """A route for each, and for each path one that names the methods it does take.

    `streaming` carries them out itself, where the answer goes on for long.
    """
    taken: defaultdict[str, list[str]] = defaultdict(list)
    found = []
    for operation in operations:
        endpoint = guarded(operation.act, streaming or _answering(operation))
        path = PREFIX + operation.path
        found.append(Route(path, endpoint, methods=[operation.method], name=f"api.{operation.name}"))
        taken[path] += [operation.method, *(["HEAD"] if operation.method == "GET" else [])]
    return found + [
        Route(
            path,
            guarded(Act.PUBLIC, not_allowed(methods)),
            methods=[each for each in METHODS if each not in methods],
        )
        for path, methods in taken.items()
    ]


def not_allowed(methods: Sequence[str]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        problem = Problem(405, f"{request.method} is nothing this path takes", f"use {', '.join(methods)}")
        problem.headers["allow"] = ", ".join(methods)
        return problem.response()

    return endpoint


def _answering(operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await _answer(operation, request)
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                raise
            return problem.response()

    return endpoint


async def _answer(operation: Operation, request: Request) -> Response:
    site, actor = site_of(request), await known(request)
    query = asking.query_of(request, operation.query)
    body, raw = await asking.body_of(request, operation)
    path = {name: str(value) for name, value in request.path_params.items()}
    asked = Asked(site.context, actor, site.now(), path, query, body, site.settings.origin)
    if not operation.writes:
        return _fresh(request, await site.read(_done, operation, asked))
    expected = request.headers.get("if-match", "")
    key = asking.idempotency_key(request)
    if not key:
        return await site.read(_written, operation, asked, expected)
    return await site.read(_once, site, operation, asked, expected, key, asking.digest_of(request, raw))


def _done(operation: Operation, asked: Asked) -> Response:
    _allow(operation, asked)
    return _rendered(operation.status, operation.does(asked), operation.media)


def _allow(operation: Operation, asked: Asked) -> None:
    """Whose thing it is decides too. Raises Refused, Nowhere."""
    if operation.team is not None:
        check(asked.actor, operation.act, operation.team(asked))


def _written(operation: Operation, asked: Asked, expected: str) -> Response:
    try:
        if expected:
            _expect(operation, asked, expected)
        return _done(operation, asked)
    except Undecided as error:
        return _rendered(202, {"entry": error.entry, "decided": False, "said": []})


def _expect(operation: Operation, asked: Asked, expected: str) -> None:
    """Raises Problem when it is not as the caller has seen it."""
    if operation.reads is None:
        raise Problem(412, "If-Match: this has no state to compare", "leave it out")
    _allow(operation, asked)
    there = _rendered(200, operation.reads(asked)).headers["etag"]
    if expected != "*" and there not in [each.strip() for each in expected.split(",")]:
        raise Problem(412, "If-Match: it has changed since you read it", "read it again, then decide again")


def _once(site: Site, operation: Operation, asked: Asked, expected: str, key: str, digest: str) -> Response:
    """Carried out the first time; later the same answer, marked as a repeat."""
    place = (site.client, site.keys, _owner(asked.actor), key)
    first = repeats.begin(*place, digest)
    if first is not None:
        return _again(first, digest)
    try:
        found = _written(operation, asked, expected)
    except Exception as error:
        problem = problem_of(error)
        if problem is None or problem.status >= 500 or problem.status in {401, 403, 429}:  # noqa: PLR2004
            repeats.forget(*place)
            raise
        found = problem.response()
    kept = _too_late() if operation.secret and found.status_code < 300 else found  # noqa: PLR2004
    body = bytes(kept.body)
    repeats.end(*place, Kept(asked=digest, status=kept.status_code, media=kept.media_type or "", body=body))
    return found


def _too_late() -> Response:
    return Problem(
        409,
        "Idempotency-Key: it was done, and only the first answer had the secret",
        "revoke it, and make another",
    ).response()


def _owner(actor: Actor) -> str:
    return f"{actor.way}:{actor.id}"


def _again(first: Kept, digest: str) -> Response:
    if first.asked != digest:
        raise Problem(
            409, "Idempotency-Key: it was used for something else", "send a new one with each thing you do"
        )
    if not first.status:
        raise Problem(409, "Idempotency-Key: the first request is still under way", "try again in a moment")
    headers = {"idempotency-replayed": "true", "cache-control": "no-store"}
    return Response(first.body, first.status, headers, first.media)


def _rendered(status: int, answer: Any, media: str = "application/json") -> Response:
    if answer is None:
        return Response(status_code=204, headers={"cache-control": "no-store"})
    body = answer.encode() if isinstance(answer, str) else orjson.dumps(answer, default=str)
    etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    return Response(body, status, {"etag": etag, "cache-control": "private, no-cache"}, media)


def _fresh(request: Request, answer: Response) -> Response:
    """304 when the caller has it already."""
    wanted = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    etag = answer.headers.get("etag", "-")
    if etag in wanted or "*" in wanted:
        return Response(status_code=304, headers={"etag": etag, "cache-control": "private, no-cache"})
    return answer
