"""Calendars: shifts as iCalendar to take along, and shifts of a calendar laid over a schedule."""

from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from console.api.declared import Asked, Operation, few
from console.api.oncall import ShiftShape, in_ms
from console.api.problems import Problem
from console.api.serving import routes
from console.api.shapes import Free, Instant, Length, Name, Sent, Shape, told
from console.doing import calendars
from console.oncall import exported
from console.serving.doors import MAX_BODY
from console.trust.acts import Act
from routing import duration
from routing.instant import DAY

LONGEST_MS = 2 * 366 * DAY


class Exporting(Shape):
    """Without `person` everybody's, without `schedule` those of all."""

    person: Annotated[str, StringConstraints(max_length=200), Field(description="Whose shifts.")] = ""
    schedule: Annotated[str, StringConstraints(max_length=200), Field(description="Only of this one.")] = ""
    since: Annotated[AwareDatetime | None, Field(alias="from", description="Default: now.")] = None
    length: Annotated[Length, Field(alias="for", description="How far ahead; two years at most.")] = "90d"


class Importing(Sent):
    """`names` say whose a title is; a title of `skip` is no shift. `file` is what messages call the calendar."""

    schedule: Name
    calendar: Annotated[str, StringConstraints(min_length=1), Field(description="As RFC 5545 has it.")]
    names: dict[str, Name] = {}
    skip: Annotated[list[str], Field(max_length=500)] = []
    since: Annotated[
        AwareDatetime | None, Field(alias="from", description="Default: now, and the 30 days before it.")
    ] = None
    length: Annotated[Length, Field(alias="for", description="How far ahead; two years at most.")] = "90d"
    exclusive: Annotated[bool, Field(description="Nobody is on call between the shifts.")] = False
    dry_run: bool = False
    file: Annotated[str, StringConstraints(max_length=200)] = "the calendar"


class Unknown(Shape):
    """The first of `times` appointments of one title. `write`: what the command line would be told about it."""

    line: int
    uid: str
    title: str
    since: Annotated[Instant, Field(alias="from")]
    times: int
    found: str
    write: str


class Laid(Shape):
    """`unknown`: whose these are is not known; while there are any, nothing is changed."""

    id: str
    schedule: str
    changed: bool
    dry_run: bool
    exclusive: bool
    since: Annotated[Instant, Field(alias="from")]
    until: Instant
    shifts: list[ShiftShape]
    remarks: list[str]
    unknown: list[Unknown]
    entry: str
    decided: bool
    said: list[str]


def export(asked: Asked) -> str:
    wants = asked.queried(Exporting)
    since = in_ms(wants.since, asked.now)
    return exported(asked.context, wants.person, wants.schedule, since, _length("query", wants.length))


def import_(asked: Asked) -> Free:
    sent = asked.sent(Importing)
    wanted = calendars.Wanted(
        sent.schedule, sent.calendar.encode("utf-8", "replace"), sent.names, sent.skip, in_ms(sent.since, 0),
        _length("body", sent.length), sent.exclusive, sent.file,
    )  # fmt: skip
    laid = calendars.lay(asked.context, asked.who, wanted, dry_run=sent.dry_run)
    done = told(laid.done) if laid.done else {"entry": "", "decided": True, "said": []}
    return laid.as_json() | done


def _length(where: str, text: str) -> int:
    """In ms. Raises Problem."""
    found = duration.parse(text)
    if not 0 < found <= LONGEST_MS:
        raise Problem(422, f"{where}.for: two years at most", "write for example 90d")
    return found


OPERATIONS = (
    Operation("GET", "/oncall/calendar.ics", Act.READ, "Shifts as an iCalendar file: a person's, a schedule's, or all.",
              export, None, Exporting, media="text/calendar"),
    Operation("POST", "/oncall/import", Act.OVERRIDE, "Lay the shifts of a calendar over a schedule as one thing.",
              few(import_), Laid, body=Importing, waits=True, most_bytes=MAX_BODY),
)  # fmt: skip
ROUTES = routes(OPERATIONS)
