"""Stripe, as far as we use it: endpoints, events, payments and refunds that hold state, refusals as Stripe's.

Bodies are taken apart as strictly as Stripe does: form-encoded, no parameter it does not know, no wrong type.
Idempotency keys are kept: the same request is answered with the first answer, another one is refused.
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vendor_server import Asked, Call, Reply, VendorServer

KEY = "rk_test_standin"
_TYPES = {
    400: "invalid_request_error", 401: "invalid_request_error", 402: "card_error", 403: "invalid_request_error",
    404: "invalid_request_error", 409: "idempotency_error", 429: "invalid_request_error",
}  # fmt: skip
_CODES = {
    402: "charge_already_refunded",
    404: "resource_missing",
    409: "idempotency_key_in_use",
    429: "rate_limit",
}

_CARDS = {
    "pm_card_visa": "succeeded", "pm_card_chargeDeclined": "requires_payment_method",
    "pm_card_authenticationRequired": "requires_action",
}  # fmt: skip
_TEXT, _NUMBER, _BOOL = r"[\s\S]{1,5000}", r"-?\d{1,12}", r"true|false"
_LIST = {
    "limit": r"[1-9]\d?|100",
    "starting_after": _TEXT,
    "ending_before": _TEXT,
    "created[gte]": _NUMBER,
    "created[lt]": _NUMBER,
}
_KNOWN: dict[tuple[str, str], dict[str, str]] = {
    ("GET", "webhook_endpoints"): {name: _LIST[name] for name in ("limit", "starting_after", "ending_before")},
    ("POST", "webhook_endpoints"): {
        "url": r"https?://.+", "enabled_events[]": r"[a-z_.*]+", "api_version": r"\d{4}-\d\d-\d\d(\.[a-z]+)?",
        "description": _TEXT,
    },
    ("POST", "webhook_endpoints/:id"): {"disabled": _BOOL, "url": r"https?://.+", "enabled_events[]": r"[a-z_.*]+"},
    ("GET", "webhook_endpoints/:id"): {},
    ("GET", "events"): {**_LIST, "delivery_success": _BOOL, "type": _TEXT, "types[]": _TEXT},
    ("GET", "payment_intents"): {**_LIST, "customer": _TEXT},
    ("POST", "payment_intents"): {
        "amount": r"\d{1,8}", "currency": r"[a-z]{3}", "payment_method": r"pm_\w+", "payment_method_types[]": "card",
        "confirm": _BOOL, "description": r"[\s\S]{1,1000}",
    },
    ("GET", "payment_intents/:id"): {},
    ("GET", "disputes"): {**_LIST, "payment_intent": _TEXT, "charge": _TEXT},
    ("GET", "refunds"): {**_LIST, "payment_intent": _TEXT, "charge": _TEXT},
    ("POST", "refunds"): {
        "payment_intent": _TEXT, "charge": _TEXT, "amount": _NUMBER, "metadata[tocsin-step]": r"[\s\S]{1,500}",
        "reason": "duplicate|fraudulent|requested_by_customer",
    },
}  # fmt: skip


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str, param: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = _fault(status, code, message, param)


class StripeStandin(VendorServer):
    """`refund_status`: what becomes of refunds."""

    def __init__(self, *, port: int = 0, log: Path | None = None) -> None:
        super().__init__(port=port, log=log)
        self.endpoints: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.intents: list[dict[str, Any]] = []
        self.refunds: list[dict[str, Any]] = []
        self.disputes: list[dict[str, Any]] = []
        self.refund_status = "succeeded"
        self.thin: list[dict[str, Any]] = []
        """Thin events as they are when they are fetched."""
        self.objects: dict[str, dict[str, Any]] = {}
        """Objects that thin events are about, by the address that they name."""
        self.destinations: list[dict[str, Any]] = []
        self.contexts: dict[str, str] = {}
        """Address of an object -> the account it belongs to."""
        self._answers: dict[str, tuple[str, Reply]] = {}
        self._numbers = iter(range(1, 1_000_000))

    def settings(self, **changes: str) -> dict[str, str]:
        """What an action needs to use it."""
        return {"api_key": KEY, "base_url": self.url, **changes}

    @property
    def changes(self) -> list[Call]:
        return [call for call in self.calls if call.done and call.method == "POST"]

    def endpoint(
        self, url: str = "https://shop.example/hook", status: str = "enabled", **more: Any
    ) -> dict[str, Any]:
        made = {
            "id": f"we_{next(self._numbers)}", "object": "webhook_endpoint", "url": url, "status": status,
            "enabled_events": ["payment_intent.succeeded", "charge.refunded"], "api_version": "2026-10-28.endive",
            "created": _now(), "livemode": False, "metadata": {}, "description": None, "application": None, **more,
        }  # fmt: skip
        self.endpoints.insert(0, made)
        return made

    def event(
        self, type_: str = "payment_intent.succeeded", *, age_s: int = 60, pending: int = 1
    ) -> dict[str, Any]:
        number = next(self._numbers)
        about = {
            "id": f"pi_{number}",
            "object": "payment_intent",
            "amount": 12_000,
            "currency": "pln",
            "status": "succeeded",
        }
        made = {
            "id": f"evt_{number}", "object": "event", "type": type_, "created": _now() - age_s, "livemode": False,
            "pending_webhooks": pending, "api_version": "2026-10-28.endive", "data": {"object": about},
            "request": {"id": f"req_{number}", "idempotency_key": None},
        }  # fmt: skip
        self.events.append(made)
        self.events.sort(key=lambda each: -each["created"])
        return made

    def intent(
        self, status: str = "succeeded", *, decline: str = "", amount: int = 10_000, **more: Any
    ) -> dict[str, Any]:
        error = {
            "type": "card_error",
            "code": "card_declined",
            "decline_code": decline,
            "message": "declined",
        }
        made = {
            "id": f"pi_{next(self._numbers)}", "object": "payment_intent", "status": status, "amount": amount,
            "amount_received": amount if status == "succeeded" else 0, "currency": "pln", "created": _now(),
            "capture_method": "automatic", "confirmation_method": "automatic", "livemode": False,
            "payment_method_types": ["card"], "last_payment_error": error if decline else None, **more,
        }  # fmt: skip
        self.intents.insert(0, made)
        return made

    def dispute(
        self, status: str = "needs_response", *, due_in_s: int = 604_800, amount: int = 10_000, **more: Any
    ) -> dict[str, Any]:
        """`due_in_s` 0: the bank takes no answer."""
        number = next(self._numbers)
        details = {
            "due_by": _now() + due_in_s if due_in_s else 0, "has_evidence": False, "past_due": False,
            "submission_count": 0,
        }  # fmt: skip
        made = {
            "id": f"dp_{number}", "object": "dispute", "amount": amount, "balance_transactions": [],
            "charge": f"ch_{number}", "created": _now(), "currency": "pln", "evidence": {"customer_name": "Ola"},
            "evidence_details": details, "is_charge_refundable": False, "livemode": False, "metadata": {},
            "payment_intent": f"pi_{number}", "reason": "fraudulent", "status": status, **more,
        }  # fmt: skip
        self.disputes.insert(0, made)
        return made

    def fault(self, status: int) -> Any:
        return _fault(status, _CODES.get(status, ""), f"scripted {status}")

    def answer(self, asked: Asked) -> Reply:
        try:
            return self._answered(asked)
        except Refused as refused:
            return Reply(refused.status, refused.body)

    def _answered(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            raise Refused(401, "", "Invalid API Key provided: rk_test_****")
        if asked.method == "GET" and (asked.path.startswith("/v2/") or asked.path in self.objects):
            return self._told(asked)
        given = _given(asked)
        key = asked.headers.get("idempotency-key", "")
        if asked.method != "POST" or not key:
            return self._done(asked, given)
        said = f"{asked.path} {sorted(given.items())}"
        if key in self._answers:
            before, reply = self._answers[key]
            if before != said:
                raise Refused(
                    400, "idempotency_error", "Keys for idempotent requests can only be used with the same"
                )
            return Reply(reply.status, reply.body, {"Idempotent-Replayed": "true"})
        reply = self._done(asked, given)
        self._answers[key] = (said, reply)
        return reply

    def _told(self, asked: Asked) -> Reply:
        """Thin events, and objects by their address, of the account that the context names."""
        if asked.path.startswith("/v2/") and not asked.headers.get("stripe-version"):
            raise Refused(400, "", "The Stripe-Version header is required")
        if asked.path == "/v2/core/event_destinations":
            if not set(asked.query) <= {"limit", "page", "include[0]"}:
                raise Refused(400, "parameter_unknown", "Received unknown parameter")
            shown = [each if "include[0]" in asked.query else {**each, "webhook_endpoint": None}
                     for each in self.destinations]  # fmt: skip
            return Reply(200, {"data": shown, "next_page_url": None, "previous_page_url": None})
        if asked.path == "/v2/core/events":
            return self._thin_page(asked)
        known = {f"/v2/core/events/{each['id']}": each for each in self.thin} | self.objects
        found = known.get(asked.path)
        context = (found or {}).get("context") or self.contexts.get(asked.path, "")
        if found is None or context != asked.headers.get("stripe-context", ""):
            raise Refused(404, "resource_missing", "No such object", "id")
        return Reply(200, found)

    def _thin_page(self, asked: Asked) -> Reply:
        """Newest first; a place in the list is told as an address, and nothing says what was delivered."""
        if not set(asked.query) <= {"limit", "page", *(f"types[{n}]" for n in range(20))}:
            raise Refused(400, "parameter_unknown", "Received unknown parameter")
        types = [values[0] for name, values in asked.query.items() if name.startswith("types[")]
        shown = [each for each in reversed(self.thin) if not types or each["type"] in types]
        limit, begin = int(asked.query.get("limit", ["20"])[0]), int(asked.query.get("page", ["0"])[0])
        more = begin + limit < len(shown)
        next_ = f"/v2/core/events?limit={limit}&page={begin + limit}" if more else None
        data = [{name: value for name, value in each.items() if name != "data"} for each in shown]
        return Reply(
            200, {"data": data[begin : begin + limit], "next_page_url": next_, "previous_page_url": None}
        )

    def _done(self, asked: Asked, given: dict[str, Any]) -> Reply:  # one for each route
        match asked.method, asked.path.removeprefix("/v1/").split("/"):
            case "GET", ["webhook_endpoints"]:
                return _page(self.endpoints, given, asked.path)
            case "GET", ["webhook_endpoints", id_]:
                return Reply(200, _found(self.endpoints, id_))
            case "POST", ["webhook_endpoints"]:
                return self._create_endpoint(given)
            case "POST", ["webhook_endpoints", id_]:
                return self._update_endpoint(_found(self.endpoints, id_), given)
            case "GET", ["events" | "payment_intents" | "refunds" | "disputes" as what]:
                return _page([each for each in self._listed(what) if _wanted(each, given)], given, asked.path)
            case "GET", ["payment_intents", id_]:
                return Reply(200, _found(self.intents, id_))
            case "POST", ["payment_intents"]:
                return self._create_intent(given)
            case "POST", ["refunds"]:
                return self._create_refund(given)
        raise Refused(404, "", f"Unrecognized request URL ({asked.method}: {asked.path})")

    def _listed(self, what: str) -> list[dict[str, Any]]:
        return {
            "events": self.events, "payment_intents": self.intents, "refunds": self.refunds,
            "disputes": self.disputes,
        }[what]  # fmt: skip

    def _create_endpoint(self, given: dict[str, Any]) -> Reply:
        for name in ("url", "enabled_events[]"):
            if not given.get(name):
                raise Refused(400, "parameter_missing", f"Missing required param: {name}.", name)
        more = {name: given[name] for name in ("api_version", "description") if name in given}
        made = self.endpoint(given["url"], enabled_events=given["enabled_events[]"], **more)
        return Reply(200, {**made, "secret": f"whsec_{made['id']}SecretSaidOnce"})

    def _update_endpoint(self, found: dict[str, Any], given: dict[str, Any]) -> Reply:
        if "disabled" in given:
            found["status"] = "disabled" if given["disabled"] == "true" else "enabled"
        return Reply(200, found)

    def _create_intent(self, given: dict[str, Any]) -> Reply:
        """The test mode's cards: docs.stripe.com/testing."""
        for name in ("amount", "currency"):
            if not given.get(name):
                raise Refused(400, "parameter_missing", f"Missing required param: {name}.", name)
        card = given.get("payment_method", "")
        if card not in _CARDS:
            raise Refused(400, "resource_missing", f"No such PaymentMethod: '{card}'", "payment_method")
        made = self.intent(_CARDS[card], amount=int(given["amount"]), currency=given["currency"])
        if made["status"] == "requires_payment_method":
            fault = _fault(402, "card_declined", "Your card was declined.")
            fault["error"] |= {"decline_code": "generic_decline", "payment_intent": made}
            return Reply(402, fault)
        return Reply(200, made)

    def _create_refund(self, given: dict[str, Any]) -> Reply:
        intent = _found(self.intents, given.get("payment_intent", ""))
        back = sum(each["amount"] for each in self.refunds if each["payment_intent"] == intent["id"])
        amount = int(given.get("amount", intent["amount_received"] - back))
        if amount > intent["amount_received"] - back:
            raise Refused(
                400,
                "amount_too_large",
                f"Refund amount ({amount}) is greater than unrefunded amount",
                "amount",
            )
        made = {
            "id": f"re_{next(self._numbers)}", "object": "refund", "amount": amount, "currency": intent["currency"],
            "payment_intent": intent["id"], "created": _now(), "reason": given.get("reason"),
            "status": self.refund_status, "metadata": {"tocsin-step": given.get("metadata[tocsin-step]", "")},
        }  # fmt: skip
        if self.refund_status == "failed":
            made["failure_reason"] = "expired_or_canceled_card"
        self.refunds.insert(0, made)
        return Reply(200, made)


def _given(asked: Asked) -> dict[str, Any]:
    """The parameters; a list for names that end with []. Raises Refused."""
    known = _KNOWN.get((asked.method, re.sub(r"/[a-z]+_\w+$", "/:id", asked.path.removeprefix("/v1/"))))
    if known is None:
        raise Refused(404, "", f"Unrecognized request URL ({asked.method}: {asked.path})")
    if asked.method == "POST" and asked.headers.get("content-type") != "application/x-www-form-urlencoded":
        raise Refused(400, "", "Invalid request: the content type is not a form's")
    given = dict(asked.query)
    if asked.method == "POST":
        if given:
            raise Refused(400, "parameter_unknown", "parameters belong into the body")
        given = asked.form if asked.body else {}
    return dict(_checked(given, known))


def _checked(given: dict[str, list[str]], known: dict[str, str]) -> Iterator[tuple[str, Any]]:
    for name, values in given.items():
        if name not in known:
            raise Refused(400, "parameter_unknown", f"Received unknown parameter: {name}", name)
        if any(not re.fullmatch(known[name], value) for value in values):
            raise Refused(400, "parameter_invalid", f"Invalid {name}", name)
        if name.endswith("[]"):
            yield name, values
        elif len(values) > 1:
            raise Refused(400, "parameter_invalid", f"{name} was given twice", name)
        else:
            yield name, values[0]


def _wanted(each: dict[str, Any], given: dict[str, Any]) -> bool:
    if each["created"] < int(given.get("created[gte]", 0)):
        return False
    if each["created"] >= int(given.get("created[lt]", each["created"] + 1)):
        return False
    if given.get("delivery_success") == "false" and not each["pending_webhooks"]:
        return False
    if given.get("payment_intent", each.get("payment_intent")) != each.get("payment_intent"):
        return False
    return each.get("type") in given.get("types[]", [each.get("type")])


def _page(found: list[dict[str, Any]], given: dict[str, Any], path: str) -> Reply:
    ids = [each["id"] for each in found]
    after = given.get("starting_after")
    if after and after not in ids:
        raise Refused(400, "resource_missing", f"No such object: {after}", "starting_after")
    rest = found[ids.index(after) + 1 :] if after else found
    limit = int(given.get("limit", 10))
    return Reply(200, {"object": "list", "url": path, "data": rest[:limit], "has_more": len(rest) > limit})


def _found(known: list[dict[str, Any]], id_: str) -> dict[str, Any]:
    for each in known:
        if each["id"] == id_:
            return each
    raise Refused(404, "resource_missing", f"No such object: '{id_}'", "id")


def _fault(status: int, code: str, message: str, param: str = "") -> dict[str, Any]:
    told = {"type": _TYPES.get(status, "api_error"), "message": message}
    return {"error": {**told, **({"code": code} if code else {}), **({"param": param} if param else {})}}


def _now() -> int:
    return time.time_ns() // 1_000_000_000
