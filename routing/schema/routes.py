"""`routes.yaml`: the route tree. A route inherits from its parent what it does not say itself."""

from pydantic import Field

from routing.policy import Route
from routing.schema.fields import Duration, LabelName, Many, Matchers, Name, PolicyName
from routing.schema.part import Part, Spot
from routing.schema.target import TargetPart

REOPEN_MS = 1_800_000


class RoutePart(Part):
    name: Name = Field(description="a name to find it by, like payments")
    match: Matchers = Field(description='matchers, like [team="payments"]')
    escalation: PolicyName | None = None
    group_by: Many[LabelName] | None = None
    reopen: Duration | None = None
    inform: Many[TargetPart] | None = None
    goes_on: bool = Field(default=False, alias="continue")
    routes: "Many[RoutePart]" = ()


class RootPart(Part):
    name: Name = "root"
    escalation: PolicyName = Field(description="name of the escalation policy where no other route says")
    group_by: Many[LabelName] = Field(description="labels that alerts of one incident share, like [service]")
    reopen: Duration = REOPEN_MS
    inform: Many[TargetPart] = ()
    routes: Many[RoutePart] = ()


class RoutesFile(Part):
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
    )
    return _with_children(parent, root.routes, at)


def _with_children(parent: Route, parts: tuple[RoutePart, ...], spot: Spot) -> Route:
    routes = tuple(_route(parent, part, spot.at("routes", number)) for number, part in enumerate(parts))
    return Route(
        name=parent.name,
        matchers=parent.matchers,
        escalation=parent.escalation,
        group_by=parent.group_by,
        reopen_ms=parent.reopen_ms,
        origin=parent.origin,
        inform=parent.inform,
        routes=routes,
        continues=parent.continues,
    )


def _route(parent: Route, part: RoutePart, spot: Spot) -> Route:
    route = Route(
        name=part.name,
        matchers=part.match,
        escalation=part.escalation or parent.escalation,
        group_by=parent.group_by if part.group_by is None else part.group_by,
        reopen_ms=parent.reopen_ms if part.reopen is None else part.reopen,
        origin=spot.origin,
        inform=parent.inform if part.inform is None else tuple(target.pair for target in part.inform),
        continues=part.goes_on,
    )
    return _with_children(route, part.routes, spot)
