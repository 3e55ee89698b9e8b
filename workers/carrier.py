"""One call to a vendor that carries a message: what its refusal means, and what to do about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from routing.entry import Outcome
from routing.errors import DeliveryError
from workers import http, redaction
from workers.answer import Answer, Call, HttpError
from workers.text import cut, one_line

Fault = dict[str, Any]
"""The body of a refusal as JSON; {} when it is none."""
_MOST_SAID = 200


def _message(fault: Fault) -> str:
    found = fault.get("message")
    return found if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True)
class Vendor:
    """`advice` by status: what to check. `said`: the vendor's own words. `outcome` and `wait_ms` know better than
    status and headers, where the vendor says it in the body.
    """

    name: str
    advice: Mapping[int, str] = field(default_factory=dict)
    said: Callable[[Fault], str] = _message
    outcome: Callable[[Answer, Fault], Outcome | None] = lambda _answer, _fault: None
    wait_ms: Callable[[Fault], int] = lambda _fault: 0


def ask(vendor: Vendor, call: Call) -> Answer:
    """A 2xx. Raises DeliveryError."""
    try:
        answer = http.call(call)
    except HttpError as error:
        # What may not be asked is not asked later either.
        outcome = Outcome.PERMANENT if error.outcome is Outcome.REFUSED else error.outcome
        raise DeliveryError(f"{vendor.name}: {error}", outcome=outcome) from error
    if not answer.ok:
        raise refused(vendor, answer)
    return answer


def refused(vendor: Vendor, answer: Answer) -> DeliveryError:
    """What any answer means that is a refusal, whatever its status."""
    fault = body(answer)
    words = [
        cut(redaction.text(one_line(vendor.said(fault))), _MOST_SAID),
        vendor.advice.get(answer.status, ""),
    ]
    told = "; ".join(word for word in words if word)
    return DeliveryError(
        f"{vendor.name} answered {answer.status}" + (f": {told}" if told else ""),
        outcome=vendor.outcome(answer, fault) or answer.outcome,
        retry_after_ms=answer.retry_after_ms or vendor.wait_ms(fault),
        answer=str(answer.status),
    )


def body(answer: Answer) -> Fault:
    """{} when it is no JSON object."""
    try:
        return answer.object()
    except HttpError:
        return {}


def unsure(vendor: Vendor, answer: Answer, what: str) -> DeliveryError:
    """It said yes in words that are not the vendor's: it may have been done."""
    said = f"{vendor.name}: {answer} {what}"
    return DeliveryError(said, outcome=Outcome.UNKNOWN, answer=str(answer.status))
