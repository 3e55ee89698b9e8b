"""Bodies of many: forms, arrays and lines, with an end to each."""

from typing import Any

import pytest

from receiver import forms, many, shaping
from receiver.forms import dumps
from routing.errors import Unreadable
from routing.event import Event, Status


def test_a_form_is_read_as_it_is_written() -> None:
    fields = {"Status": "Down", "Name": "Café & Söhne", "Empty": ""}
    assert forms.loads(dumps(fields)) == fields


@pytest.mark.parametrize(
    ("body", "why"),
    [(b"a=1&a=2", "more than once"), (b"", "empty"), (b"a", "not a form"), (b"a=%ff", "not a form"), (b"\xff=1", "not a form"),
     (b"&".join(b"a%d=1" % number for number in range(257)), "not a form")],
)  # fmt: skip
def test_a_form_of_two_meanings_or_without_end_is_unreadable(body: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        forms.loads(body)


def named(told: dict[str, Any]) -> Event | None:
    name = shaping.needed(told, "name")
    if name == "nothing":
        return None
    return Event(source="s", vendor="v", kind="k", status=Status.INFO, key=name, title=name)


@pytest.mark.parametrize(
    ("body", "names", "unread"),
    [(b'{"name":"a"}', ["a"], []), (b'[{"name":"a"},{"name":"b"}]', ["a", "b"], []), (b'{"name":"a"}\n{"name":"b"}\r\n\n', ["a", "b"], []),
     (b'[{"name":"a"},3,null,{"name":"nothing"}]', ["a"], [b"3", b"null"]), (b'{"name":"a"}\n{"name":\n{"x":1}', ["a"], [b'{"name":', b'{"x":1}']),
     (b'{\n  "name": "a"\n}', ["a"], []), (b"[]", [], [])],
)  # fmt: skip
def test_what_is_good_of_a_body_is_read_and_what_is_not_is_dead_alone(
    body: bytes, names: list[str], unread: list[bytes]
) -> None:
    found = many.parse(body, named)
    assert [event.key for event in found.events] == names
    assert [each.raw for each in found.unread] == unread


@pytest.mark.parametrize(
    "body", [b"[" + b"{}," * 5000 + b"{}]", b"{}\n" * 5001, b"7", b"", b"[", b'{"a":1} {"b":2}']
)
def test_a_body_without_end_or_of_no_such_form_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        many.parse(body, named)
