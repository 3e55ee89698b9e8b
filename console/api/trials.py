"""Whether people are reached: tests that are sent for real, codes that come back, a person's word."""

from itertools import islice
from typing import Annotated

from pydantic import Field, StringConstraints

from console import trying
from console.api.declared import Asked, Operation
from console.api.people import Way
from console.api.problems import Problem
from console.api.serving import routes
from console.api.shapes import Done, Free, Instant, Paged, Sent, Shape, told
from console.contacts import shown
from console.doing import contacts as doing
from console.reaching import Reach
from console.refusals import Nowhere
from console.trust.acts import Act
from ledger.views.times import iso
from routing.delivery import Delivery

Channel = Annotated[str, Field(max_length=200, description='"" is every one of theirs.')]


class Vouching(Sent):
    """`over`: take it back."""

    channel: Channel = ""
    over: bool = False


class Trying(Sent):
    """`code`: one that they return."""

    channel: Channel = ""
    code: bool = False


class Returning(Sent):
    """The `code` they told you."""

    channel: Channel = ""
    code: Annotated[str, StringConstraints(pattern=r"^\s*[0-9]{3}[ -]?[0-9]{3}\s*$", max_length=20)]


class Sendings(Shape):
    """Ids of the messages: `GET /trials/{id}` tells what became of each."""

    trials: list[str]


class Proven(Shape):
    proven: list[Way]


class Trial(Shape):
    """Latencies in ms since it was decided; null for what has not happened, or was passed unseen.

    `reached`: its provider took it, and it did not stay in the sandbox.
    """

    id: str
    contact: str
    channel: str
    address: str
    at: Instant
    progress: str
    accepted_ms: int | None
    delivered_ms: int | None
    answered_ms: int | None
    provider_id: str
    sandbox: bool
    error: str
    reached: bool


class Trials(Shape):
    """Of the last days, newest first. `after` "" is the last page."""

    trials: list[Trial]
    after: str


def _ways(asked: Asked, channel: str) -> list[Reach]:
    """Raises Nowhere, click.UsageError."""
    name = asked.path["contact"]
    if name not in asked.context.policy.contacts:
        raise Nowhere(f"no contact {name[:100]!r}; see: tocsin contacts list")
    return doing.ways(asked.context, name, channel)


def vouch(asked: Asked) -> Free:
    sent = asked.sent(Vouching)
    done = [
        doing.vouch(asked.context, asked.who, each, over=sent.over) for each in _ways(asked, sent.channel)
    ]
    return told(done[-1])


def try_(asked: Asked) -> Free:
    sent = asked.sent(Trying)
    mine = _ways(asked, sent.channel)
    for each in mine if sent.code else ():
        doing.refuse_placeholder(each)
    found = [
        trying.send(asked.context, asked.who, each.contact.name, each.method, code=sent.code) for each in mine
    ]
    return {"trials": [each.id for each in found]}


def give_back(asked: Asked) -> Free:
    sent = asked.sent(Returning)
    right = doing.give_back(asked.context, asked.who, _ways(asked, sent.channel), sent.code)
    return {"proven": [shown(each) for each in right]}


def trial(asked: Asked) -> Free:
    name = asked.path["id"]
    found = next((each for each in trying.tests(asked.context) if each.id == name), None)
    if found is None:
        raise Nowhere(f"no test {name[:100]!r}; they are kept for a week")
    return _shown(found)


def trials(asked: Asked) -> Free:
    wants, found = asked.queried(Paged), trying.tests(asked.context)
    places = [each.id for each in found]
    if wants.after and wants.after not in places:
        raise Problem(422, "query.after: this is no test", "pass `after` of the page before")
    start = places.index(wants.after) + 1 if wants.after else 0
    page = list(islice(found, start, start + wants.limit))
    return {
        "trials": [_shown(each) for each in page],
        "after": page[-1].id if start + wants.limit < len(found) else "",
    }


def _shown(delivery: Delivery) -> Free:
    return {**trying.outcome(delivery).as_json(), "at": iso(delivery.created_at)}


OPERATIONS = (
    Operation("POST", "/contacts/{contact}/vouch", Act.TRY_CONTACT, "Say that they were reached, or take it back.",
              vouch, Done, body=Vouching, waits=True, refusals=(404,)),
    Operation("POST", "/contacts/{contact}/test", Act.TRY_CONTACT, "Send a real test to them; it says that it is one.",
              try_, Sendings, body=Trying, waits=True, refusals=(404,)),
    Operation("POST", "/contacts/{contact}/code", Act.TRY_CONTACT, "Give back the code of a test that they told you.",
              give_back, Proven, body=Returning, waits=True, refusals=(404,)),
    Operation("GET", "/trials", Act.READ, "List tests, and what became of each.", trials, Trials, Paged),
    Operation("GET", "/trials/{id}", Act.READ, "Say what became of a test.", trial, Trial, refusals=(404,)),
)  # fmt: skip
ROUTES = routes(OPERATIONS)
