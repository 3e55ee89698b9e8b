"""Shadow: rules and routes that nothing ever reaches, as far as their matchers tell.

Judged by the values that equalities and plain choices name. What only a pattern could tell counts as reachable, so
whatever is found here is certain.
"""

from collections.abc import Iterator, Sequence

from routing.language.index import Matcher, equalities
from routing.policy.routes import Route
from routing.policy.severity import SeverityRule

Path = tuple[str | int, ...]


def shadowed_rules(rules: Sequence[SeverityRule]) -> Iterator[tuple[int, str]]:
    """(place, why) of rules that never decide: an earlier one takes all they ask for."""
    for place, rule in enumerate(rules):
        if _contradict(rule.matchers):
            yield place, "no event fulfils all of its matchers"
            continue
        earlier = (each for each in rules[:place] if not each.when and _covers(each.matchers, rule.matchers))
        if (first := next(earlier, None)) is not None:
            yield place, f"{first.name} above it takes all of it"


def unreached_routes(
    route: Route, path: Path = ("route",), above: tuple[Matcher, ...] = ()
) -> Iterator[tuple[Path, str]]:
    """(path, why) of routes that take nothing: a sibling above does, or nothing fits them and their parents."""
    asked = (*above, *route.matchers)
    for place, child in enumerate(route.routes):
        here, all_asked = (*path, "routes", place), (*asked, *child.matchers)
        earlier = (each for each in route.routes[:place] if not each.continues)
        first = next((each for each in earlier if _covers(each.matchers, all_asked)), None)
        if _contradict(all_asked):
            yield here, "no alert fulfils all of its matchers and those of the routes around it"
        elif first is not None:
            yield here, f"{first.name} above it takes all of it"
        else:
            yield from unreached_routes(child, here, asked)


def _covers(first: Sequence[Matcher], second: Sequence[Matcher]) -> bool:
    """Whether whatever fulfils all of `second` fulfils all of `first`, too."""
    return all(_implied(each, second) for each in first)


def _implied(matcher: Matcher, by: Sequence[Matcher]) -> bool:
    if matcher in by:
        return True
    values = _values(matcher.name, by)
    return values is not None and all(matcher.matches({matcher.name: value}) for value in values)


def _contradict(matchers: Sequence[Matcher]) -> bool:
    return any(_values(name, matchers) == [] for name in {each.name for each in matchers})


def _values(name: str, matchers: Sequence[Matcher]) -> list[str] | None:
    """All values the label may have; None when that cannot be listed."""
    of_name = [each for each in matchers if each.name == name]
    for each in of_name:
        if found := [value for _, value in equalities(each)]:
            return [value for value in found if all(other.matches({name: value}) for other in of_name)]
    return None
