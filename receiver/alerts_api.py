"""`POST /api/v2/alerts` as Alertmanager serves it, for Prometheus and all else that can send to one.

Answers as Alertmanager does: 200 and nothing, or 400 and a message as a JSON string; then what was valid is
kept all the same, and what was not is a dead letter. Behind it may be several sources of vendor `prometheus`:
the token says which one it is. An operator's token, with which `amtool` also reads, sends where there is but one.
"""

from dataclasses import replace

import orjson

from ledger.log import Kept
from receiver import operators
from receiver.answer import JSON
from receiver.door import GatedDoor
from receiver.intake import Gate
from receiver.lookalike import armed, whose
from receiver.refuse import Refused
from routing.ports import Answer, Inbound

PATH = "/api/v2/alerts"
VENDOR = "prometheus"
_NAMED = 10
_TAKEN = Answer(200)


class AlertsApi(GatedDoor):
    """Exactly `PATH`, and what is posted there."""

    route = "alerts_api"

    def gate(self, path: str, headers: dict[str, str]) -> Gate:  # noqa: ARG002  # the token says it
        gates = armed(self._site.gates.of_vendor(VENDOR))
        inbound = Inbound(b"", headers, {}, self._site.now())
        try:
            return whose(gates, inbound)
        except Refused:
            if len(gates) == 1 and operators.are_these(self._site, inbound):
                return replace(gates[0], secrets=self._site.settings.operator_tokens)
            raise

    def answer(self, kept: Kept) -> Answer:
        if not kept.dead:
            return _TAKEN
        named = ", ".join(kept.dead[:_NAMED])
        message = f"{len(kept.dead)} invalid, kept as dead letters ({named}); {len(kept.accepted)} taken"
        return Answer(400, JSON, orjson.dumps(message))
