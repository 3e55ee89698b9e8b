"""What some vendors want besides being kept: a handshake, a certificate looked up, a call back, words of their own."""

from collections.abc import Mapping

import msgspec
from starlette.types import Receive, Scope, Send

from ledger.log import Kept, Request
from receiver import body, intake, refuse
from receiver.answer import respond
from receiver.documents import OutOfReach
from receiver.intake import Gate
from receiver.site import Site
from receiver.take import keep, query_of, whole
from routing.errors import BadSignature
from routing.ports import Answer, Inbound


async def handshake(gate: Gate, scope: Scope, headers: Mapping[str, str], send: Send) -> int:
    """The answer to a method that brings no event. Raises Refused where the vendor knows no such thing."""
    query = query_of(scope["query_string"])
    found = gate.handshake(scope["method"], headers, query, gate.source) if gate.handshake else None
    if found is None:
        raise refuse.wrong_method(gate.methods)
    await respond(send, found.status, found.body, found.headers)
    return found.status


async def ceremony(
    site: Site, gate: Gate, scope: Scope, receive: Receive, headers: Mapping[str, str]
) -> tuple[Kept, Answer | None]:
    """As `take`, with all that. Raises Refused."""
    wire = await whole(site, gate.source.max_bytes, receive, headers)
    try:
        inbound = _inbound(site, gate, wire, scope, headers)
        try:
            inbound, request = await _admit(site, gate, inbound)
        except BadSignature as error:
            greeted = gate.greeting(inbound, gate.source) if gate.greeting else None
            if greeted is None:
                raise refuse.unauthentic(error) from error
            return Kept([], []), greeted
        kept = await keep(site, request)
        if gate.confirmation is not None and (address := gate.confirmation(inbound, gate.source)):
            await _reach(site, address, "what the vendor wants confirmed")
        return kept, gate.answer(inbound, gate.source) if gate.answer else None
    finally:
        site.room.give_back(len(wire))


def _inbound(site: Site, gate: Gate, wire: bytes, scope: Scope, headers: Mapping[str, str]) -> Inbound:
    if not gate.secrets:
        raise intake.unarmed(gate)
    try:
        plain = body.unpack(wire, headers, gate.source.max_bytes)
    except body.Undecodable as error:
        raise refuse.undecodable(str(error)) from error
    return Inbound(plain, headers, query_of(scope["query_string"]), site.now(), path=scope["path"])


async def _admit(site: Site, gate: Gate, inbound: Inbound) -> tuple[Inbound, Request]:
    """Raises BadSignature, or Refused."""
    if gate.document is not None and (address := gate.document(inbound, gate.secrets, gate.source)):
        inbound = msgspec.structs.replace(inbound, document=await _reach(site, address, "a certificate"))
    return inbound, intake.judge(gate, inbound)


async def _reach(site: Site, address: str, what: str) -> bytes:
    try:
        return await site.documents.get(address)
    except OutOfReach as error:
        raise refuse.unreachable(what) from error
