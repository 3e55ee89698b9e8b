"""The policy in force: its version, where labels lead, and what a scenario would come to."""

from typing import Annotated

from pydantic import Field, StringConstraints

from console.against_history import MOST_ENTRIES, compared
from console.api.declared import Asked, Operation, few
from console.api.serving import routes
from console.api.shapes import Free, Instant, Level, Name, Sent, Shape
from console.probes import looked, looks
from console.probes import shown as shown_probe
from console.routes import shown
from console.runbooks import played_tests
from console.scheduled import coming
from console.scheduled import shown as shown_scheduled
from console.simulate import shown as shown_judged
from console.trust.acts import Act
from ledger import policies
from ledger.catalogue import catalogue
from routing import routes as tree
from routing.instant import DAY
from routing.load import load
from routing.schema.scenario import read_scenario
from routing.simulation.judge import rehearse

LARGE = 262_144
LARGEST = 2_097_152
"""As much as the console takes at all."""
Label = Annotated[str, StringConstraints(max_length=1_000)]


class PolicyShape(Shape):
    """`files` by name: what the configuration says, its secrets as names of variables."""

    version: str
    files: dict[str, str]


class Labels(Sent):
    labels: Annotated[
        dict[Label, Label], Field(max_length=200, examples=[{"severity": "SEV-1", "team": "payments"}])
    ]


class Step(Shape):
    """`after_ms` since the page began."""

    after_ms: int
    who: list[str]


class Match(Shape):
    path: list[str]
    escalation: str
    reasons: list[str]
    group: str
    steps: list[Step]


class Matches(Shape):
    routes: list[Match]


class Scenario(Sent):
    scenario: Annotated[
        str, StringConstraints(max_length=200_000), Field(description="As in config/tests, YAML.")
    ]


class Line(Shape):
    at: Instant
    incident: str
    what: str
    reasons: list[str]


class Next(Shape):
    at: Instant
    what: str


class Outcome(Shape):
    """As it stands at the end."""

    id: str
    title: str
    severity: Level
    status: str
    paged: list[str]
    open: bool
    next: Next | None


class Failure(Shape):
    at: str
    expected: str
    found: str


class Judged(Shape):
    """`ok` false: an expectation of the scenario does not hold."""

    title: str
    start: Instant
    timezone: str
    ok: bool
    lines: list[Line]
    incidents: list[Outcome]
    failures: list[Failure]
    expectations: int


class Change(Sent):
    """`files` by name, like "config/routes.yaml": those that are to be others, or with `whole` all there are to be."""

    files: Annotated[
        dict[Annotated[str, StringConstraints(max_length=200)], Annotated[str, StringConstraints(max_length=200_000)]],
        Field(max_length=500),
    ]  # fmt: skip
    whole: bool = False
    days: Annotated[int, Field(ge=1, le=3_660)] = 30
    limit: Annotated[int, Field(ge=1, le=500, description="At most so many differences.")] = 50


class Counts(Shape):
    incidents: dict[str, int]
    pages: int
    pages_by_contact: dict[str, int]
    people: int
    updates: int
    open_minutes: int
    unanswered_minutes: int


class Side(Shape):
    did: str
    severity: Level | None
    paged: list[str]


class Difference(Shape):
    event: str
    title: str
    before: Side
    after: Side


class Comparison(Shape):
    """`cut`: older entries were not played; `more`: more events were treated differently than are told."""

    entries: int
    cut: bool
    in_force: str
    tried: str
    before: Counts
    after: Counts
    differences: list[Difference]
    more: bool


class Which(Sent):
    runbooks: Annotated[
        list[Name], Field(max_length=200, description="Of these; of all where none is named.")
    ] = []


class TestLine(Shape):
    after_ms: int
    what: str


class Tested(Shape):
    """`failure` "" where it came as its test says; `lines` is all that happened."""

    runbook: str
    test: str
    ok: bool
    at: str
    failure: str
    lines: list[TestLine]


class Tests(Shape):
    tests: list[Tested]


class Probe(Shape):
    name: str
    action: str
    every: str
    fails: str
    kind: str
    origin: str
    state: str
    at: Instant
    look: str | None
    what: str
    took_ms: int | None
    usual_ms: int | None
    since: Instant


class Probes(Shape):
    """`looked` false: nobody looks at all."""

    probes: list[Probe]
    looked: bool


class Scheduled(Shape):
    name: str
    every: str
    next_at: Instant
    timezone: str
    kind: str
    title: str
    origin: str


class Calendar(Shape):
    """The next first."""

    scheduled: list[Scheduled]


def show(asked: Asked) -> Free:
    version = asked.context.policy.version
    return {"version": version, "files": policies.files_of(asked.context.client, asked.context.keys, version)}


def route(asked: Asked) -> Free:
    labels, policy = dict(asked.sent(Labels).labels), asked.context.policy
    return {"routes": [shown(each, labels, policy) for each in tree.match(policy, labels)]}


def simulate(asked: Asked) -> Free:
    policy = asked.context.policy
    return shown_judged(
        rehearse(policy, read_scenario("scenario.yaml", asked.sent(Scenario).scenario, policy))
    )


def compare(asked: Asked) -> Free:
    """Nothing goes live by it."""
    sent, context = asked.sent(Change), asked.context
    files = {} if sent.whole else policies.files_of(context.client, context.keys, context.policy.version)
    new = load({**files, **sent.files}, catalogue())
    return compared(context, new, asked.now - sent.days * DAY, limit=sent.limit, most=MOST_ENTRIES)


def test_runbooks(asked: Asked) -> Free:
    context = asked.context
    files = policies.files_of(context.client, context.keys, context.policy.version)
    return {"tests": played_tests(context.policy, files, asked.sent(Which).runbooks)}


def probes(asked: Asked) -> Free:
    rows = [shown_probe(*row) for row in looks(asked.context, asked.now)]
    return {"probes": rows, "looked": looked(asked.context)}


def scheduled(asked: Asked) -> Free:
    return {"scheduled": [shown_scheduled(*row) for row in coming(asked.context.policy, asked.now)]}


OPERATIONS = (
    Operation("GET", "/policy", Act.READ, "Show the configuration in force.", show, PolicyShape),
    Operation(
        "POST",
        "/policy/route",
        Act.REHEARSE,
        "Say which route takes these labels.",
        route,
        Matches,
        body=Labels,
    ),
    Operation(
        "POST",
        "/policy/simulate",
        Act.REHEARSE,
        "Play a scenario under a simulated clock.",
        few(simulate),
        Judged,
        body=Scenario,
        most_bytes=LARGE,
    ),
    Operation(
        "POST",
        "/policy/compare",
        Act.REHEARSE,
        "Hold changed files against what really came in; nothing goes live.",
        few(compare),
        Comparison,
        body=Change,
        most_bytes=LARGEST,
        description="At most the newest 5,000 entries are played.",
    ),
    Operation(
        "POST",
        "/policy/runbook-tests",
        Act.REHEARSE,
        "Play the runbooks' own tests under a simulated clock.",
        few(test_runbooks),
        Tests,
        body=Which,
        optional_body=True,
    ),
    Operation("GET", "/probes", Act.READ, "List every probe with its last look.", probes, Probes),
    Operation(
        "GET",
        "/scheduled",
        Act.READ,
        "List what comes by the calendar, with when it comes next.",
        scheduled,
        Calendar,
    ),
)
ROUTES = routes(OPERATIONS)
