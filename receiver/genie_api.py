"""`/v2/alerts` as Opsgenie serves it: alerts are created, acknowledged, closed and noted, and asked what became of it.

Answers are Opsgenie's: 202 with a `requestId`, which is the id of our entry; 400 for what is no JSON, 401, 404, 422
with what is wrong by field. What is invalid and authentic is a dead letter as well. Every refusal has a `hint`.
"""

import asyncio
import re
from collections.abc import Mapping
from time import perf_counter
from typing import Any, Final
from uuid import uuid4

import orjson

from ledger.log import Kept, Request
from ledger.views import entries
from ledger.views.entries import Seen
from receiver import refuse
from receiver.answer import respond
from receiver.door import Visit
from receiver.intake import Gate
from receiver.lookalike import LookAlike, armed
from receiver.refuse import Refused
from receiver.settled import settle
from receiver.sources import opsgenie
from routing.decision import Table
from routing.entry import AlertCommand, Signal, Verb
from routing.errors import Unreadable
from routing.instant import iso
from routing.ports import Inbound
from routing.response.by_sources import acknowledged

PATH: Final = opsgenie.PATH
_REQUESTS: Final = f"{PATH}/requests/"
_SERVED: Final = f"there are: POST {PATH}, POST {PATH}/<id>/{'|'.join(opsgenie.ACTIONS)}, GET {_REQUESTS}<id>"
_REQUEST_ID: Final = re.compile(r"[a-z][0-9]{1,15}-[0-9]{1,9}")
_NOT_YET: Final = "RequestNotProcessed"
_IN_VAIN: Final = frozenset({"ignored", "paused", "stale", "undecidable"})
_DID: Final = {
    Verb.ACK: ("Acknowledge", "Acknowledged alert"),
    Verb.RESOLVE: ("Close", "Closed alert"),
    Verb.NOTE: ("AddNote", "Added note to alert"),
}


class Unanswered(Refused):
    """In Opsgenie's shape: `{"message", "took", "requestId", "hint"}`, and `errors` by field where there are any."""

    errors: Mapping[str, str] | None = None
    kind: str = ""
    """What its clients tell cases of one status apart by."""

    def body(self) -> bytes:
        said = {"message": self.error, **({"errors": self.errors} if self.errors else {})}
        return orjson.dumps({**said, "took": 0.0, "requestId": str(uuid4()), "hint": self.hint})

    def headers(self) -> Mapping[str, str]:
        found = dict(super().headers())
        if self.kind:
            found["x-opsgenie-errortype"] = self.kind
        if "www-authenticate" in found:
            found["www-authenticate"] = "GenieKey"
        return found


class GenieApi(LookAlike):
    """`PATH`, and what is below it."""

    route = "genie_api"
    vendor = "opsgenie"
    only_post = False
    max_bytes = 1_048_576

    def serves(self, path: str) -> bool:
        return path == PATH or path.startswith(f"{PATH}/")

    def refusal(self, refused: Refused) -> Refused:
        if isinstance(refused, Unanswered):
            return refused
        unknown = refused.why == "signature"
        return Unanswered(
            refused.status,
            refused.why,
            "Could not authenticate" if unknown else refused.error,
            f"{refused.error}: {refused.hint}" if unknown else refused.hint,
            retry_after_s=refused.retry_after_s,
            allow=refused.allow,
        )

    async def serve(self, visit: Visit) -> int:
        method, path = visit.scope["method"], visit.scope["path"]
        acts = path == PATH or opsgenie.place_of(path)[1]
        if not acts and not path.startswith(_REQUESTS):
            raise Unanswered(404, "unknown_path", "there is nothing at this address", _SERVED)
        if method != ("POST" if acts else "GET"):
            raise refuse.wrong_method(("POST",) if acts else ("GET",))
        if acts:
            return await super().serve(visit)
        return await self._status(visit, path[len(_REQUESTS) :])

    async def answer(self, visit: Visit, gate: Gate, inbound: Inbound, request: Request, kept: Kept) -> int:  # noqa: ARG002  # others need all of them
        if kept.dead:
            invalid = _invalid(inbound, kept)
            await respond(visit.send, invalid.status, invalid.body(), invalid.headers())
            return invalid.status
        said = {"result": "Request will be processed", "took": _took(visit), "requestId": kept.accepted[0]}
        await respond(visit.send, 202, orjson.dumps(said))
        return 202

    async def _status(self, visit: Visit, request_id: str) -> int:
        inbound = Inbound(b"", visit.headers, {}, self._site.now())
        gate = self.enter(visit, armed(self._site.gates.of_vendor(self.vendor)), inbound)
        seen = await self._seen(gate, request_id)
        if not seen.decided:
            await settle(self._site, seen.position)
            seen = await self._seen(gate, request_id)
        if not seen.decided:
            error = "Request not found. It might not be processed, yet."
            undecided = Unanswered(404, "undecided", error, "it is kept; ask again in a moment")
            undecided.kind = _NOT_YET
            raise undecided
        became = _became(seen, gate.source.name, waits=await self._waits(seen))
        said = {"data": became, "took": _took(visit), "requestId": request_id}
        await respond(visit.send, 200, orjson.dumps(said))
        return 200

    async def _seen(self, gate: Gate, request_id: str) -> Seen:
        """What the source had appended under that id. Raises Refused."""
        known = _REQUEST_ID.fullmatch(request_id)
        found = await asyncio.to_thread(entries.find, self._site.store, request_id) if known else None
        if found is None or _source_of(found) != gate.source.name:
            hint = "it is the requestId of an answer to this key"
            raise Unanswered(404, "unknown_request", "Request not found.", hint)
        return found

    async def _waits(self, seen: Seen) -> bool:
        """Whether it was an acknowledgement that still waits for its alert. Raises redis.RedisError."""
        if seen.verdict is None or seen.verdict.did != "remembered":
            return False
        facts = self._site.keys.state(Table.FACT)
        return bool(await self._site.client.hexists(facts, acknowledged(seen.verdict.fingerprint)))


def _took(visit: Visit) -> float:
    return round(perf_counter() - visit.began, 3)


def _invalid(inbound: Inbound, kept: Kept) -> Unanswered:
    hint = f"it is kept as a dead letter: tocsin dead show {', '.join(kept.dead)}"
    try:
        wrong = opsgenie.faults_of(opsgenie.body_of(inbound), inbound)
    except Unreadable as error:
        return Unanswered(400, "invalid", f"Could not parse request body: {error}", hint)
    said = "Request body is not processable. Please check the errors."
    invalid = Unanswered(422, "invalid", said, hint)
    invalid.errors = wrong
    return invalid


def _source_of(seen: Seen) -> str:
    entry = seen.entry
    if isinstance(entry, Signal):
        return entry.event.source
    return entry.source if isinstance(entry, AlertCommand) else ""


def _became(seen: Seen, integration: str, *, waits: bool) -> dict[str, Any]:
    verdict, entry = seen.verdict, seen.entry
    good = verdict is not None and verdict.did not in _IN_VAIN and not waits
    action, status = _DID[entry.verb] if isinstance(entry, AlertCommand) else ("Create", "Created alert")
    alias = entry.event.details.get("alias", "") if isinstance(entry, Signal) else ""
    return {
        "success": good,
        "action": action,
        "processedAt": iso(verdict.at if verdict else entry.at),
        "integrationId": integration,
        "isSuccess": good,
        "status": status if good else "Alert does not exist",
        "alertId": opsgenie.id_of(verdict.fingerprint) if verdict and good else "",
        "alias": alias if good else "",
    }
