"""Whatever stands in the configuration: it loads, or every fault is told. Nothing else ever happens."""

import json
from collections.abc import Iterator
from typing import Any

import shipped
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from ledger import policies
from routing.json_schema import SHAPES, file_of, json_schema
from routing.schema.part import Known
from routing.schema.yaml_marks import read

DATA = {name: read(name, text).data for name, text in shipped.files().items()}
Place = tuple[str | int, ...]


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    yield at
    if isinstance(value, dict):
        for name, each in value.items():
            yield from places(each, (*at, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from places(each, (*at, number))


EVERYWHERE = [(name, place) for name, data in sorted(DATA.items()) for place in places(data)]

odd = st.recursive(
    st.sampled_from([
        None, True, 0, -1, 10**17, 1.5, "", " ", "x", "anna", "5m", "0s", "SEV-0", "${X}", "${X:-}", "x${X}", "{{ a }}",
        "{{ a }", "a=~(", "a=~(b+)+", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "2026-01-05T09:00", "!a.b", "a[",
        "\u0665m", "\ud800", "x" * 5000,
    ]),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(["name", "contact", "x"]), below),
    max_leaves=5,
)  # fmt: skip


def replaced(value: Any, at: Place, by: Any) -> Any:
    if not at:
        return by
    if isinstance(value, dict):
        return {name: replaced(each, at[1:], by) if name == at[0] else each for name, each in value.items()}
    return [replaced(each, at[1:], by) if number == at[0] else each for number, each in enumerate(value)]


def dropped(value: Any, at: Place) -> Any:
    if isinstance(value, dict):
        return {
            name: dropped(each, at[1:]) if name == at[0] else each
            for name, each in value.items()
            if not (name == at[0] and len(at) == 1)
        }
    if isinstance(value, list):
        return [
            dropped(each, at[1:]) if number == at[0] else each
            for number, each in enumerate(value)
            if not (number == at[0] and len(at) == 1)
        ]
    return value


def loads_or_is_refused(data: dict[str, Any]) -> None:
    files = {name: json.dumps(each, ensure_ascii=False) for name, each in data.items()}
    for fault in shipped.faults(files, {}):
        assert fault.found
        assert fault.fix
        assert fault.line >= 1


@examples(120)
@given(st.sampled_from(EVERYWHERE), odd)
def test_an_odd_value_anywhere(where: tuple[str, Place], value: Any) -> None:
    name, place = where
    loads_or_is_refused({**DATA, name: replaced(DATA[name], place, value)})


@examples(60)
@given(st.sampled_from([where for where in EVERYWHERE if where[1]]))
def test_anything_left_out(where: tuple[str, Place]) -> None:
    name, place = where
    loads_or_is_refused({**DATA, name: dropped(DATA[name], place)})


@examples(40)
@given(st.sampled_from(sorted(DATA)), st.data())
def test_a_file_cut_off_anywhere(name: str, data: st.DataObject) -> None:
    text = shipped.files()[name]
    cut = text[: data.draw(st.integers(0, len(text)))]
    shipped.faults({**shipped.files(), name: cut})


WRITTEN = DATA | {name: read(name, text).data for name, text in policies.read_tests(shipped.FOLDER).items()}
ANYWHERE = [(name, place) for name, data in sorted(WRITTEN.items()) for place in places(data)]
SHAPE = {name: file_of(name) or "" for name in WRITTEN}
SCHEMA = {file: Draft202012Validator(json_schema(file, shipped.vendors())) for file in SHAPES}
VENDORS = {
    "source vendor": frozenset(shipped.vendors().sources),
    "channel vendor": frozenset(shipped.vendors().channels),
    "action family": frozenset(shipped.vendors().families),
    "action": frozenset(shipped.vendors().actions),
}
ANY_NAME = Known(
    names=VENDORS, homes=dict.fromkeys(VENDORS, ""), voices=frozenset(), catalogue=shipped.vendors(), env=None
)

other = st.sampled_from([
    "0s", "36h", "1 month", "monthly", "80%", "next sprint", "UTC", "09:00", "24:00", "2026-01-05", "20260105T0900",
    "Mon - Fri , SUN 09:00-24:00", "kind=x", ["kind=x"], {"kind": "x"}, {"kind": ["x", "y"]}, ["5m", "12h"], {"default": ["sms"]},
    {"cel": "true"}, {"value": "labels.a", "bands": {"1": "few", "1e3": "many"}}, {"schedule": "primary"}, [], {},
])  # fmt: skip


def at(value: Any, place: Place) -> Any:
    for part in place:
        value = value[part]
    return value


def variants(value: Any) -> list[Any]:
    """The same in other words, some of which are taken for it."""
    if isinstance(value, str):
        return [f" {value} ", value.upper(), value.title(), [value], {"method": value}, {value: value}]
    if isinstance(value, dict | list):
        return [[value], *(value if isinstance(value, list) else value.values()), *value]
    if value is None:
        return ["", [], {}, 0]
    return [str(value), [value], -value, value + 1, value / 2]


@examples(400)
@given(st.sampled_from(ANYWHERE), st.data())
def test_what_is_taken_fits_the_schema(where: tuple[str, Place], data: st.DataObject) -> None:
    """Of the shape: any name is known here but those of vendors."""
    name, place = where
    now = at(WRITTEN[name], place)
    value = data.draw(st.sampled_from(variants(now)) | other | odd)
    written = replaced(WRITTEN[name], place, value)
    if place and data.draw(st.integers(0, 5)) == 0:
        written = dropped(WRITTEN[name], place)
    try:
        SHAPES[SHAPE[name]].model_validate(written, context=ANY_NAME)
    except (ValidationError, UnicodeEncodeError):  # half a character, which no file can hold
        return
    assert [error.message for error in SCHEMA[SHAPE[name]].iter_errors(written)] == []
