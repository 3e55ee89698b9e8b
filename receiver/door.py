"""What the ingest routes have in common: plain ASGI, a gate to pass, and an answer for every case.

They are no Starlette routes: its routing, request and response objects would cost a third of the throughput.
"""

from abc import ABC, abstractmethod
from time import perf_counter

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


class Door(ABC):
    """An ASGI application. `route` is its label in /metrics."""

    route: str
    only_post = True
    """False where it is for the source to say what else it takes."""

    def __init__(self, site: Site) -> None:
        self._site = site

    @abstractmethod
    def gate(self, path: str, headers: dict[str, str]) -> Gate:
        """The source this request is for. Raises Refused."""

    @abstractmethod
    async def answer(self, send: Send, kept: Kept) -> int:
        """Say what was kept; returns the status."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = perf_counter()
        site, headers, known = self._site, headers_of(scope), ""
        try:
            if self.only_post and scope["method"] != "POST":
                raise refuse.wrong_method()  # noqa: TRY301  # one place answers every refusal
            gate = self.gate(scope["path"], headers)
            known = gate.source.name
            # Our own workers come from within, whatever the vendor's networks are; their proof is in the header.
            if gate.allowance is not None and HANDED not in headers:
                gate.allowance.admit(site.sender(scope, headers))
            if scope["method"] not in gate.methods:
                status = await handshake(gate, scope, headers, send)
            elif gate.ceremonious:
                status = await self._ceremony(gate, scope, receive, send, headers)
            else:
                status = await self.answer(send, await take(site, gate, scope, receive, headers))
        except Refused as refusal:
            status = await self._refuse(send, refusal, known, headers)
        except Exception as error:  # noqa: BLE001  # a fault of ours: the sender keeps what we could not
            _log.exception("fault in an ingest route", route=self.route, source=known)
            sentry_sdk.capture_exception(error)
            status = await self._refuse(send, refuse.not_durable(), known, headers)
        site.counts.answered(self.route, known, status, perf_counter() - began)

    async def _ceremony(
        self, gate: Gate, scope: Scope, receive: Receive, send: Send, headers: dict[str, str]
    ) -> int:
        kept, said = await ceremony(self._site, gate, scope, receive, headers)
        if said is None:
            return await self.answer(send, kept)
        await respond(send, said.status, said.body, said.headers)
        return said.status

    async def _refuse(self, send: Send, refusal: Refused, known: str, headers: dict[str, str]) -> int:
        self._site.refused(known, refusal, headers)
        await respond(send, refusal.status, refusal.body(), refusal.headers())
        return refusal.status
