"""`POST /v2/enqueue` and `/v2/change/enqueue` as PagerDuty serves them, for all that can page through PagerDuty.

Answers are PagerDuty's: 202 with the `dedup_key`; 400 with all that is wrong, also with the routing key. What is
invalid and authentic is a dead letter as well. Beyond what it documents, every refusal has a `hint`.
"""

from typing import Final

import orjson

from ledger.log import Kept, Request
from receiver.answer import respond
from receiver.door import Visit
from receiver.intake import Gate
from receiver.lookalike import LookAlike
from receiver.refuse import Refused
from routing.ports import Inbound

PATHS: Final = frozenset({"/v2/enqueue", "/v2/change/enqueue"})


class Invalid(Refused):
    """In PagerDuty's shape: `{"status", "message", "errors", "hint"}`."""

    def body(self) -> bytes:
        wrong = self.status == 400  # noqa: PLR2004  # all that its clients are told to mend themselves
        said = {
            "status": "invalid event" if wrong else "not processed",
            "message": "Event object is invalid" if wrong else "Event not processed",
            "errors": self.error.split("; "),
            "hint": self.hint,
        }
        return orjson.dumps(said)


class EventsApi(LookAlike):
    """Exactly `PATHS`."""

    route = "events_api"
    vendor = "pagerduty_events"
    max_bytes = 524_288

    def refusal(self, refused: Refused) -> Refused:
        """A routing key that opens nothing is for PagerDuty an invalid event like others."""
        if refused.why == "signature":
            return Invalid(400, refused.why, "Invalid routing key", f"{refused.error}: {refused.hint}")
        return Invalid(
            refused.status, refused.why, refused.error, refused.hint,
            retry_after_s=refused.retry_after_s, allow=refused.allow,
        )  # fmt: skip

    async def answer(self, visit: Visit, gate: Gate, inbound: Inbound, request: Request, kept: Kept) -> int:
        said = gate.answer(inbound, gate.source) if gate.answer and not kept.dead else None
        if said is not None:
            await respond(visit.send, said.status, said.body, said.headers)
            return said.status
        wrong = "; ".join(letter.why for letter in request.dead)
        hint = f"it is kept as a dead letter: tocsin dead show {', '.join(kept.dead)}"
        invalid = Invalid(400, "invalid", wrong, hint)
        await respond(visit.send, invalid.status, invalid.body(), invalid.headers())
        return invalid.status
