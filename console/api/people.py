"""People: how each is reached and whether that was shown; channels, what they would send; drills."""

from itertools import islice
from typing import Annotated, Literal

from pydantic import Field

from console import previewing, trying
from console.api.declared import Asked, Operation
from console.api.problems import Problem
from console.api.serving import routes
from console.api.shapes import Done, Free, Instant, Level, Sent, Shape, told
from console.channels import row
from console.contacts import shown
from console.doing.entries import do
from console.drills import Ended, answered_after, coming, next_one
from console.reaching import Reach, reaches
from console.refusals import Clash, Nowhere
from console.trust.acts import Act
from routing.entry import Verified
from routing.severity import Severity
from routing.templates import choosing

READ = 1_000


class Way(Shape):
    contact: str
    channel: str
    address: str
    pages: list[str]
    placeholder: bool
    verified: str
    stale: bool
    stopped: str


class Contacts(Shape):
    contacts: list[Way]


class Vouching(Sent):
    """`over`: take it back. `channel` "" is every one of theirs."""

    channel: Annotated[str, Field(max_length=200)] = ""
    over: bool = False


class Trying(Sent):
    """`channel` "" is every one of theirs. `code`: one that they return."""

    channel: Annotated[str, Field(max_length=200)] = ""
    code: bool = False


class Trials(Shape):
    """Ids of the messages: `GET /why/{id}` tells what became of each."""

    trials: list[str]


class ChannelShape(Shape):
    channel: str
    vendor: str
    title: str
    rings: bool
    attempts: int
    timeout_ms: int
    contacts: list[str]
    missing: list[str]
    origin: str


class Channels(Shape):
    channels: list[ChannelShape]


class Previewing(Sent):
    kind: Literal[choosing.KINDS] = "page"  # type: ignore[valid-type]  # the kinds there are
    severity: Level | None = None
    incident: Annotated[str, Field(max_length=200)] = ""
    contact: Annotated[str, Field(max_length=200)] = ""


class Preview(Shape):
    channel: str
    vendor: str
    to: str
    kind: str
    severity: Level
    fields: dict[str, str]
    characters: dict[str, int]
    templates: dict[str, str]
    failures: list[str]
    missing: list[str]
    paces: list[Free]
    refused: str


class Previews(Shape):
    previews: list[Preview]


class NextDrill(Shape):
    drill: str
    at: Instant
    escalation: str
    origin: str


class HeldDrill(Shape):
    id: str
    drill: str
    at: Instant
    severity: Level
    paged: list[str]
    answered_by: str
    answer_ms: int | None
    outcome: str


class Drills(Shape):
    """`held` are those among the last thousand incidents, newest first."""

    next: list[NextDrill]
    held: list[HeldDrill]


def contacts(asked: Asked) -> Free:
    return {"contacts": [shown(each) for each in reaches(asked.context)]}


def _of(asked: Asked, channel: str) -> list[Reach]:
    """Raises Nowhere, Clash."""
    name = asked.path["contact"]
    if name not in asked.context.policy.contacts:
        raise Nowhere(f"no contact {name[:100]!r}; see: tocsin contacts list")
    mine = [
        each
        for each in reaches(asked.context)
        if each.contact.name == name and channel in {"", each.method.channel}
    ]
    if not mine:
        raise Problem(422, f"body.channel: {name} is not reached by it", "see /contacts")
    if unset := next((each for each in mine if each.method.is_placeholder), None):
        raise Clash(
            f"{unset.method.channel} of {name} is a placeholder; fill it in at {unset.contact.origin}"
        )
    return mine


def vouch(asked: Asked) -> Free:
    sent = asked.sent(Vouching)
    done = [
        do(asked.context, asked.who, Verified(
            at=asked.now, by=asked.who.name, client=asked.who.client, channel=each.method.channel,
            address=each.method.address, over=sent.over,
        ))
        for each in _of(asked, sent.channel)
    ]  # fmt: skip
    return told(done[-1])


def try_(asked: Asked) -> Free:
    sent = asked.sent(Trying)
    mine = _of(asked, sent.channel)
    return {
        "trials": [
            trying.send(asked.context, asked.who, each.contact.name, each.method, code=sent.code).id
            for each in mine
        ]
    }


def channels(asked: Asked) -> Free:
    policy = asked.context.policy
    return {"channels": [row(policy, each) for each in policy.channels.values()]}


def preview(asked: Asked) -> Free:
    sent, name = asked.sent(Previewing), asked.path["channel"]
    if name not in asked.context.policy.channels:
        raise Nowhere(f"no channel {name[:100]!r}; see: tocsin channels list")
    level = Severity.parse(sent.severity) if sent.severity else None
    wanted = previewing.Wanted(name, sent.kind, level, sent.incident, sent.contact)
    return {"previews": [each.as_json() for each in previewing.previews(asked.context, wanted)]}


def drills(asked: Asked) -> Free:
    newest = islice(asked.context.store.incidents(), READ)
    held = [Ended(incident, answered_after(incident)).as_json() for incident, _ in newest if incident.drill]
    return {"next": [next_one(rule, at) for rule, at in coming(asked.context)], "held": held}


OPERATIONS = (
    Operation(
        "GET",
        "/contacts",
        Act.READ,
        "List every method of every contact, and whether it was shown to work.",
        contacts,
        Contacts,
    ),
    Operation(
        "POST",
        "/contacts/{contact}/vouch",
        Act.TRY_CONTACT,
        "Say that they were reached by it, or take that back.",
        vouch,
        Done,
        body=Vouching,
        waits=True,
        refusals=(404,),
    ),
    Operation(
        "POST",
        "/contacts/{contact}/test",
        Act.TRY_CONTACT,
        "Send a real test to them; it says that it is one.",
        try_,
        Trials,
        body=Trying,
        waits=True,
        refusals=(404,),
    ),
    Operation(
        "GET",
        "/channels",
        Act.READ,
        "List every channel, what it lacks to be real, and who is reached by it.",
        channels,
        Channels,
    ),
    Operation(
        "POST",
        "/channels/{channel}/preview",
        Act.REHEARSE,
        "Show what it would send; nothing is sent.",
        preview,
        Previews,
        body=Previewing,
        refusals=(404,),
    ),
    Operation(
        "GET", "/drills", Act.READ, "List when each drill comes next, and the last ones held.", drills, Drills
    ),
)
ROUTES = routes(OPERATIONS)
