"""Bodies as they may be shown: secrets, cards, and what names or reaches a person are not in them."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from routing import redaction

GONE = redaction.GONE


def shown(found: Any) -> Any:
    return json.loads(redaction.body(json.dumps(found).encode()))


@pytest.mark.parametrize(
    ("found", "left"),
    [
        ({"email": "anna@shop.example"}, {"email": GONE}),
        ({"customer_email": "a@b.example", "phoneNumber": "+48500100200"}, {"customer_email": GONE, "phoneNumber": GONE}),
        ({"billing_details": {"name": "Anna Nowak", "address": {"line1": "Długa 1", "country": "PL"}}},
         {"billing_details": {"name": GONE, "address": {"line1": GONE, "country": "PL"}}}),
        ({"user": {"name": "anna", "id": 7}}, {"user": {"name": GONE, "id": 7}}),
        ({"repository": {"name": "shop"}, "name": "disk"}, {"repository": {"name": "shop"}, "name": "disk"}),
        ({"note": "card 4242 4242 4242 4242, of anna@shop.example"}, {"note": "card [card], of …@shop.example"}),
        ({"token": "abc", "api_key": "k"}, {"token": GONE, "api_key": GONE}),
        ({"a": [{"password": "x"}, {"ip_address": "192.0.2.1"}]}, {"a": [{"password": GONE}, {"ip_address": GONE}]}),
        ({"key": "whsec_" + "0123456789abcdef"}, {"key": GONE}),
        (["anna@shop.example", 7, None], ["…@shop.example", 7, None]),
    ],
)  # fmt: skip
def test_what_is_secret_or_personal_is_hidden(found: Any, left: Any) -> None:
    assert shown(found) == left


@pytest.mark.parametrize(
    "raw", [b'{"object": "event",\n "amount": 700}', b"[]", b"7", b'"plain"', b"", b"just text"]
)
def test_what_has_nothing_to_hide_is_shown_as_it_came(raw: bytes) -> None:
    assert redaction.body(raw) == raw.decode()


def test_a_form_is_shown_a_field_a_line() -> None:
    raw = urlencode(
        {"From": "+48500100200", "email": "anna@shop.example", "Body": "a b", "token": "x"}
    ).encode()
    assert redaction.body(raw) == f"From=+48500100200\nemail={GONE}\nBody=a b\ntoken={GONE}"


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe\x00",
        b'{"a":' * 5000,
        b"[" * 900 + b"]" * 900,
        b"a=" + b"&a=" * 5000,
        b"=" * 10_000,
        b"%" * 10_000,
    ],
)
def test_what_cannot_be_read_is_shown_all_the_same(raw: bytes) -> None:
    assert redaction.body(raw)


def test_text_loses_what_looks_like_a_secret() -> None:
    text = redaction.body(b"Authorization: Bearer abcdefgh12345 for anna@shop.example")
    assert "abcdefgh12345" not in text
    assert "anna@" not in text
