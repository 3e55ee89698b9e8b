"""One call to a vendor that carries a message: what its refusal means, and what to do about it."""

from collections.abc import Callable, Mapping
from typing import Any

from routing.entry import Outcome
from routing.errors import DeliveryError
from workers import http, redaction
from workers.answer import Answer, Call, HttpError
from workers.text import cut, one_line

_MOST_SAID = 200


def ask(
    vendor: str,
    call: Call,
    advice: Mapping[int, str],
    said: Callable[[dict[str, Any]], str],
    outcomes: Callable[[Answer, dict[str, Any]], Outcome | None] = lambda _answer, _body: None,
) -> Answer:
    """A 2xx. Raises DeliveryError with the vendor's own words, as `said` finds them in its JSON, and the advice for its
    status; `outcomes` knows better than the status where the vendor means something else by it.
    """
    try:
        answer = http.call(call)
    except HttpError as error:
        raise DeliveryError(f"{vendor}: {error}", outcome=error.outcome) from error
    if answer.ok:
        return answer
    body = fault(answer)
    words = [cut(redaction.text(one_line(said(body))), _MOST_SAID), advice.get(answer.status, "")]
    told = "; ".join(word for word in words if word)
    raise DeliveryError(
        f"{vendor} answered {answer.status}" + (f": {told}" if told else ""),
        outcome=outcomes(answer, body) or answer.outcome,
        retry_after_ms=answer.retry_after_ms,
        answer=str(answer.status),
    )


def fault(answer: Answer) -> dict[str, Any]:
    """The body as an object; {} when it is none."""
    try:
        return answer.object()
    except HttpError:
        return {}


def unsure(vendor: str, answer: Answer, what: str) -> DeliveryError:
    """It said yes in words that are not the vendor's: it may have been done."""
    return DeliveryError(f"{vendor}: {answer} {what}", outcome=Outcome.UNKNOWN, answer=str(answer.status))
