"""Why: the whole life of one thing; an event decided once more; how Tocsin does; who asks; reports."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from console import periods, replaying
from console.api.declared import Asked, Operation, few
from console.api.problems import Problem
from console.api.serving import routes
from console.api.shapes import Done, Free, Instant, Name, Sent, Shape, Why
from console.api.users import Granted
from console.doing import events
from console.doing.events import again
from console.doing.incidents import known
from console.refusals import Nowhere
from console.trust.acts import Act
from console.trust.grants import row
from ledger.position import lane_of
from ledger.views import signals
from ledger.views import status as read_status
from ledger.views import why as read_why
from ledger.views.reports.incident import facts
from ledger.views.reports.period import cases, measure
from ledger.views.signals import Sent as Signalled
from routing.language import expressions

AT_ONCE, LOOKED_AT = 100, 2_000
"""Events decided once more by one request, and events looked at for them."""


class Stage(Shape):
    at: Instant
    stage: str
    what: str
    reasons: list[Why]
    facts: Free


class Life(Shape):
    kind: str
    id: str
    incident: str
    life: list[Stage]


class Lives(Shape):
    """Every life the id may mean."""

    lives: list[Life]


class Status(Shape):
    """`ok` is false when something waits for a person's attention. `lanes`: what waits to be decided."""

    lanes: dict[str, int]
    decided: int
    decided_at: Instant
    policy: str
    dispatcher: str
    next_timer_at: Instant
    timer_overdue_ms: int
    outbox: int
    dead_letters: int
    incidents_open: int
    incidents_unacknowledged: int
    kill_switch: bool
    ok: bool


class Me(Shape):
    """`role`: the highest of `grants`; `teams`: for which, [] for all."""

    name: str
    role: str
    teams: list[str]
    grants: Granted
    way: str
    scopes: list[str]
    contact: str


class Facts(BaseModel):
    """What a report is made of; see docs/reports.md."""

    model_config = ConfigDict(extra="allow")


class Choosing(Sent):
    """All that came in a time, of a source, or that matches. Without a time: of a day until now."""

    sources: Annotated[list[Name], Field(max_length=100)] = []
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    matchers: Annotated[list[Name], Field(max_length=20)] = []
    where: Annotated[
        str, Field(max_length=1_000, description="In JMESPath; see `tocsin replay --where`.")
    ] = ""


class Replaying(Sent):
    """Those named, or a page of those chosen: go on with `after` of the answer until it is "". A page looks at
    so many events only, and may have fewer than a hundred, or none. `read_again`: their bodies are read once more, by
    the configuration of now.
    """

    ids: Annotated[list[Name], Field(max_length=AT_ONCE)] = []
    choose: Choosing | None = None
    after: Annotated[str, Field(max_length=100)] = ""
    limit: Annotated[int, Field(ge=1, le=AT_ONCE)] = AT_ONCE
    read_again: bool = False
    dry_run: Annotated[bool, Field(description="Say what would become of each; nothing is kept.")] = False


class Once(Shape):
    """`id` of the replay. `became` "" where it is not decided yet; `error` why it was not replayed. `was`: what became
    of the event itself.
    """

    of: str
    at: Instant
    source: str
    kind: str
    status: str
    was: str
    id: str
    became: str
    incident: str
    error: str


class Replayed(Shape):
    """`after` "" is the last page of those chosen."""

    events: list[Once]
    after: str


class Period(Shape):
    period: Annotated[
        str,
        StringConstraints(max_length=40),
        Field(description="week, month, 2026-11 or 2026-11-01..2026-11-08.", examples=["month"]),
    ] = "month"
    timezone: Annotated[str, StringConstraints(max_length=60), Field(description="Whose days are meant.")] = (
        "UTC"
    )


def why(asked: Asked) -> Free:
    """Raises Nowhere."""
    context, asked_for = asked.context, asked.path["id"]
    lives = read_why(context.store, asked_for, sorted(context.policy.sources))
    if not lives:
        raise Nowhere(
            f"nothing is known of {asked_for[:100]!r}; see: tocsin incidents list, tocsin dead list"
        )
    return {"lives": [life.shown() for life in lives]}


def replay(asked: Asked) -> Free:
    replay_id, told = again(asked.context, asked.who, asked.path["id"])
    return {"entry": replay_id, "decided": True, "said": [told]}


def replay_many(asked: Asked) -> Free:
    sent = asked.sent(Replaying)
    chosen, after = _chosen(asked, sent)
    does = events.tried if sent.dry_run else events.many
    done = does(asked.context, asked.who, chosen, read_again=sent.read_again)
    return {"events": [asdict(each) for each in done], "after": after}


def _chosen(asked: Asked, sent: Replaying) -> tuple[list[Signalled], str]:
    """Raises Nowhere before anything is done, Problem."""
    if bool(sent.ids) == (sent.choose is not None):
        raise Problem(422, "body: name events, or choose them", "give `ids` or `choose`")
    if sent.choose is None:
        return [events.sent(asked.context, each) for each in sent.ids], ""
    if sent.after and lane_of(sent.after) is None:
        raise Problem(422, "body.after: this is no event's place", "pass `after` of the page before")
    by = sent.choose
    if not (by.sources or by.matchers or by.where or by.since or by.until):
        raise Problem(
            422, "body.choose: that is everything", "name a source, a time, matchers or a condition"
        )
    wanted = replaying.wanted(asked.context, by.sources, _at(by.since), _at(by.until), by.matchers, by.where)
    try:
        return signals.some(asked.context.store, wanted, sent.after, sent.limit, LOOKED_AT)
    except expressions.BadExpression as error:
        raise Problem(422, f"body.choose.where: {error}", "see docs/dead-letters.md") from error


def _at(given: datetime | None) -> int | None:
    return None if given is None else max(0, int(given.timestamp() * 1000))


def status(asked: Asked) -> Free:
    return read_status(asked.context.store, asked.now)


def me(asked: Asked) -> Free:
    actor = asked.actor
    return {
        "name": actor.name, **row(actor.grants), "way": actor.way,
        "scopes": sorted(actor.scopes), "contact": actor.contact,
    }  # fmt: skip


def report(asked: Asked) -> Free:
    incident = known(asked.context, asked.path["id"])
    whole = asked.context.store.whole(incident.id)
    if whole is None:
        raise Nowhere(f"{incident.id} moved to the archive just now; ask again")
    return facts(whole, asked.context.store.review(whole.incident), asked.now)


def period(asked: Asked) -> Free:
    wanted, context = asked.queried(Period), asked.context
    try:
        zone = ZoneInfo(wanted.timezone).key
        since, until = periods.read(wanted.period)(asked.now, zone)
    except (KeyError, ValueError, OSError, OverflowError) as error:
        fix = "write week, month, 2026-11 or 2026-11-01..2026-11-30, and an IANA name like Europe/Warsaw"
        raise Problem(422, "query: not a while, or not a zone", fix) from error
    if since >= until:
        raise Problem(422, "query.period: it ends before it begins", "give the earlier day first")
    zones = {name: contact.timezone for name, contact in context.policy.contacts.items()}
    found = list(cases(context.store, since, until, lambda _: None))
    return measure(found, since, until, asked.now, zones, zone)


OPERATIONS = (
    Operation("GET", "/why/{id}", Act.READ, "Tell the whole life of an event, incident, delivery, run or dead letter.",
              why, Lives, refusals=(404,)),
    Operation("POST", "/events/{id}/replay", Act.REPLAY, "Decide an event once more; the event itself stays as it was.",
              replay, Done, waits=True, refusals=(404,)),
    Operation("POST", "/events/replay", Act.REPLAY, "Decide many once more, or say what would become of each.",
              few(replay_many), Replayed, body=Replaying, refusals=(404,)),
    Operation("GET", "/status", Act.READ, "Say how Tocsin itself is doing.", status, Status),
    Operation("GET", "/me", Act.READ, "Say who asks, and what they may do.", me, Me),
    Operation("GET", "/reports/incidents/{id}", Act.READ, "What an incident's report is made of.", few(report), Facts,
              refusals=(404,)),
    Operation("GET", "/reports/period", Act.READ, "How all alarms of a while were.", few(period), Facts, Period,
              refusals=(422,)),
)  # fmt: skip
ROUTES = routes(OPERATIONS)
