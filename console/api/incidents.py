"""Incidents: a page of them, one, and the parts of one that may be many."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from console.api.declared import Asked, Operation
from console.api.problems import Problem
from console.api.serving import routes
from console.api.shapes import Free, Instant, Level, MaybeText, Paged, Sent, Shape, Toggle, Why, told
from console.doing import incidents as doing
from console.doing.incidents import known
from console.refusals import Nowhere
from console.trust.acts import Act
from console.trust.guard import check
from ledger.phases import OPEN
from ledger.views import Page, Wanted, detail, page
from ledger.views.incidents import alert as shown_alert
from ledger.views.incidents import moment as shown_moment
from routing.decision import Table
from routing.incident import Alert, Phase
from routing.record import decode
from routing.severity import Severity

READ = 500
"""So many incidents are read for one page."""
TOLD = 1_000
"""So many moments of one timeline."""
SHOWN = 200
"""So many alerts, deliveries, runs and moments of one incident are shown with it."""


class NextAction(Shape):
    at: Instant
    what: str


class Summary(Shape):
    id: str
    title: str
    severity: Level
    status: Phase
    team: str
    service: str
    opened_at: Instant
    acknowledged_at: Instant
    acknowledged_by: str
    resolved_at: Instant
    resolved_by: str
    respond_by: Instant
    resolve_by: Instant
    next_action: NextAction | None
    events: int
    firing: int
    archived: bool


class Incidents(Shape):
    """Newest first. `after` "" is the last page; a page may have fewer rows than `limit`, or none, before it."""

    incidents: list[Summary]
    after: str


class Wants(Paged):
    status: list[Phase] = []
    all: Annotated[Toggle, Field(description="Resolved ones too, where no status is given.")] = "false"
    severity: Annotated[Level | None, Field(description="This severe or worse.")] = None
    service: Annotated[str, StringConstraints(max_length=200)] = ""
    team: Annotated[str, StringConstraints(max_length=200)] = ""
    text: Annotated[str, StringConstraints(max_length=200), Field(description="Part of the title.")] = ""


class AlertShape(Shape):
    fingerprint: str
    source: str
    kind: str
    status: str
    count: int
    title: str
    summary: str
    severity: Level
    first_seen: Instant
    last_seen: Instant
    resolved_at: Instant
    flapping: bool
    why: str
    labels: dict[str, str]
    link: str


class DeliveryShape(Shape):
    id: str
    incident: str
    contact: str
    channel: str
    address: str
    kind: str
    status: str
    attempts: int
    repeat: bool
    provider_id: str
    answer: str
    error: str
    sandbox: bool
    why: str
    title: str
    held: str
    carrier: str
    at: Instant
    changed_at: Instant


class Step(Shape):
    id: str
    action: str
    mutates: bool
    attempts: int
    status: str
    output: Any
    error: str
    request: str
    params: Any
    repeat: bool
    began_at: Instant
    ended_at: Instant


class RunShape(Shape):
    id: str
    incident: str
    runbook: str
    version: int
    target: str
    mode: str
    status: str
    why: str
    requested_by: str
    inputs: dict[str, str]
    follows: str
    approval: Free | None
    approved_by: list[str]
    started_at: Instant
    deadline_at: Instant
    ended_at: Instant
    steps: list[Step]


class Moment(Shape):
    at: Instant
    what: str
    by: str
    client: str
    reasons: list[Why]
    entry: str
    policy: str


class Deploy(Shape):
    id: str
    project: str
    service: str
    by: str
    at: Instant
    link: str
    change: str


class Effect(Shape):
    id: str
    title: str
    status: Phase


class Whole(Summary):
    """Up to 200 of its alerts, deliveries, runs and last moments; `/alerts` and `/timeline` below it have the rest."""

    summary: str
    labels: dict[str, str]
    route: str
    policy_version: str
    escalation: Free | None
    paged: list[str]
    suspect: Deploy | None
    suspects: list[Deploy]
    silenced_by: str
    cause: str
    effects: list[Effect]
    flapping: int
    tried: str
    held_until: Instant
    snoozed_until: Instant
    merged_into: str
    process: Free | None
    reopened: int
    drill: str
    followups: list[Free]
    alerts: list[AlertShape]
    deliveries: list[DeliveryShape]
    runs: list[RunShape]
    timeline: list[Moment]


class Alerts(Shape):
    """In no order. `after` "" is the last page."""

    alerts: list[AlertShape]
    after: str


class Timeline(Shape):
    """Oldest first: the last thousand moments."""

    timeline: list[Moment]


class Opening(Sent):
    title: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    severity: Level = "SEV-2"
    service: Annotated[str, StringConstraints(max_length=200)] = ""
    team: Annotated[str, StringConstraints(max_length=200)] = ""
    summary: MaybeText = ""


class Opened(Shape):
    """`incident` "" where it could not be told which one it is."""

    incident: str
    entry: str
    decided: bool
    said: list[str]


def listing(asked: Asked) -> Free:
    wants = asked.queried(Wants)
    phases = frozenset(wants.status) or (frozenset() if wants.all == "true" else frozenset(OPEN))
    worst = Severity.parse(wants.severity) if wants.severity else None
    wanted = Wanted(phases, worst, team=wants.team, service=wants.service, text=wants.text)
    found = _page(asked, wanted, wants)
    return {"incidents": list(found.rows), "after": found.after}


def show(asked: Asked) -> Free:
    whole = asked.context.store.glance(asked.path["id"], SHOWN)
    if whole is None:
        raise Nowhere(f"no incident {asked.path['id'][:100]!r}; see: tocsin incidents list --all")
    return detail(whole, asked.context.store.effects(whole.incident.id))


def alerts(asked: Asked) -> Free:
    """Live ones come as the store gives them; archived ones by how many were seen."""
    incident, wants = known(asked.context, asked.path["id"]), asked.queried(Paged)
    after = int(wants.after) if wants.after.isascii() and wants.after.isdigit() else 0
    store = asked.context.store
    if store.is_here(incident.id):
        raws, following = store.owned_page(incident.id, Table.ALERT, wants.limit, min(after, _LARGEST))
        found = [decode(Alert, raw) for raw in raws]
    else:
        kept = store.alerts(incident.id, archived=True)
        found, following = kept[after : after + wants.limit], after + wants.limit
        following = 0 if following >= len(kept) else following
    return {"alerts": [shown_alert(each) for each in found], "after": str(following) if following else ""}


def timeline(asked: Asked) -> Free:
    incident = known(asked.context, asked.path["id"])
    return {"timeline": [shown_moment(each) for each in asked.context.store.moments(incident.id, TOLD)]}


def open_(asked: Asked) -> Free:
    sent = asked.sent(Opening)
    check(asked.actor, Act.OPEN, sent.team)
    incident, done = doing.opened(
        asked.context,
        asked.who,
        sent.title,
        Severity.parse(sent.severity),
        sent.service,
        sent.team,
        sent.summary,
    )
    return {"incident": incident, **told(done)}


_LARGEST = 2**63 - 1


def _page(asked: Asked, wanted: Wanted, wants: Paged) -> Page:
    try:
        return page(asked.context.store, wanted, wants.limit, wants.after, most=READ)
    except ValueError as error:
        raise Problem(422, f"query.after: {error}", "pass `after` of the page before") from error


OPERATIONS = (
    Operation("GET", "/incidents", Act.READ, "List incidents, newest first; open ones unless asked otherwise.",
              listing, Incidents, Wants, refusals=(422,)),
    Operation("POST", "/incidents", Act.OPEN, "Open an incident that no source reported.", open_, Opened, body=Opening,
              status=201, waits=True, refusals=(409, 412, 422)),
    Operation("GET", "/incidents/{id}", Act.READ, "Show everything about one incident.", show, Whole, refusals=(404,)),
    Operation("GET", "/incidents/{id}/alerts", Act.READ, "Page through its alerts, in no order.",
              alerts, Alerts, Paged, refusals=(404,)),
    Operation("GET", "/incidents/{id}/timeline", Act.READ, "Tell what happened, oldest first, with reasons.",
              timeline, Timeline, refusals=(404,)),
)  # fmt: skip
ROUTES = routes(OPERATIONS)
