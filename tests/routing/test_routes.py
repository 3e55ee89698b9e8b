"""The route tree, as Alertmanager walks it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_policy import HERE, POLICY

from routing.language import matchers
from routing.policy import Route
from routing.policy.routes import all_routes
from routing.routes import LONGEST_KEY, by_name, group_key, match


def route(name: str, match: str = "", *routes: Route, continues: bool = False, **more: Any) -> Route:
    read = matchers.parse_all(match) if match else ()
    known: dict[str, Any] = {"escalation": "oncall", "group_by": ("service",), "reopen_ms": 0, "origin": HERE}
    return Route(name=name, matchers=read, routes=routes, continues=continues, **(known | more))


TREE = route(
    "root",
    "",
    route("audit", 'env="prod"', continues=True),
    route(
        "payments",
        'team="payments"',
        route("disputes", 'kind="dispute"'),
        route("cards", 'kind=~"card.*"', continues=True),
        route("big", 'amount="big"'),
    ),
    route("platform", 'team=~"platform|web"'),
)


def names(tree: Route, **labels: str) -> list[str]:
    return [found.route.name for found in match(replace(POLICY, route=tree), labels)]


@pytest.mark.parametrize(
    ("labels", "taken"),
    [
        ({}, ["root"]),
        ({"team": "nobody"}, ["root"]),
        ({"team": "platform"}, ["platform"]),
        ({"team": "payments"}, ["payments"]),
        ({"team": "payments", "kind": "dispute"}, ["disputes"]),
        ({"team": "payments", "kind": "dispute", "amount": "big"}, ["disputes"]),
        ({"team": "payments", "kind": "card", "amount": "big"}, ["cards", "big"]),
        ({"team": "payments", "kind": "card"}, ["cards"]),
        ({"env": "prod"}, ["audit"]),
        ({"env": "prod", "team": "payments", "kind": "dispute"}, ["audit", "disputes"]),
    ],
)
def test_depth_first_and_the_first_child_wins_unless_it_continues(
    labels: dict[str, str], taken: list[str]
) -> None:
    assert names(TREE, **labels) == taken


def test_the_root_takes_everything_whatever_its_matchers() -> None:
    assert names(route("root", 'a="b"')) == ["root"]


def test_path_and_reason_tell_the_way() -> None:
    (found,) = match(replace(POLICY, route=TREE), {"team": "payments", "kind": "dispute"})
    assert found.path == ["root", "payments", "disputes"]
    text = 'routed by root > payments > disputes: its labels match kind="dispute"'
    assert (found.reasons[0].text, found.reasons[0].origin) == (text, "config/test.yaml:7")


def test_a_route_is_found_by_name() -> None:
    policy = replace(POLICY, route=TREE)
    found = by_name(policy, "big")
    assert found is not None
    assert found.name == "big"
    assert by_name(policy, "gone") is None
    assert [each.name for each in all_routes(TREE)][:4] == ["root", "audit", "payments", "disputes"]


def model(node: Route, labels: dict[str, str]) -> list[str]:
    """Alertmanager's Route.Match, written down as its documentation tells it."""
    if not matchers.all_match(node.matchers, labels):
        return []
    taken: list[str] = []
    for child in node.routes:
        below = model(child, labels)
        taken += below
        if below and not child.continues:
            break
    return taken or [node.name]


labels_of = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy"))
leaves = st.builds(
    lambda name, text, go_on: route(name, text, continues=go_on),
    st.text("abcdefgh", min_size=1, max_size=4),
    st.sampled_from(["", 'a="x"', 'b!="y"', 'c=~"x|y"', 'a!~"x"']),
    st.booleans(),
)
trees = st.recursive(
    leaves,
    lambda below: st.builds(
        lambda node, routes: replace(node, routes=tuple(routes)), leaves, st.lists(below, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(trees, max_size=4), labels_of)
def test_every_tree_is_walked_as_documented(routes: list[Route], labels: dict[str, str]) -> None:
    tree = route("root", "", *routes)
    assert names(tree, **labels) == model(tree, labels)
    assert names(tree, **labels)


def test_alerts_share_a_group_when_route_and_values_are_the_same() -> None:
    node = route("r", group_by=("service", "kind"))
    assert group_key(node, {"service": "a", "kind": "b"}) == 'r{service="a",kind="b"}'
    assert group_key(node, {"service": "a"}) == group_key(node, {"service": "a", "kind": "", "other": "x"})
    assert group_key(route("r", group_by=()), {"a": "b"}) == "r{}"


@given(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()))
def test_different_values_never_share_a_group(one: tuple[str, str], two: tuple[str, str]) -> None:
    node = route("r", group_by=("a", "b"))
    first, second = (group_key(node, {"a": pair[0], "b": pair[1]}) for pair in (one, two))
    assert (first == second) is (one == two)


def test_a_group_key_stays_short_however_long_the_values() -> None:
    node = route("r", group_by=("a",))
    first, second = group_key(node, {"a": "x" * 9999}), group_key(node, {"a": "x" * 9998})
    assert first != second
    assert max(len(first), len(second)) <= LONGEST_KEY
