"""Answers written by hand: two ASGI messages and no objects between."""

from collections.abc import Mapping

from starlette.types import Send

from ledger.log import Kept

_JSON = (b"content-type", b"application/json")


async def respond(send: Send, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
    """JSON, unless `headers` say otherwise."""
    lines = [(b"content-length", b"%d" % len(body))]
    if headers is None:
        lines.append(_JSON)
    else:
        lines += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


def accepted(kept: Kept) -> bytes:
    """`{"accepted": [...], "dead": [...]}`. Ids are ours: letters, digits, hyphens, nothing to escape."""
    return f'{{"accepted":[{_quoted(kept.accepted)}],"dead":[{_quoted(kept.dead)}]}}'.encode()


def _quoted(ids: list[str]) -> str:
    return '"' + '","'.join(ids) + '"' if ids else ""
