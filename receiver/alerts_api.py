"""`POST /api/v2/alerts` as Alertmanager serves it, for Prometheus and all else that can send to one.

Answers as Alertmanager does: 200 and nothing, or 400 and a message as a JSON string; then what was valid is
kept all the same, and what was not is a dead letter. Behind it may be several sources of vendor `prometheus`:
the token says which one it is. An operator's token, with which `amtool` also reads, sends where there is but one.
"""

from dataclasses import replace

import orjson
from starlette.types import Send

from ledger.log import Kept
from receiver import operators, refuse
from receiver.answer import respond
from receiver.door import Door
from receiver.intake import Gate
from routing.errors import BadSignature
from routing.ports import Inbound

PATH = "/api/v2/alerts"
VENDOR = "prometheus"
_NAMED = 10


class AlertsApi(Door):
    """Exactly `PATH`, and what is posted there."""

    route = "alerts_api"

    def gate(self, path: str, headers: dict[str, str]) -> Gate:  # noqa: ARG002  # the token says it
        gates = self._site.gates.of_vendor(VENDOR)
        if not gates:
            raise refuse.unknown_source()
        armed = [gate for gate in gates if gate.secrets]
        if not armed:
            raise refuse.no_secret(" or ".join(name for gate in gates for name in gate.unset))
        inbound = Inbound(b"", headers, {}, self._site.now())
        if len(armed) == 1 and operators.are_these(self._site, inbound):
            return replace(armed[0], secrets=self._site.settings.operator_tokens)
        return self._whose(armed, inbound)

    @staticmethod
    def _whose(gates: list[Gate], inbound: Inbound) -> Gate:
        """Raises Refused."""
        refused = BadSignature("no source has this token")
        for gate in gates:
            try:
                gate.module.verify(inbound, gate.secrets, gate.source)
            except BadSignature as error:
                refused = error
            else:
                return gate
        raise refuse.unauthentic(refused)

    async def answer(self, send: Send, kept: Kept) -> int:
        if not kept.dead:
            await respond(send, 200, b"", {})
            return 200
        named = ", ".join(kept.dead[:_NAMED])
        message = f"{len(kept.dead)} invalid, kept as dead letters ({named}); {len(kept.accepted)} taken"
        await respond(send, 400, orjson.dumps(message))
        return 400
