"""The policy in force: its version, where labels lead, and what a scenario would come to."""

from typing import Annotated

from pydantic import Field, StringConstraints

from console.api.declared import Asked, Operation, few
from console.api.serving import routes
from console.api.shapes import Free, Instant, Level, Sent, Shape
from console.probes import looks
from console.probes import shown as shown_probe
from console.routes import shown
from console.scheduled import coming
from console.scheduled import shown as shown_scheduled
from console.simulate import shown as shown_judged
from console.trust.acts import Act
from ledger import policies
from routing import routes as tree
from routing.schema.scenario import read_scenario
from routing.simulation.judge import rehearse

LARGE = 262_144
Label = Annotated[str, StringConstraints(max_length=1_000)]


class PolicyShape(Shape):
    """`files` by name: what the configuration says, its secrets as names of variables."""

    version: str
    files: dict[str, str]


class Labels(Sent):
    labels: Annotated[
        dict[Label, Label], Field(max_length=200, examples=[{"severity": "SEV-1", "team": "payments"}])
    ]


class Match(Shape):
    path: list[str]
    escalation: str
    reasons: list[str]
    group: str


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


class Outcome(Shape):
    id: str
    title: str
    severity: Level
    status: str
    paged: list[str]


class Failure(Shape):
    at: str
    expected: str
    found: str


class Judged(Shape):
    """`ok` false: an expectation of the scenario does not hold."""

    title: str
    start: Instant
    ok: bool
    lines: list[Line]
    incidents: list[Outcome]
    failures: list[Failure]


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
    probes: list[Probe]


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
    labels = dict(asked.sent(Labels).labels)
    return {"routes": [shown(each, labels) for each in tree.match(asked.context.policy, labels)]}


def simulate(asked: Asked) -> Free:
    policy = asked.context.policy
    return shown_judged(
        rehearse(policy, read_scenario("scenario.yaml", asked.sent(Scenario).scenario, policy))
    )


def probes(asked: Asked) -> Free:
    return {"probes": [shown_probe(*row) for row in looks(asked.context, asked.now)]}


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
