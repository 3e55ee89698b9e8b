"""The route tree, as Alertmanager walks it: depth first, the first match wins unless it continues."""

from collections.abc import Mapping
from hashlib import blake2b
from json.encoder import encode_basestring_ascii as _quoted

import msgspec

from routing.policy import Policy, Route
from routing.reason import Reason

LONGEST_KEY = 256


class Matched(msgspec.Struct, frozen=True):
    """A route that takes the labels. `path` names its ancestors and itself, from the root."""

    route: Route
    path: list[str]
    reasons: list[Reason]


def match(policy: Policy, labels: Mapping[str, str]) -> list[Matched]:
    """Every route that takes the labels, in the tree's order; never empty, for the root takes all."""
    found: list[tuple[Route, ...]] = []
    _walk((policy.route,), labels, found)
    return [_matched(branch) for branch in found]


def by_name(policy: Policy, name: str) -> Route | None:
    """The route of that name, if the policy still has one."""
    return policy.routes.get(name)


def group_key(route: Route, labels: Mapping[str, str]) -> str:
    """What alerts of one incident share: the route, and the values of the labels it groups by."""
    pairs = ",".join([f"{name}={_quoted(labels.get(name, ''))}" for name in route.group_by])
    key = f"{route.name}{{{pairs}}}"
    if len(key) <= LONGEST_KEY:
        return key
    return f"{route.name}#{blake2b(key.encode(), digest_size=16).hexdigest()}"


def _walk(branch: tuple[Route, ...], labels: Mapping[str, str], found: list[tuple[Route, ...]]) -> None:
    taken = branch[-1].below.matching(labels)
    for child in taken:
        _walk((*branch, child), labels, found)
        if not child.continues:
            break
    if not taken:
        found.append(branch)


def _matched(branch: tuple[Route, ...]) -> Matched:
    route, path = branch[-1], [each.name for each in branch]
    matchers = ", ".join(str(matcher) for matcher in route.matchers)
    why = f"its labels match {matchers}" if matchers else "no other route takes it"
    reason = Reason(text=f"routed by {' > '.join(path)}: {why}", rule=route.name, origin=str(route.origin))
    return Matched(route, path, [reason])
