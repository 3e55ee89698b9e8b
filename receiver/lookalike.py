"""Doors that look like another alerting service's: what can send there can send here, with another address and key.

Which source it is says the key, wherever such a service wants it: in a header, or in the body.
"""

from abc import abstractmethod
from collections.abc import Sequence

from ledger.log import Kept, Request
from receiver import body, intake, refuse
from receiver.door import Door, Visit
from receiver.intake import Gate
from receiver.take import keep, query_of, whole
from routing.errors import BadSignature
from routing.ports import Inbound


class LookAlike(Door):
    """`vendor`: of the sources behind it. `max_bytes`: of a body, packed or not, whatever they allow."""

    vendor: str
    max_bytes: int

    @abstractmethod
    async def answer(self, visit: Visit, gate: Gate, inbound: Inbound, request: Request, kept: Kept) -> int:
        """Say what was kept of it; returns the status."""

    async def serve(self, visit: Visit) -> int:
        site, gates = self._site, armed(self._site.gates.of_vendor(self.vendor))
        limit = min(self.max_bytes, max(gate.source.max_bytes for gate in gates))
        wire = await whole(site, limit, visit.receive, visit.headers)
        try:
            inbound = self._inbound(visit, wire, limit)
            gate = self.enter(visit, gates, inbound)
            if len(inbound.body) > gate.source.max_bytes:
                raise refuse.too_large(gate.source.max_bytes)
            request = intake.judge(gate, inbound)
            return await self.answer(visit, gate, inbound, request, await keep(site, request))
        finally:
            site.room.give_back(len(wire))

    def enter(self, visit: Visit, gates: Sequence[Gate], inbound: Inbound) -> Gate:
        """The source whose key it has, if it may send from where it does. Raises Refused."""
        gate = whose(gates, inbound)
        visit.source = gate.source.name
        if gate.allowance is not None:
            gate.allowance.admit(self._site.sender(visit.scope, visit.headers))
        return gate

    def _inbound(self, visit: Visit, wire: bytes, limit: int) -> Inbound:
        try:
            plain = body.unpack(wire, visit.headers, limit)
        except body.Undecodable as error:
            raise refuse.undecodable(str(error)) from error
        query = query_of(visit.scope["query_string"])
        return Inbound(plain, visit.headers, query, self._site.now(), path=visit.scope["path"])


def armed(gates: Sequence[Gate]) -> list[Gate]:
    """Those that can verify anything. Raises Refused when none can."""
    if not gates:
        raise refuse.unknown_source()
    found = [gate for gate in gates if gate.secrets]
    if not found:
        raise refuse.no_secret(" or ".join(name for gate in gates for name in gate.unset))
    return found


def whose(gates: Sequence[Gate], inbound: Inbound) -> Gate:
    """The one that it is authentic for. Raises Refused."""
    refused = BadSignature("no source has this token")
    for gate in gates:
        try:
            gate.module.verify(inbound, gate.secrets, gate.source)
        except BadSignature as error:
            refused = error
        else:
            return gate
    raise refuse.unauthentic(refused)
