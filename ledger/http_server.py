"""How our HTTP processes are served: one process, one event loop, until it is asked to stop.

What comes before a body has an end, in size and in time: uvicorn sets none when httptools parses for it. A stranger
could otherwise fill the memory with one header, or keep connections open with a letter now and then.
"""

import signal
from asyncio import BaseTransport
from collections.abc import Iterable
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from routing.ports import Answer

MOST: Final = 65_536
"""Bytes that may be waited on with; proxies cut off at a quarter of it. What comes at once may be a little more."""
_REFUSED: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)


def configured(app: Any, *, host: str, port: int, grace_s: int, **more: Any) -> uvicorn.Config:
    """`grace_s` is for requests under way when it is asked to stop; `more` as uvicorn takes it."""
    more = {"http": BoundedHeads, **more}
    return uvicorn.Config(
        app, host=host, port=port, loop="uvloop", lifespan="on", log_level="warning", log_config=None,
        access_log=False, server_header=False, proxy_headers=False, timeout_graceful_shutdown=grace_s, **more,
    )  # fmt: skip


def run(server: uvicorn.Server) -> int:
    """Until SIGTERM or SIGINT. Returns the exit status."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn raises again what it has already obeyed
    server.run()
    return 0 if server.started else 1


def written(answer: Answer, defaults: Iterable[tuple[bytes, bytes]], *, keep_alive: bool) -> bytes:
    """A whole answer of ours as HTTP/1.1 has it, `defaults` (the date) before its own headers."""
    lines = [b"%b: %b\r\n" % line for line in defaults]
    lines.append(b"content-length: %d\r\n" % len(answer.body))
    lines += [f"{name}: {value}\r\n".encode("latin-1") for name, value in answer.headers.items()]
    if not keep_alive:
        lines.append(b"connection: close\r\n")
    return b"".join((STATUS_LINE[answer.status], *lines, b"\r\n", answer.body))


class BoundedHeads(HttpToolsProtocol):
    """One connection."""

    wait_s = 10.0
    """From its beginning, or a request's, until the headers are complete."""
    _incomplete = False
    _size = 0
    _until = 0.0

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]  # uvicorn narrows it
        self._give(self.loop.time() + self.wait_s)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._incomplete and not self.transport.is_closing():
            self._size += len(data)
            if self._size > MOST:
                self.transport.write(_REFUSED)
                self.transport.close()
                return
            self._until = self._until or self.loop.time() + self.wait_s
            self._give(self._until)

    def on_message_begin(self) -> None:
        self._incomplete, self._size, self._until = True, 0, 0.0
        super().on_message_begin()

    def on_headers_complete(self) -> Any:
        self.headers_came()
        return super().on_headers_complete()

    def headers_came(self) -> None:
        """From here on it is the body's time that counts."""
        self._incomplete = False

    def _give(self, until: float) -> None:
        """The server's own timer of a quiet connection, which any byte stops."""
        self.timeout_keep_alive_task = self.loop.call_at(until, self.timeout_keep_alive_handler)
