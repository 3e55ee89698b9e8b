"""What Stripe could not deliver, taken in through our own front door."""

from typing import Any, Final

from pydantic import Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers import front_door
from workers.credentials import NoCredentialsError
from workers.deadline import Deadline
from workers.stripe.api import Stripe, stopped
from workers.stripe.reading import Undelivered, find_undelivered

_REMEMBERED_MINUTES: Final = 4_320


class ReplayEvents(Undelivered):
    """`source`: the name of our source that Stripe posts to.

    More than `most` are never all reached, for Stripe lists the newest and goes on listing what came in by replay.
    No further back than a source remembers ids (`dedup`, 3 days if left out): what is older could come in twice.
    """

    minutes: int = Field(default=1_440, ge=1, le=_REMEMBERED_MINUTES)
    source: str = Field(default="stripe", pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")


def replay_events(step: Step, params: ReplayEvents) -> dict[str, Any]:
    """Take in what Stripe could not deliver, oldest first, through our own front door, which knows each by its id.

    {"undelivered", "more", "accepted", "dead", "refused", "affects"}. Raises ActionError when the receiver
    takes nothing; what was posted by then is not taken in again.
    """
    deadline = Deadline(step.timeout_s)
    found, more = find_undelivered(Stripe(step), step, params)
    count = front_door.Count()
    for posted, event in enumerate(reversed(found)):
        if not step.allowed():
            raise stopped()
        try:
            front_door.post(step, params.source, event, deadline.left(), count)
        except NoCredentialsError:
            raise
        except (ActionError, TimeoutError) as error:
            wait = error.retry_after_ms if isinstance(error, ActionError) else 0
            outcome = error.outcome if isinstance(error, ActionError) else Outcome.TEMPORARY
            said = f"{posted} of {len(found)} events were posted; {error}"
            raise ActionError(said, outcome=outcome, retry_after_ms=wait) from error
    return {
        "undelivered": len(found),
        "more": more,
        "accepted": count.accepted,
        "dead": count.dead,
        "refused": count.refused,
        "affects": len(found),
    }
