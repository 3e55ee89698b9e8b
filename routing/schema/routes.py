"""`routes.yaml`: the route tree. A route inherits from its parent what it does not say itself."""

from dataclasses import replace
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

from routing.instant import HOUR, MINUTE, SECOND
from routing.policy import Route
from routing.schema.fields import (
    Duration,
    LabelName,
    Many,
    Matchers,
    Name,
    PolicyName,
    PositiveDuration,
    SeverityField,
)
from routing.schema.part import Part, Spot
from routing.schema.refusal import Refusal
from routing.schema.target import TargetPart
from routing.schema.written import SEVERITY, shown_as
from routing.severity import Severity

REOPEN_MS = 1_800_000

T = TypeVar("T")


def _urgent(severity: Severity) -> Severity:
    if severity > Severity.SEV1:
        raise Refusal(f"{severity} may wait for its group", "write SEV-1, or SEV-0 to let SEV-1 wait too")
    return severity


_URGENT = SEVERITY | {"enum": [str(each) for each in Severity if each <= Severity.SEV1]}

AtOnce = Annotated[SeverityField, AfterValidator(_urgent), shown_as(_URGENT)]


class RoutePart(Part):
    name: Name = Field(description="a name to find it by, like payments")
    match: Matchers = Field(description='matchers, like [team="payments"]')
    escalation: PolicyName | None = Field(
        default=None, description="name of an escalation policy; the parent's where left out"
    )
    group_by: Many[LabelName] | None = Field(
        default=None, description="labels that alerts of one incident share; the parent's where left out"
    )
    reopen: Duration | None = Field(
        default=None, description="how long after its end an incident is opened again by the same, like 30m"
    )
    inform: Many[TargetPart] | None = Field(default=None, description="who is told quietly as well")
    group_wait: Duration | None = Field(
        default=None, description="how long the first page waits for its group"
    )
    group_interval: PositiveDuration | None = Field(default=None, description="how often joins are told")
    repeat_interval: Duration | None = Field(
        default=None, description="how often inform hears it is still open"
    )
    at_once: AtOnce | None = Field(default=None, description="SEV-1 or SEV-0: this severe never waits")
    goes_on: bool = Field(
        default=False, alias="continue", description="true: routes after it are looked at too"
    )
    routes: "Many[RoutePart]" = Field(default=(), description="routes below it, the first that matches")


class RootPart(Part):
    name: Name = Field(default="root", description="a name to find it by")
    escalation: PolicyName = Field(description="name of the escalation policy where no other route says")
    group_by: Many[LabelName] = Field(description="labels that alerts of one incident share, like [service]")
    reopen: Duration = Field(
        default=REOPEN_MS,
        description="how long after its end an incident is opened again by the same, like 30m",
    )
    inform: Many[TargetPart] = Field(default=(), description="who is told quietly as well")
    group_wait: Duration = Field(
        default=30 * SECOND, description="how long the first page waits for its group"
    )
    group_interval: PositiveDuration = Field(default=5 * MINUTE, description="how often joins are told")
    repeat_interval: Duration = Field(default=4 * HOUR, description="how often inform hears it is still open")
    at_once: AtOnce = Field(default=Severity.SEV1, description="SEV-1 or SEV-0: this severe never waits")
    routes: Many[RoutePart] = Field(default=(), description="routes below it, the first that matches")


class RoutesFile(Part):
    """The route tree. A route inherits from its parent what it does not say itself."""

    route: RootPart = Field(description="the root of the tree, with escalation and group_by")


def build_route(file: RoutesFile, spot: Spot) -> Route:
    root, at = file.route, spot.at("route")
    parent = Route(
        name=root.name,
        matchers=(),
        escalation=root.escalation,
        group_by=root.group_by,
        reopen_ms=root.reopen,
        origin=at.origin,
        inform=tuple(target.pair for target in root.inform),
        group_wait_ms=root.group_wait,
        group_interval_ms=root.group_interval,
        repeat_ms=root.repeat_interval,
        at_once=root.at_once,
    )
    return _with_children(parent, root.routes, at)


def _with_children(parent: Route, parts: tuple[RoutePart, ...], spot: Spot) -> Route:
    routes = tuple(_route(parent, part, spot.at("routes", number)) for number, part in enumerate(parts))
    return replace(parent, routes=routes)


def _route(parent: Route, part: RoutePart, spot: Spot) -> Route:
    route = Route(
        name=part.name,
        matchers=part.match,
        escalation=part.escalation or parent.escalation,
        group_by=_or(part.group_by, parent.group_by),
        reopen_ms=_or(part.reopen, parent.reopen_ms),
        origin=spot.origin,
        inform=parent.inform if part.inform is None else tuple(target.pair for target in part.inform),
        group_wait_ms=_or(part.group_wait, parent.group_wait_ms),
        group_interval_ms=_or(part.group_interval, parent.group_interval_ms),
        repeat_ms=_or(part.repeat_interval, parent.repeat_ms),
        at_once=_or(part.at_once, parent.at_once),
        continues=part.goes_on,
    )
    return _with_children(route, part.routes, spot)


def _or(own: T | None, inherited: T) -> T:
    return inherited if own is None else own
