"""Taking one request in: its body is read, admitted by its source's gate, and kept on disk."""

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from ledger.log import Kept, Request
from receiver import body, intake, refuse
from receiver.intake import Gate
from receiver.site import Site
from routing.errors import BadSignature

_MOST_FIELDS = 64


def headers_of(scope: Scope) -> dict[str, str]:
    """Names in lower case, as ASGI has them. Of a header sent twice the last one counts."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


async def take(site: Site, gate: Gate, scope: Scope, receive: Receive, headers: Mapping[str, str]) -> Kept:
    """Returns once it is on disk. Raises Refused; then nothing was kept, or it is not certain that it was.

    Only this way in is closed by a server that is not durable: a person's answer is worth more in memory than
    not at all.
    """
    wire = await whole(site, gate.source.max_bytes, receive, headers)
    try:
        return await keep(site, _admit(site, gate, wire, scope, headers))
    finally:
        site.room.give_back(len(wire))


def take_at_once(
    site: Site, gate: Gate, wire: bytes, scope: Scope, headers: Mapping[str, str]
) -> tuple[Request, asyncio.Future[Kept]]:
    """As `take`, of a body that is here already. The future ends as `take` does; `counted` is the caller's."""
    site.durable.insist()
    size = body.hold(wire, gate.source.max_bytes, site.room)
    try:
        request = _admit(site, gate, wire, scope, headers)
        kept = site.keep.add(request)
    except BaseException:
        site.room.give_back(size)
        raise
    kept.add_done_callback(lambda _: site.room.give_back(size))
    return request, kept


async def whole(site: Site, limit: int, receive: Receive, headers: Mapping[str, str]) -> bytes:
    """The body as it came, of which `len()` bytes are taken from `site.room`. Raises Refused."""
    site.durable.insist()
    return await body.read(
        receive,
        headers.get("content-length", ""),
        limit,
        site.room,
        site.settings.body_wait_s,
    )


async def keep(site: Site, request: Request) -> Kept:
    """Returns once it is on disk. Raises Refused."""
    return counted(site, request, await site.keep.put(request))


def counted(site: Site, request: Request, kept: Kept) -> Kept:
    """It itself, of a request that is on disk."""
    if not request.found:  # what we found ourselves is no sign of life of its source
        site.counts.accepted[request.source] += len(kept.accepted)
    if kept.dead:
        site.counts.dead[request.source] += len(kept.dead)
    return kept


def _admit(site: Site, gate: Gate, wire: bytes, scope: Scope, headers: Mapping[str, str]) -> Request:
    try:
        query = query_of(scope["query_string"])
        return intake.admit(gate, wire, headers, query, site.now(), scope["path"])
    except BadSignature as error:
        raise refuse.unauthentic(error) from error


def query_of(raw: bytes) -> Mapping[str, str]:
    """Of a name sent twice the last one counts; {} of what cannot be read."""
    if not raw:
        return {}
    try:
        return dict(parse_qsl(raw.decode("latin-1"), max_num_fields=_MOST_FIELDS))
    except ValueError:
        return {}
