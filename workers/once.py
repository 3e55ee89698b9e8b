"""Changes at vendors that know no idempotency key: nothing is asked for twice that may have been done."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step

Output = dict[str, Any]

_LOOK_S = 2.0
"""What a look is given though the step's time is used up: it settles what the silence before it left open."""
_CHANGE_S = 0.2


class ConflictError(ActionError):
    """The vendor says that something stands against it: something else under way, or the change itself, done."""

    def __init__(self, reason: str, *, retry_after_ms: int = 0) -> None:
        super().__init__(reason, outcome=Outcome.TEMPORARY, retry_after_ms=retry_after_ms)


def seconds(step: Step, *, mutates: bool) -> float:
    """How long the step's next call may take, so that all of them together keep to the step's timeout.

    After it the step counts as silent and is offered to somebody else, who must not find a change of ours still to
    come. Raises ActionError, TEMPORARY, when no change can be begun any more.
    """
    left = step.left()
    if mutates and left < _CHANGE_S:
        said = "the step's time was used up before the change was asked for: give it a longer timeout"
        raise ActionError(said, outcome=Outcome.TEMPORARY)
    return min(step.timeout_s, left if mutates else max(left, _LOOK_S))


def once(look: Callable[[], Output | None], ask: Callable[[], Output]) -> Output:
    """Ask, unless `look` finds it done. After silence or a conflict look once more.

    `look` returns what to put out when it is done already, else None. Raises ActionError; UNKNOWN only when the
    second look did not find it either.
    """
    found = look()
    return {**found, "already": True} if found is not None else settled(look, ask)


def settled(look: Callable[[], Output | None], ask: Callable[[], Output]) -> Output:
    """The same for what is known not to be done yet."""
    try:
        return ask()
    except ActionError as error:
        if error.outcome is not Outcome.UNKNOWN and not isinstance(error, ConflictError):
            raise
        with suppress(ActionError):  # then nobody can tell, and what is known is the first error
            found = look()
            if found is not None:
                return {**found, "already": True}
        raise
