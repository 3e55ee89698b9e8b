"""The outbox: what would have been sent, had the channels' credentials been there; answered as its person would."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import StringConstraints

from console.api.declared import Asked, Operation
from console.api.incidents import DeliveryShape
from console.api.problems import Problem
from console.api.serving import routes
from console.api.shapes import Done, Free, Instant, Level, Paged, Sent, Shape, told
from console.doing.entries import do
from console.doing.incidents import known
from console.outbox import shown
from console.refusals import Nowhere
from console.trust.acts import Act
from ledger import sandbox
from ledger.position import is_stream_id
from ledger.sandbox import Unsent
from ledger.views.incidents import delivery as shown_delivery
from routing.delivery import Delivery
from routing.entry import Answer

MOST = 1_000


class UnsentShape(Shape):
    """`fields` are the vendor's own, its links cut for whoever may not answer; `missing` the variables that would have
    made it real.
    """

    id: str
    at: Instant
    delivery: str
    attempt: int
    incident: str
    contact: str
    channel: str
    vendor: str
    to: str
    kind: str
    severity: Level
    fields: dict[str, str]
    missing: list[str]
    repeat: bool
    sandbox: bool


class Outbox(Shape):
    """Newest first. `after` "" is the last page."""

    outbox: list[UnsentShape]
    after: str


class Attempts(Shape):
    """Newest first."""

    attempts: list[UnsentShape]


class Pressed(Sent):
    text: Annotated[str, StringConstraints(min_length=1, max_length=200)]


def listing(asked: Asked) -> Free:
    wants = asked.queried(Paged)
    if wants.after and not is_stream_id(wants.after):
        raise Problem(422, "query.after: this is no place in the outbox", "pass `after` of the page before")
    found = sandbox.listing(asked.context.client, asked.context.keys, wants.limit, wants.after)
    return {
        "outbox": _shown(asked, found),
        "after": found[-1].id if len(found) == wants.limit else "",
    }


def show(asked: Asked) -> Free:
    name = asked.path["delivery"]
    found = sandbox.listing(asked.context.client, asked.context.keys, MOST)
    mine = [each for each in found if each.delivery == name]
    if not mine:
        raise Nowhere(f"{name[:100]} is not in the outbox; see: tocsin outbox")
    return {"attempts": _shown(asked, mine)}


def _shown(asked: Asked, found: Sequence[Unsent]) -> list[Free]:
    """A link that acknowledges is an answer: it is for those who may give one."""
    may = {name: _may_answer(asked, name) for name in {each.incident for each in found}}
    return [shown(each, links=may[each.incident]) for each in found]


def _may_answer(asked: Asked, incident: str) -> bool:
    found = asked.context.store.incident(incident) if incident else None
    return asked.actor.may(Act.ANSWER, found.team if found else "")


def delivery(asked: Asked) -> Free:
    return shown_delivery(_delivery(asked))


def _delivery(asked: Asked) -> Delivery:
    name = asked.path["delivery"]
    whole = asked.context.store.glance(name.rpartition("-")[0], MOST)
    found = next((each for each in whole.deliveries if each.id == name), None) if whole else None
    if found is None:
        raise Nowhere(f"no delivery {name[:100]!r}; they are like INC-12-d1")
    return found


def team_of(asked: Asked) -> str:
    return known(asked.context, _delivery(asked).incident).team


def answer(asked: Asked) -> Free:
    found = _delivery(asked)
    entry = Answer(
        at=asked.now, by=asked.who.name, client=asked.who.client, channel="the sandbox", text=asked.sent(Pressed).text,
        delivery=found.id,
    )  # fmt: skip
    return told(do(asked.context, asked.who, entry, found.incident))


OPERATIONS = (
    Operation("GET", "/outbox", Act.READ, "List what would have been sent, newest first.", listing, Outbox, Paged),
    Operation("GET", "/outbox/{delivery}", Act.READ, "Show exactly what a delivery would have sent.", show, Attempts,
              refusals=(404,)),
    Operation("POST", "/outbox/{delivery}/answer", Act.ANSWER, "Press 4, 5 or 6, or write ack, as its person would.",
              answer, Done, body=Pressed, waits=True, team=team_of, refusals=(404,)),
    Operation("GET", "/deliveries/{delivery}", Act.READ, "Show one delivery of an incident.", delivery, DeliveryShape,
              refusals=(404,)),
)  # fmt: skip
ROUTES = routes(OPERATIONS)
