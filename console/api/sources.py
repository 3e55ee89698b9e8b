"""Sources: when each last sent, what was refused and why; taking one aside; what becomes of a body."""

from typing import Annotated

from pydantic import Field, StringConstraints

from console import readings
from console.api.declared import Asked, Does, Operation
from console.api.serving import routes
from console.api.shapes import Done, Free, Instant, Level, Name, Sent, Shape, sent_bytes, told
from console.doing import samples
from console.doing.runbooks import switch
from console.refusals import Nowhere
from console.sources import one, rows
from console.trust.acts import Act
from ledger.rehearsals import Answered

LARGE = 2_097_152


class Told(Shape):
    """`quiet_when`: learned, never, or after how long a silence."""

    name: str
    vendor: str
    last_at: Instant
    last_hour: int
    quiet_when: str
    quiet_since: Instant
    quiet_because: str | None
    refused: dict[str, int]


class Source(Told):
    team: str
    service: str
    paused: bool
    origin: str


class Sources(Shape):
    sources: list[Source]


class WholeSource(Told):
    """`examples`: the last requests that were refused, redacted. `setup`: what to do at the vendor's."""

    examples: list[Free]
    setup: str


class Body(Sent):
    """The body as text, or as base64 where it is none. `headers` with their names in lower case."""

    body: Annotated[str, StringConstraints(max_length=1_048_576)] | None = None
    base64: Annotated[str, StringConstraints(max_length=1_500_000)] | None = None
    headers: Annotated[dict[str, str], Field(max_length=100)] = {}


class Sample(Sent):
    """One that `tocsin send --list` has for its vendor."""

    sample: Name


class SampleSent(Shape):
    """`taken` false: no receiver was there, and it is not sent any more. `status`: what the receiver answered."""

    taken: bool
    status: int
    accepted: list[str]
    dead: list[str]
    said: list[str]


class EventShape(Shape):
    kind: str
    status: str
    key: str
    title: str
    id: str
    vendor_severity: str
    severity: Level
    handling: str
    team: str
    service: str
    labels: dict[str, str]
    reasons: list[str]


class Unread(Shape):
    reason: str
    where: str


class CommandShape(Shape):
    verb: str
    alert: str
    by: str


class Reading(Shape):
    """`commands`: what it would do to an incident. `unread`: what would be a dead letter."""

    events: list[EventShape]
    commands: list[CommandShape]
    unread: list[Unread]


def listing(asked: Asked) -> Free:
    return {"sources": rows(asked.context, asked.now)}


def show(asked: Asked) -> Free:
    return one(asked.context, _known(asked), asked.now)


def _known(asked: Asked) -> str:
    name = asked.path["name"]
    if name not in asked.context.policy.sources:
        raise Nowhere(f"no source {name[:100]!r}; see: tocsin sources list")
    return name


def _switch(*, on: bool) -> Does:
    return lambda asked: told(switch(asked.context, asked.who, f"pause:{_known(asked)}", on=on))


def test(asked: Asked) -> Free:
    """Nothing is sent or kept; no signature is asked for."""
    sent, policy = asked.sent(Body), asked.context.policy
    source = policy.sources[_known(asked)]
    if not source.secrets:
        raise Nowhere(f"source {source.name!r} reads no body from outside; see: tocsin sources list")
    return readings.as_rows(readings.read(policy, source, sent_bytes(sent.body, sent.base64), sent.headers))


def send(asked: Asked) -> Free:
    """For real: whoever is on call for it is paged."""
    source = asked.context.policy.sources[_known(asked)]
    found = samples.sent(asked.context, asked.who, source, asked.sent(Sample).sample)
    told = found or Answered(sample="", at=0)
    return {
        "taken": found is not None, "status": told.status, "accepted": told.accepted, "dead": told.dead,
        "said": told.said,
    }  # fmt: skip


OPERATIONS = (
    Operation(
        "GET",
        "/sources",
        Act.READ,
        "List every source: when it last sent, how much, what was refused.",
        listing,
        Sources,
    ),
    Operation(
        "GET",
        "/sources/{name}",
        Act.READ,
        "Show one source: why requests were refused, and how it is set up.",
        show,
        WholeSource,
        refusals=(404,),
    ),
    Operation(
        "POST",
        "/sources/{name}/pause",
        Act.PAUSE_SOURCE,
        "Take its events aside: kept, but nobody is alarmed.",
        _switch(on=True),
        Done,
        waits=True,
        refusals=(404,),
    ),
    Operation(
        "POST",
        "/sources/{name}/resume",
        Act.PAUSE_SOURCE,
        "Heed its events again.",
        _switch(on=False),
        Done,
        waits=True,
        refusals=(404,),
    ),
    Operation(
        "POST",
        "/sources/{name}/test",
        Act.REHEARSE,
        "Say what becomes of a body; nothing is sent or kept.",
        test,
        Reading,
        body=Body,
        most_bytes=LARGE,
        refusals=(404,),
    ),
    Operation(
        "POST",
        "/sources/{name}/samples",
        Act.SEND_SAMPLE,
        "Have a receiver send a sample, signed as its vendor signs; it counts like any other.",
        send,
        SampleSent,
        body=Sample,
        refusals=(404,),
    ),
)
ROUTES = routes(OPERATIONS)
