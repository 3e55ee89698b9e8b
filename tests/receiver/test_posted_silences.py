"""A silence as Alertmanager's API takes it: what it refuses, what may change of one, and what replaces it."""

import json
from typing import Any

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from receiver.alertmanager import posted, query
from receiver.alertmanager.posted import Unfit
from receiver.alertmanager.query import BadQuery
from routing.entry import SilenceSet
from routing.instant import HOUR, MINUTE, iso
from routing.language import matchers

NOW = 1_764_000_000_000


def body(**changes: Any) -> bytes:
    """One that is fine, with changes; None leaves a member out."""
    told = {
        "matchers": [{"name": "alertname", "value": "DiskFull", "isRegex": False, "isEqual": True}],
        "startsAt": iso(NOW - 1),
        "endsAt": iso(NOW + HOUR),
        "createdBy": "anna",
        "comment": "moving disks",
        **changes,
    }
    return json.dumps({name: value for name, value in told.items() if value is not None}).encode()


def matcher(op: str, value: str, name: str = "kind") -> dict[str, Any]:
    return {"name": name, "value": value, "isRegex": op.endswith("~"), "isEqual": not op.startswith("!")}


def entries(known: SilenceSet | None = None, **changes: Any) -> list[SilenceSet]:
    return list(posted.entries(known, posted.read(body(**changes)), NOW, "new"))


def silence(from_at: int, until_at: int) -> SilenceSet:
    return SilenceSet(
        at=from_at, by="anna", id="s-1", matchers=['alertname="DiskFull"'], from_at=from_at, until_at=until_at
    )


ACTIVE, PENDING, OVER = (
    silence(NOW - MINUTE, NOW + HOUR),
    silence(NOW + MINUTE, NOW + HOUR),
    silence(NOW - HOUR, NOW - MINUTE),
)


def test_what_is_posted_becomes_the_entry_that_the_command_line_makes() -> None:
    made = entries(
        matchers=[matcher("=", "a"), matcher("!=", "b"), matcher("=~", "c|d"), matcher("!~", "e.*")]
    )
    assert made == [
        SilenceSet(
            at=NOW, by="anna", id="new", matchers=['kind="a"', 'kind!="b"', 'kind=~"c|d"', 'kind!~"e.*"'],
            from_at=NOW, until_at=NOW + HOUR, reason="moving disks",
        )
    ]  # fmt: skip


def test_one_without_is_equal_is_an_equality() -> None:
    told = {"name": "kind", "value": "a", "isRegex": False}
    assert entries(matchers=[told])[0].matchers == ['kind="a"']


def test_one_that_begins_later_waits() -> None:
    assert entries(startsAt=iso(NOW + MINUTE))[0].from_at == NOW + MINUTE


@pytest.mark.parametrize("name", ["matchers", "startsAt", "endsAt", "createdBy", "comment"])
def test_what_is_required_is_asked_for_by_name(name: str) -> None:
    with pytest.raises(Unfit) as found:
        posted.read(body(**{name: None}))
    assert (found.value.status, found.value.payload) == (
        422,
        {"code": 602, "message": f"{name} in body is required"},
    )


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"matchers": []}, 422, "at least 1 items"),
        ({"matchers": [{"name": "a", "isRegex": False}]}, 422, "matchers.0.value in body is required"),
        ({"matchers": [matcher("=~", "(")]}, 400, "invalid label matcher"),
        ({"matchers": [matcher("=", "x", name="")]}, 400, "invalid label name"),
        ({"matchers": [matcher("=", "")]}, 400, "must not match the empty string"),
        ({"matchers": [matcher("!=", "x"), matcher("=~", ".*")]}, 400, "must not match the empty string"),
        ({"matchers": [matcher("=", "x")] * 65}, 400, "more than 64"),
        ({"matchers": {}}, 400, "expected a list"),
        ({"matchers": ["a=b"]}, 400, "expected a JSON object"),
        ({"matchers": [{**matcher("=", "x"), "isRegex": "yes"}]}, 400, "expected true or false"),
        ({"startsAt": "yesterday"}, 400, "startsAt"),
        ({"startsAt": 7}, 400, "startsAt"),
        ({"endsAt": iso(NOW - 1)}, 400, "start time must be before end time"),
        ({"startsAt": iso(NOW - HOUR), "endsAt": iso(NOW - 1)}, 400, "end time can't be in the past"),
        ({"comment": ["x"]}, 400, "expected a string"),
        ({"comment": "x" * 4097}, 400, "longer than"),
        ({"annotations": ["x"]}, 400, "annotations"),
        ({"annotations": {"x": 1}}, 400, "annotations.x"),
        ({"id": "gone"}, 404, "silence not found"),
    ],
)
def test_what_cannot_be_set_is_answered_as_alertmanager_does(
    changes: dict[str, Any], status: int, says: str
) -> None:
    with pytest.raises(Unfit) as found:
        entries(**changes)
    assert found.value.status == status
    assert says in str(found.value.payload)


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"{", b"\xff", b'{"id": "a", "id": "b"}'])
def test_what_is_no_silence_at_all_is_a_400(raw: bytes) -> None:
    with pytest.raises(Unfit) as found:
        posted.read(raw)
    assert found.value.status == 400


def test_an_active_one_keeps_its_id_when_its_end_or_its_comment_changes() -> None:
    begun = iso(ACTIVE.from_at)
    (made,) = entries(ACTIVE, id="s-1", startsAt=begun, endsAt=iso(NOW + 2 * HOUR), comment="longer")
    assert (made.id, made.from_at, made.until_at, made.reason) == (
        "s-1",
        ACTIVE.from_at,
        NOW + 2 * HOUR,
        "longer",
    )


def test_one_that_has_not_begun_may_begin_at_another_time() -> None:
    (made,) = entries(PENDING, id="s-1", startsAt=iso(NOW + 5 * MINUTE))
    assert (made.id, made.from_at) == ("s-1", NOW + 5 * MINUTE)


@pytest.mark.parametrize(
    ("known", "changes"),
    [
        (ACTIVE, {"startsAt": iso(ACTIVE.from_at), "matchers": [matcher("=", "other")]}),
        (ACTIVE, {"startsAt": iso(NOW + MINUTE)}),
        (PENDING, {"startsAt": iso(NOW - MINUTE)}),
    ],
)
def test_what_may_not_change_ends_it_and_another_takes_its_place(
    known: SilenceSet, changes: dict[str, Any]
) -> None:
    ended, made = entries(known, id="s-1", **changes)
    assert (ended.id, ended.until_at, ended.matchers) == ("s-1", NOW, known.matchers)
    assert made.id == "new"
    assert made.from_at >= NOW


def test_one_that_is_over_stays_so_and_a_new_one_is_made() -> None:
    (made,) = entries(OVER, id="s-1", startsAt=iso(OVER.from_at))
    assert made.id == "new"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=9,
)
NAMES = ("id", "matchers", "startsAt", "endsAt", "createdBy", "comment", "annotations")


@examples(80)
@given(st.binary(max_size=200))
def test_whatever_is_posted_is_a_silence_or_an_answer(raw: bytes) -> None:
    try_to_set(raw)


@examples(80)
@given(st.sampled_from(NAMES), JSON)
def test_anything_anywhere_in_one_is_a_silence_or_an_answer(name: str, value: Any) -> None:
    try_to_set(body(**{name: value}))


@examples(80)
@given(st.dictionaries(st.sampled_from(["name", "value", "isRegex", "isEqual"]), JSON))
def test_any_matcher_in_one_is_a_silence_or_an_answer(found: dict[str, Any]) -> None:
    try_to_set(body(matchers=[found]))


def try_to_set(raw: bytes) -> None:
    try:
        made = posted.entries(None, posted.read(raw), NOW, "new")
    except Unfit:
        return
    for entry in made:
        assert entry.until_at > NOW
        assert [str(matchers.parse(text)) for text in entry.matchers] == entry.matchers


@examples(80)
@given(
    st.lists(
        st.tuples(st.sampled_from(["filter", "receiver", "receiver_matchers", "active"]), st.text()),
        max_size=5,
    )
)
def test_any_question_is_read_or_refused(asked: list[tuple[str, str]]) -> None:
    try:
        found = query.read(QueryParams(asked))
    except BadQuery:
        return
    assert isinstance(found.told("anybody"), bool)
    assert isinstance(found.flag("active"), bool)
