"""What the ingest routes have in common: plain ASGI, a gate to pass, and an answer for every case.

They are no Starlette routes: its routing, request and response objects would cost a third of the throughput.
"""

from abc import ABC, abstractmethod
from time import perf_counter

import msgspec
import sentry_sdk
import structlog
from starlette.types import Receive, Scope, Send

from ledger.handing import HEADER as HANDED
from ledger.log import Kept
from receiver import refuse
from receiver.answer import respond
from receiver.ceremony import ceremony, handshake
from receiver.intake import Gate
from receiver.refuse import Refused
from receiver.site import Site
from receiver.take import headers_of, take

_log = structlog.get_logger(__name__)


class Visit(msgspec.Struct):
    """One request on its way through. `began`: seconds of the clock that measures. `source`: once that is known."""

    scope: Scope
    receive: Receive
    send: Send
    headers: dict[str, str]
    began: float
    source: str = ""


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
        visit = Visit(scope, receive, send, headers_of(scope), began)
        try:
            if self.only_post and scope["method"] != "POST":
                raise refuse.wrong_method()  # noqa: TRY301  # one place answers every refusal
            status = await self.serve(visit)
        except Refused as refused:
            status = await self._refuse(visit, refused)
        except Exception as error:  # noqa: BLE001  # a fault of ours: the sender keeps what we could not
            _log.exception("fault in an ingest route", route=self.route, source=visit.source)
            sentry_sdk.capture_exception(error)
            status = await self._refuse(visit, refuse.not_durable())
        self._site.counts.answered(self.route, visit.source, status, perf_counter() - began)

    async def _refuse(self, visit: Visit, refused: Refused) -> int:
        self._site.refused(visit.source, refused, visit.headers)
        said = self.refusal(refused)
        await respond(visit.send, said.status, said.body(), said.headers())
        return said.status


class GatedDoor(Door):
    """One whose address or headers say which source it is, before anything of the body is read."""

    @abstractmethod
    def gate(self, path: str, headers: dict[str, str]) -> Gate:
        """The source this request is for. Raises Refused."""

    @abstractmethod
    async def answer(self, send: Send, kept: Kept) -> int:
        """Say what was kept; returns the status."""

    async def serve(self, visit: Visit) -> int:
        site, scope = self._site, visit.scope
        gate = self.gate(scope["path"], visit.headers)
        visit.source = gate.source.name
        # Our own workers come from within, whatever the vendor's networks are; their proof is in the header.
        if gate.allowance is not None and HANDED not in visit.headers:
            gate.allowance.admit(site.sender(scope, visit.headers))
        if scope["method"] not in gate.methods:
            return await handshake(gate, scope, visit.headers, visit.send)
        if gate.ceremonious:
            return await self._ceremony(gate, visit)
        return await self.answer(visit.send, await take(site, gate, scope, visit.receive, visit.headers))

    async def _ceremony(self, gate: Gate, visit: Visit) -> int:
        kept, said = await ceremony(self._site, gate, visit.scope, visit.receive, visit.headers)
        if said is None:
            return await self.answer(visit.send, kept)
        await respond(visit.send, said.status, said.body, said.headers)
        return said.status
