"""The index finds what asking every item finds, in the same order."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import shipped
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from small_policy import POLICY, ROLLBACK

from routing.instant import HOUR
from routing.language.index import Index, equalities
from routing.language.matchers import Matcher, all_match, parse
from routing.policy import Runbook, Task
from routing.reason import BUILT_IN

WRITTEN = (
    'kind="x"', 'kind!="x"', 'kind=""', 'kind!=""', 'kind=~"x|y"', 'kind!~"x|y"', 'kind=~"x.*"', 'kind=~"x\\.y|y"',
    'kind=~"x-y|y z"', 'kind=~"|x"', 'kind=~"X(?i:y)|x"', 'team="x"', 'team=~"x|x|y"', 'team=~".+"', 'team!="y"',
)  # fmt: skip
conditions = st.lists(st.sampled_from(WRITTEN).map(parse), max_size=3).map(tuple)
labels_of = st.dictionaries(
    st.sampled_from(["kind", "team", "other"]),
    st.sampled_from(["", "x", "y", "x.y", "xay", "x-y", "y z", "x|y"]),
)
TASK = Task(text="look", targets=(), remind_ms=HOUR, origin=BUILT_IN)
books = st.builds(
    lambda matchers, mode, task: replace(ROLLBACK, matchers=matchers, mode=mode, task=task),
    conditions,
    st.sampled_from(["auto", "approve", "dry_run", "off"]),
    st.sampled_from([None, TASK]),
)


@examples(200)
@given(st.lists(conditions, max_size=12), labels_of)
def test_what_matches_is_what_asking_each_finds(
    items: list[tuple[Matcher, ...]], labels: dict[str, str]
) -> None:
    index = Index((matchers, place) for place, matchers in enumerate(items))
    assert index.matching(labels) == [n for n, each in enumerate(items) if all_match(each, labels)]


@examples(100)
@given(st.lists(conditions, max_size=12), st.lists(labels_of, max_size=4))
def test_what_matches_any_of_several_is_found_once(
    items: list[tuple[Matcher, ...]], several: list[dict[str, str]]
) -> None:
    index = Index((matchers, place) for place, matchers in enumerate(items))
    naive = [n for n, each in enumerate(items) if any(all_match(each, labels) for labels in several)]
    assert index.matching_any(several) == naive


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('kind="site.down"', ["site.down"]),
        ('kind=~"a|b|a"', ["a", "b"]),
        (r'kind=~"site\.down|slow"', ["site.down", "slow"]),
        (r'kind=~"site.down|slow"', []),
        (r'kind=~"a\d|b"', []),
        (r'kind=~"a\|b"', []),
        ('kind=~"a|"', []),
        ('kind!="a"', []),
        ('kind=""', []),
    ],
)
def test_a_matcher_is_filed_under_the_words_it_asks_for(text: str, values: list[str]) -> None:
    assert equalities(parse(text)) == [("kind", value) for value in values]


def asked(runbooks: Sequence[Runbook], labels: dict[str, str]) -> list[str]:
    """As docs/runbooks.md tells it: in the order of the files, what repairs before what only hands over."""
    fitting = [each for each in runbooks if each.mode != "off" and all_match(each.matchers, labels)]
    return [each.id for task in (False, True) for each in fitting if (each.task is not None) is task]


@examples(200)
@given(st.lists(books, max_size=12), labels_of)
def test_runbooks_are_asked_as_if_each_was_looked_at(found: list[Runbook], labels: dict[str, str]) -> None:
    runbooks = tuple(replace(each, id=f"r{number}") for number, each in enumerate(found))
    policy = replace(POLICY, runbooks=runbooks)
    assert [each.id for each in policy.runbooks_by_labels.matching(labels)] == asked(runbooks, labels)
    assert dict(policy.runbooks_by_id) == {each.id: each for each in runbooks}


def test_of_the_shipped_runbooks_each_is_found_by_the_events_it_is_for() -> None:
    policy = shipped.policy()
    words = {
        each.id: dict(pair for one in each.matchers for pair in equalities(one)[:1])
        for each in policy.runbooks
    }
    assert sum(bool(labels) for labels in words.values()) > 40
    for labels in words.values():
        for extra in ({}, {"project": "prj_1", "ip": "192.0.2.1", "severity": "SEV-1"}):
            found = policy.runbooks_by_labels.matching({**extra, **labels})
            assert [each.id for each in found] == asked(policy.runbooks, {**extra, **labels})
