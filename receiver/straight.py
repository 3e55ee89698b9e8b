"""The straight way in: a request that one read brings whole is taken in, and answered, without a task between.

Half of what a request cost was its way through the server and ASGI: a task, an event, two messages and their checks.
A storm's requests are small and come whole, so they can do without: each is verified, parsed and added to the next
batch as soon as it is read, and answered when that batch is on disk. Every other (in pieces, by another method, from a
vendor with ceremonies, behind one that is not answered yet) goes through ASGI, to the same door and the same answer.
"""

import asyncio
import re
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from ledger.http_server import BoundedHeads, written
from receiver.door import Arrival, GatedDoor
from receiver.take import headers_of
from routing.ports import Answer

if TYPE_CHECKING:  # it needs all doors, this way needs none
    from receiver.app import Application

_PLAIN: Final = re.compile(rb"/[A-Za-z0-9/_.-]*")
"""An address that means what it says: no query, nothing escaped."""


class _UnderWay:
    """What the server asks about the request it is to answer next, of one that has no task."""

    message_event = asyncio.Event()  # nobody waits for more of it

    def __init__(self) -> None:
        self.response_complete = False
        self.disconnected = False
        self.keep_alive = True


class Straight(BoundedHeads):
    """One connection."""

    app: "Application"
    scope: Any
    _door: GatedDoor | None = None
    """Of a request whose headers are here."""

    def on_headers_complete(self) -> Any:
        self._door = self._straight_door()
        if self._door is None:
            return super().on_headers_complete()
        self.headers_came()
        self._parts: list[bytes] = []
        return None

    def on_body(self, body: bytes) -> None:
        if self._door is None:
            super().on_body(body)
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        door, self._door = self._door, None
        if door is not None:
            under_way, arrival = _UnderWay(), Arrival(self.scope, headers_of(self.scope), perf_counter())
            if door.straight(arrival, b"".join(self._parts), partial(self._answer, under_way)):
                self.cycle = under_way  # type: ignore[assignment]  # it is all that the server looks at
                return
            self._by_asgi()
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._door is not None:
            self._door = None
            if not self.transport.is_closing():
                self._by_asgi()

    def _straight_door(self) -> GatedDoor | None:
        """Where such a request may be taken in at once; None where it is for ASGI."""
        parser = self.parser
        if (
            (self.cycle is not None and not self.cycle.response_complete)
            or self.flow.write_paused
            or self.expect_100_continue
            or parser.get_method() != b"POST"
            or parser.get_http_version() != "1.1"
            or parser.should_upgrade()
            or not parser.should_keep_alive()
            or not _PLAIN.fullmatch(self.url)
        ):
            return None
        path = self.url.decode("ascii")
        self.scope |= {"method": "POST", "path": path, "raw_path": self.url, "query_string": b""}
        return self.app.straight(path)

    def _by_asgi(self) -> None:
        super().on_headers_complete()
        for part in self._parts:
            super().on_body(part)

    def _answer(self, under_way: _UnderWay, said: Answer) -> None:
        under_way.response_complete = True
        if under_way.disconnected or self.transport.is_closing():
            return
        self.transport.write(
            written(said, self.server_state.default_headers, keep_alive=under_way.keep_alive)
        )
        if not under_way.keep_alive:
            self.transport.close()
        self.on_response_complete()
