"""Answers written by hand: two ASGI messages and no objects between."""

from collections.abc import Mapping
from typing import Final

from starlette.types import Send

from ledger.log import Kept

JSON: Final = {"content-type": "application/json"}


async def respond(send: Send, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
    """JSON, unless `headers` say otherwise."""
    lines = [(b"content-length", b"%d" % len(body))]
    said = JSON if headers is None else headers
    lines += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in said.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


def accepted(kept: Kept) -> bytes:
    """`{"accepted": [...], "dead": [...]}`. Ids are ours: letters, digits, hyphens, nothing to escape."""
    return f'{{"accepted":[{_quoted(kept.accepted)}],"dead":[{_quoted(kept.dead)}]}}'.encode()


def _quoted(ids: list[str]) -> str:
    return '"' + '","'.join(ids) + '"' if ids else ""
