"""People: how each is reached and whether that was shown; channels, what they would send; drills."""

from typing import Annotated, Literal

from pydantic import Field

from console import previewing
from console.api.declared import Asked, Operation
from console.api.serving import routes
from console.api.shapes import Free, Level, Sent, Shape
from console.channels import row
from console.contacts import shown
from console.reaching import reaches
from console.refusals import Nowhere
from console.trust.acts import Act
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
    state: str
    counts: bool
    origin: str


class Contacts(Shape):
    contacts: list[Way]


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


def contacts(asked: Asked) -> Free:
    return {"contacts": [shown(each) for each in reaches(asked.context)]}


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
)
ROUTES = routes(OPERATIONS)
