"""What the ingest routes have in common: plain ASGI, a gate to pass, and an answer for every case.

They are no Starlette routes: its routing, request and response objects would cost a third of the throughput. What
comes whole does not even come by ASGI: see `receiver/straight.py`.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from time import perf_counter

import msgspec
import sentry_sdk
import structlog
from starlette.types import Receive, Scope, Send

from ledger.handing import HEADER as HANDED
from ledger.log import Kept, Request
from receiver import refuse
from receiver.answer import respond
from receiver.ceremony import ceremony, handshake
from receiver.intake import Gate
from receiver.refuse import Refused
from receiver.site import Site
from receiver.take import counted, headers_of, take, take_at_once
from routing.ports import Answer

_log = structlog.get_logger(__name__)

Reply = Callable[[Answer], None]


class Arrival(msgspec.Struct):
    """One request on its way through. `began`: seconds of the clock that measures. `source`: once that is known."""

    scope: Scope
    headers: dict[str, str]
    began: float
    source: str = ""


class Visit(Arrival, kw_only=True):
    """One that came by ASGI, its body perhaps yet to come."""

    receive: Receive
    send: Send


class Door(ABC):
    """An ASGI application. `route` is its label in /metrics."""

    route: str
    only_post = True
    """False where it is for the source to say what else it takes."""

    def __init__(self, site: Site) -> None:
        self._site = site

    @abstractmethod
    async def serve(self, visit: Visit) -> int:
        """Answer it; returns the status. Raises Refused."""

    def refusal(self, refused: Refused) -> Refused:
        """As this door says it."""
        return refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = perf_counter()
        visit = Visit(scope, headers_of(scope), began, receive=receive, send=send)
        try:
            if self.only_post and scope["method"] != "POST":
                raise refuse.wrong_method()  # noqa: TRY301  # one place answers every refusal
            status = await self.serve(visit)
        except Exception as error:  # noqa: BLE001  # see `failed`
            said = self.failed(visit, error)
            await respond(send, said.status, said.body, said.headers)
            status = said.status
        self.count(visit, status)

    def failed(self, arrival: Arrival, error: Exception) -> Answer:
        """What is said of a refusal; and of a fault of ours, so that the sender keeps what we could not."""
        if isinstance(error, Refused):
            refused = error
        else:
            _log.error("fault in an ingest route", route=self.route, source=arrival.source, exc_info=error)
            sentry_sdk.capture_exception(error)
            refused = refuse.not_durable()
        self._site.refused(arrival.source, refused, arrival.headers)
        said = self.refusal(refused)
        return Answer(said.status, said.headers(), said.body())

    def count(self, arrival: Arrival, status: int) -> None:
        self._site.counts.answered(self.route, arrival.source, status, perf_counter() - arrival.began)


class GatedDoor(Door):
    """One whose address or headers say which source it is, before anything of the body is read."""

    @abstractmethod
    def gate(self, path: str, headers: dict[str, str]) -> Gate:
        """The source this request is for. Raises Refused."""

    @abstractmethod
    def answer(self, kept: Kept) -> Answer:
        """What is said of what was kept."""

    async def serve(self, visit: Visit) -> int:
        site, scope = self._site, visit.scope
        gate = self._enter(visit)
        if scope["method"] not in gate.methods:
            return await handshake(gate, scope, visit.headers, visit.send)
        if gate.ceremonious:
            kept, said = await ceremony(site, gate, scope, visit.receive, visit.headers)
        else:
            kept, said = await take(site, gate, scope, visit.receive, visit.headers), None
        said = said or self.answer(kept)
        await respond(visit.send, said.status, said.body, said.headers)
        return said.status

    def straight(self, arrival: Arrival, wire: bytes, reply: Reply) -> bool:
        """The same of a POST whose body is here: nothing is waited for but the disk, and then `reply` is called.

        False, and nothing done, where the source wants more than that.
        """
        try:
            gate = self._enter(arrival)
            if gate.ceremonious:
                return False
            request, kept = take_at_once(self._site, gate, wire, arrival.scope, arrival.headers)
        except Exception as error:  # noqa: BLE001  # see `failed`
            self._end(arrival, self.failed(arrival, error), reply)
        else:
            kept.add_done_callback(partial(self._written, arrival, request, reply))
        return True

    def _enter(self, arrival: Arrival) -> Gate:
        """The source it is for, if it may send from where it does. Raises Refused."""
        gate = self.gate(arrival.scope["path"], arrival.headers)
        arrival.source = gate.source.name
        # Our own workers come from within, whatever the vendor's networks are; their proof is in the header.
        if gate.allowance is not None and HANDED not in arrival.headers:
            gate.allowance.admit(self._site.sender(arrival.scope, arrival.headers))
        return gate

    def _written(self, arrival: Arrival, request: Request, reply: Reply, kept: asyncio.Future[Kept]) -> None:
        try:
            said = self.answer(counted(self._site, request, kept.result()))
        except Exception as error:  # noqa: BLE001  # see `failed`
            said = self.failed(arrival, error)
        self._end(arrival, said, reply)

    def _end(self, arrival: Arrival, said: Answer, reply: Reply) -> None:
        reply(said)
        self.count(arrival, said.status)
