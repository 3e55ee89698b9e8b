"""Stripe's API, as far as its actions share it: who asks, in which time, and what a refusal means.

Our own client instead of the stripe package's: a step has one deadline for all of its calls, each call is in the
audit, and the package repeats by itself but neither a plain 429 nor as long as Retry-After says. Sources:
docs.stripe.com/api (errors, pagination, idempotent requests), /rate-limits.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers import http, redaction
from workers.answer import Answer, Call, HttpError
from workers.credentials import NoCredentialsError
from workers.deadline import Deadline

BASE_URL: Final = "https://api.stripe.com"
PAGE: Final = 100
ID: Final = r"^{}_[A-Za-z0-9_]{{1,128}}$"

_DECLINED: Final = 402
_CONFLICT: Final = 409
_TOO_MANY: Final = 429
_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 8.0
_LEAST_LEFT_S: Final = 0.2

_ADVICE: Final = {
    400: "Stripe does not take the request; the message says which parameter",
    401: "check STRIPE_API_KEY",
    402: "the request was sound and could not be carried out; look at the payment in the Dashboard",
    403: "the key may not do this: give the restricted key the permission it names",
    404: "check the id; a test key sees no live objects and a live key no test ones",
    409: "another request with the same idempotency key is under way",
    429: "too many requests for now",
}

MONTH_MINUTES: Final = 43_200
MOST_SHOWN: Final = 50
GONE: Final = frozenset({"failed", "canceled"})
"""Statuses of refunds that give nothing back."""

_MINUTE_MS: Final = 60_000

Form = Mapping[str, str | list[str]]


class Params(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Stripe:
    """One step's conversation. Everything in it raises ActionError."""

    def __init__(self, step: Step, headers: Mapping[str, str] = {}) -> None:
        self._step = step
        self._headers = headers
        self._deadline = Deadline(step.timeout_s)
        self._key = step.settings.get("api_key", "")
        if not self._key:
            raise NoCredentialsError("no Stripe key: set STRIPE_API_KEY")

    def read(self, path: str, query: Form | None = None) -> dict[str, Any]:
        return _object(self._ask("GET", path, query=query or {}))

    def listed(self, path: str, query: Form, most: int) -> tuple[list[dict[str, Any]], bool]:
        """At most `most` of a list, newest first, and whether there are more."""
        found: list[dict[str, Any]] = []
        after: dict[str, str | list[str]] = {}
        while True:
            limit = str(min(PAGE, most - len(found)))
            page = self.read(path, {**query, "limit": limit, **after})
            items = page.get("data")
            found += [each for each in items if isinstance(each, dict)] if isinstance(items, list) else []
            more = page.get("has_more") is True and bool(items)
            if not more or len(found) >= most:
                return found, more
            after = {"starting_after": str(found[-1].get("id", ""))}

    def change(self, path: str, form: Form, key: str) -> dict[str, Any]:
        """POST, unless automation was stopped meanwhile. `key` "" is for what may be done twice by its nature.

        So silence is answered with a repeat; what is still not known then stays unknown.
        """
        if not self._step.allowed():
            raise stopped()
        try:
            return _object(self._ask("POST", path, form=form, key=key, patience=0.5))
        except ActionError as error:
            if error.outcome is not Outcome.UNKNOWN or not self._step.allowed():
                raise
            return _object(self._ask("POST", path, form=form, key=key))

    def tried(self, path: str, form: Form, key: str) -> dict[str, Any]:
        """POST in the test mode, where nothing is anybody's: no kill switch is asked, and silence leaves no doubt.

        A card that is declined is an answer: `declined` says why.
        """
        try:
            answer = self._answer("POST", path, form=form, key=key)
            if answer.status == _DECLINED:
                return {"livemode": False, "declined": str(refused(answer))}
            if answer.ok:
                return _object(answer)
            raise refused(answer)
        except ActionError as error:
            if error.outcome is not Outcome.UNKNOWN:
                raise
            raise ActionError(
                str(error), outcome=Outcome.TEMPORARY, retry_after_ms=error.retry_after_ms
            ) from error

    def _ask(self, method: str, path: str, *, key: str = "", patience: float = 1.0, **given: Any) -> Answer:
        answer = self._answer(method, path, key=key, patience=patience, **given)
        if not answer.ok:
            raise refused(answer)
        return answer

    def _answer(
        self, method: str, path: str, *, key: str = "", patience: float = 1.0, **given: Any
    ) -> Answer:
        """Backs off while Stripe asks for it and there is time. `patience`: the share of the time to take."""
        wait_s = _FIRST_WAIT_S
        while True:
            answer = self._once(method, path, key, patience, given)
            if (
                answer.status not in {_CONFLICT, _TOO_MANY}
                or answer.headers.get("stripe-should-retry") == "false"
            ):
                break
            asked_s = answer.retry_after_ms / 1000 or wait_s
            if asked_s + _LEAST_LEFT_S >= self._left():
                break
            time.sleep(asked_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
        return answer

    def _once(self, method: str, path: str, key: str, patience: float, given: dict[str, Any]) -> Answer:
        headers = {**self._headers, "authorization": f"Bearer {self._key}"}
        call = Call(
            method=method,
            url=address(self._step, path),
            mutates=method != "GET",
            timeout_s=max(_LEAST_LEFT_S, self._left() * patience),
            headers={**headers, "idempotency-key": key} if key else headers,
            **given,
        )
        try:
            return http.call(call)
        except HttpError as error:
            raise ActionError(f"Stripe: {error}", outcome=error.outcome) from error

    def _left(self) -> float:
        with suppress(TimeoutError):
            return self._deadline.left()
        return 0.0


def since(step: Step, minutes: int) -> dict[str, str | list[str]]:
    """What a list is asked for what was made in the last so many minutes."""
    return {"created[gte]": str((step.now - minutes * _MINUTE_MS) // 1000)}


def idempotency_key(step: Step, action: str, *about: object) -> str:
    """The step's own, or one that follows from what is asked, so that a repeat of the step has the same."""
    if step.idempotency_key:
        return step.idempotency_key[:255]
    return f"tocsin-{sha256(orjson.dumps([action, *about])).hexdigest()[:40]}"


def stopped() -> ActionError:
    return ActionError("the kill switch is on, or the lock on the target was lost", outcome=Outcome.REFUSED)


def refused(answer: Answer) -> ActionError:
    """Stripe's {"error": {"type", "code", "decline_code", "message", "param"}} in words."""
    fault: Any = None
    with suppress(HttpError):
        fault = answer.object().get("error")
    fault = fault if isinstance(fault, dict) else {}
    code = str(fault.get("decline_code") or fault.get("code") or fault.get("type") or "")
    said = redaction.text(str(fault.get("message", "")))[:200]
    words = [f"{answer}", code, said, _ADVICE.get(answer.status, "")]
    return ActionError(
        "Stripe: " + "; ".join(word for word in words if word),
        outcome=Outcome.TEMPORARY if answer.status == _CONFLICT else answer.outcome,
        retry_after_ms=answer.retry_after_ms,
    )


def address(step: Step, path: str) -> str:
    return (step.settings.get("base_url") or BASE_URL).rstrip("/") + path


def text(holder: Mapping[str, Any], name: str) -> str:
    found = holder.get(name)
    return found[:500] if isinstance(found, str) else ""


def number(holder: Mapping[str, Any], name: str) -> int:
    found = holder.get(name)
    return found if isinstance(found, int) else 0


def _object(answer: Answer) -> dict[str, Any]:
    try:
        return answer.object()
    except HttpError as error:
        raise ActionError(f"Stripe: {error}", outcome=error.outcome) from error
