"""On call: who is, who follows, what is laid over the schedules."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from console.api.declared import Asked, Operation
from console.api.problems import Problem
from console.api.serving import routes
from console.api.shapes import Done, Free, Instant, Name, Sent, Shape, told
from console.doing import oncall as doing
from console.oncall import Duties
from console.overrides import laid, shown
from console.refusals import Nowhere
from console.trust.acts import Act
from routing.entry import OverrideKind, Shift


class Span(Shape):
    since: Annotated[Instant, Field(alias="from")]
    until: Instant


class Clash(Span):
    contact: str
    schedules: list[str]


class Duty(Shape):
    """`contact` "" where nobody is."""

    contact: str
    contacts: list[str]
    shadows: list[str]
    timezone: str
    contact_timezone: str
    reason: str
    since: Instant
    until: Instant
    next: list[str]
    unverified: dict[str, list[str]]
    feed: Free | None
    gaps: list[Span]
    double_booked: list[Clash]


class OnCall(Shape):
    """`remarks`: what is hardly meant, in words."""

    schedules: dict[str, Duty]
    remarks: list[str]


class At(Shape):
    at: Annotated[AwareDatetime | None, Field(description="When. Default: now.")] = None


class ShiftShape(Span):
    contact: str


class Override(Shape):
    id: str
    schedule: str
    kind: OverrideKind
    contact: str
    instead_of: str
    since: Annotated[Instant, Field(alias="from")]
    until: Instant
    back_from: Instant
    back_until: Instant
    by: str
    shifts: list[ShiftShape]


class Overrides(Shape):
    """The first to begin first."""

    overrides: list[Override]


class Setting(Sent):
    schedule: Name
    contact: Name
    since: Annotated[AwareDatetime | None, Field(alias="from", description="Default: now.")] = None
    until: Annotated[
        AwareDatetime | None, Field(description="Default: the end of the shift it begins in.")
    ] = None
    kind: OverrideKind = OverrideKind.REPLACE
    instead_of: Annotated[str, Field(max_length=200)] = ""


class Swapping(Sent):
    schedule: Name
    one: Name
    other: Name
    since: Annotated[AwareDatetime | None, Field(alias="from", description="Default: now.")] = None


class Laying(Sent):
    contact: Name
    since: Annotated[AwareDatetime, Field(alias="from")]
    until: AwareDatetime


class Temporary(Sent):
    schedule: Name
    shifts: Annotated[list[Laying], Field(min_length=1, max_length=100)]


class Set(Shape):
    override: str
    entry: str
    decided: bool
    said: list[str]


def now(asked: Asked) -> Free:
    at = in_ms(asked.queried(At).at, asked.now)
    found = Duties.at(asked.context, at)
    schedules = {name: found.as_json(name) for name in found.now}
    return {"schedules": schedules, "remarks": found.remarks(asked.context.policy)}


def overrides(asked: Asked) -> Free:
    return {"overrides": [shown(each) for each in laid(asked.context)]}


def one(asked: Asked) -> Free:
    found = next((each for each in laid(asked.context) if each.id == asked.path["id"]), None)
    if found is None:
        raise Nowhere(f"no override {asked.path['id'][:100]!r}; see: tocsin oncall overrides")
    return shown(found)


def override(asked: Asked) -> Free:
    sent = asked.sent(Setting)
    if sent.kind in {OverrideKind.SWAP, OverrideKind.TEMPORARY, OverrideKind.IMPORT}:
        raise Problem(
            422, f"body.kind: {sent.kind} is not set like this", "see /oncall/swaps and /oncall/temporary"
        )
    entry, done = doing.override(
        asked.context, asked.who, sent.schedule, sent.contact, in_ms(sent.since, asked.now), in_ms(sent.until, 0),
        sent.kind, sent.instead_of,
    )  # fmt: skip
    return {"override": entry.id, **told(done)}


def swap(asked: Asked) -> Free:
    sent = asked.sent(Swapping)
    since = in_ms(sent.since, asked.now)
    entry, done = doing.swap(asked.context, asked.who, sent.schedule, sent.one, sent.other, since)
    return {"override": entry.id, **told(done)}


def temporary(asked: Asked) -> Free:
    sent = asked.sent(Temporary)
    shifts = [
        Shift(contact=each.contact, from_at=in_ms(each.since, 0), until_at=in_ms(each.until, 0))
        for each in sent.shifts
    ]
    entry, done = doing.temporary(asked.context, asked.who, sent.schedule, shifts)
    return {"override": entry.id, **told(done)}


def remove(asked: Asked) -> Free:
    _, done = doing.remove(asked.context, asked.who, asked.path["id"])
    return told(done)


_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def in_ms(at: datetime | None, default: int) -> int:
    """Raises Problem."""
    if at is None:
        return default
    if not _FIRST <= at <= _LAST:
        raise Problem(422, f"{at.isoformat()} is too far away", "give a time between 2000 and 2100")
    return int(at.timestamp() * 1000)


OPERATIONS = (
    Operation(
        "GET",
        "/oncall",
        Act.READ,
        "Say who is on call in every schedule, and what is hardly meant about it.",
        now,
        OnCall,
        At,
    ),
    Operation("GET", "/oncall/overrides", Act.READ, "List the overrides that are set.", overrides, Overrides),
    Operation(
        "GET", "/oncall/overrides/{id}", Act.READ, "Show one override.", one, Override, refusals=(404,)
    ),
    Operation(
        "POST",
        "/oncall/overrides",
        Act.OVERRIDE,
        "Have somebody take a shift, or join or leave it, for a time.",
        override,
        Set,
        body=Setting,
        status=201,
        waits=True,
    ),
    Operation(
        "POST",
        "/oncall/swaps",
        Act.OVERRIDE,
        "Swap the next shift of one with the next one of another.",
        swap,
        Set,
        body=Swapping,
        status=201,
        waits=True,
    ),
    Operation(
        "POST",
        "/oncall/temporary",
        Act.OVERRIDE,
        "Lay shifts over a schedule; between them nothing else counts.",
        temporary,
        Set,
        body=Temporary,
        status=201,
        waits=True,
    ),
    Operation(
        "DELETE",
        "/oncall/overrides/{id}",
        Act.OVERRIDE,
        "Take it back: what it lay over counts again.",
        remove,
        Done,
        waits=True,
        reads=one,
        refusals=(404, 412),
    ),
)
ROUTES = routes(OPERATIONS)
