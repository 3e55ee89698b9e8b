"""One connection to a receiver without a network: what was read, and when, is what the test says."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import reception
from uvicorn.server import ServerState

from ledger import http_server
from ledger.log import Kept, Request
from ledger.settings import LedgerSettings
from receiver.app import build
from receiver.settings import ReceiverSettings
from receiver.site import Site
from receiver.straight import Straight
from routing.policy import Policy


class Disk:
    """A disk that writes when it is told to, or says that it cannot."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.go.set()
        self.error: Exception | None = None
        self.kept: list[Request] = []

    async def append(self, batch: Sequence[Request]) -> list[Kept]:
        await self.go.wait()
        if self.error:
            raise self.error
        self.kept += batch
        return [Kept(["b1-0"] * len(one.events), [letter.id for letter in one.dead]) for one in batch]


class Line(asyncio.Transport):
    """A connection's other end."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = b""
        self.closed = False
        self.over = asyncio.Event()

    def write(self, data: Any) -> None:
        assert not self.closed
        self.heard += bytes(data)

    def close(self) -> None:
        self.closed = True
        self.over.set()

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 4), "sockname": ("127.0.0.1", 8080)}.get(name, default)

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Server:
    """The receiver's application and its protocol. `tasks`: how many were made for requests."""

    def __init__(self, site: Site, disk: Disk) -> None:
        self.site, self.disk, self.tasks = site, disk, 0
        self._config = http_server.configured(build(site), host="x", port=1, grace_s=1, http=Straight)
        self._config.load()
        self._state = ServerState()

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Tasks that are made within it are counted."""
        loop = asyncio.get_running_loop()

        def make(loop: Any, coroutine: Any, **more: Any) -> Any:
            self.tasks += 1
            return asyncio.Task(coroutine, loop=loop, **more)

        loop.set_task_factory(make)
        yield
        loop.set_task_factory(None)

    def connect(self) -> tuple[Straight, Line]:
        protocol, line = Straight(self._config, self._state, {}), Line()
        protocol.connection_made(line)
        return protocol, line

    async def ask(self, *reads: bytes) -> bytes:
        """All that is answered to what the server reads, read by read, on one connection."""
        protocol, line = self.connect()
        with self.counting():
            for read in reads:
                protocol.data_received(read)
                await settle()
        await settle()
        if not line.closed:
            protocol.connection_lost(None)
        return line.heard


def raw(method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A request as it comes."""
    lines = {"host": "x", "content-length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


async def settle() -> None:
    """Whatever can be done by now is done."""
    for _ in range(30):
        await asyncio.sleep(0)


async def serving(policy: Policy, disk: Disk, **keeping: Any) -> tuple[Server, "asyncio.Task[None]"]:
    """A server, and the task that writes for it."""
    settings = ReceiverSettings(ledger=LedgerSettings(redis_url="redis://127.0.0.1:1"))
    site = reception.site_of(settings, policy, disk.append, lambda: (), keeping, None)
    site.gates.refresh()
    await site.durable.look()
    return Server(site, disk), asyncio.create_task(site.keep.run())
