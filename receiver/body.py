"""Reading a request's body: never more of it in memory than was agreed, whatever the sender claims."""

import asyncio
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import Message, Receive

from receiver import refuse
from routing.errors import TocsinError

_MAX_RATIO = 200
"""Text compresses to a tenth or a twentieth; a bomb to a thousandth."""
_DIGITS = 19
"""A Content-Length longer than this is no number worth reading."""
_SMALL = 65_536
"""Output below this is let through at any ratio: a short body of blanks is no bomb."""


class Undecodable(TocsinError):
    """The body is not what its Content-Encoding says."""


@dataclass(slots=True)
class Room:
    """Memory for the bodies of all requests under way, in bytes."""

    limit: int
    used: int = 0

    def take(self, size: int) -> None:
        """Raises Refused. What was taken is given back by `give_back`."""
        if self.used + size > self.limit:
            raise refuse.overloaded("too much is being received at once")
        self.used += size

    def give_back(self, size: int) -> None:
        self.used -= size


async def read(receive: Receive, announced: str, limit: int, room: Room, wait_s: float) -> bytes:
    """The whole body, of which `len()` bytes are now taken from `room`.

    `announced` is the Content-Length, if there is one: a lie in it changes nothing, the truth saves reading.
    Raises Refused; then nothing is taken.
    """
    if announced.isdecimal() and len(announced) < _DIGITS:
        _fit(int(announced), limit)
    message = await receive()
    _check(message)
    body: bytes = message.get("body", b"")
    hold(body, limit, room)
    if not message.get("more_body", False):
        return body
    return await _rest(receive, body, limit, room, wait_s)


def hold(body: bytes, limit: int, room: Room) -> int:
    """How many bytes of `room` it now takes. Raises Refused; then it takes none."""
    _fit(len(body), limit)
    room.take(len(body))
    return len(body)


async def _rest(receive: Receive, first: bytes, limit: int, room: Room, wait_s: float) -> bytes:
    parts, size = [first], len(first)
    try:
        async with asyncio.timeout(wait_s):
            more = True
            while more:
                message = await receive()
                _check(message)
                part = message.get("body", b"")
                _fit(size + len(part), limit)
                room.take(len(part))
                size += len(part)
                parts.append(part)
                more = message.get("more_body", False)
    except BaseException as error:
        room.give_back(size)
        if isinstance(error, TimeoutError):
            raise refuse.too_slow(wait_s) from error
        raise
    return b"".join(parts)


def _check(message: Message) -> None:
    if message["type"] != "http.request":
        raise refuse.gone()


def _fit(size: int, limit: int) -> None:
    if size > limit:
        raise refuse.too_large(limit)


def unpack(body: bytes, headers: Mapping[str, str], limit: int) -> bytes:
    """The body without its Content-Encoding: none, identity or gzip.

    Raises Undecodable, or Refused when it is too large unpacked.
    """
    coding = headers.get("content-encoding", "").strip().lower()
    if coding in {"", "identity"}:
        return body
    if coding not in {"gzip", "x-gzip"}:
        raise Undecodable(f"Content-Encoding {coding[:40]!r} is not known here; send gzip or none")
    return _gunzip(body, limit)


def _gunzip(body: bytes, limit: int) -> bytes:
    allowed = min(limit, max(_SMALL, len(body) * _MAX_RATIO))
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        plain = unpacker.decompress(body, allowed + 1)
    except zlib.error as error:
        raise Undecodable("the body is marked gzip but is not") from error
    if len(plain) > allowed:
        raise refuse.too_large(allowed)
    if not unpacker.eof or unpacker.unused_data:
        raise Undecodable("the body is marked gzip but is cut short or has something after its end")
    return plain
