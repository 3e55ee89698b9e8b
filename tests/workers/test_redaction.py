"""Secrets are taken out of what is kept, and nothing else is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers import redaction

SECRETS = [
    "sk_live_" + "a1B2c3D4e5F6",
    "rk_test_" + "a1B2c3D4e5F6",
    "whsec_" + "a1B2c3D4e5F6g7H8",
    "sbp_" + "0123456789abcdef" * 2,
    "xoxb-" + "123456789-abcdef",
    "ghp_" + "a" * 36,
    "AKIA" + "ABCDEFGHIJKLMNOP",
    "SG." + "a" * 22 + "." + "b" * 43,
    "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxIn0" + ".c2lnbmF0dXJl",
]


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: str(secret)[:6])
def test_a_secret_is_known_by_its_shape_wherever_it_stands(secret: str) -> None:
    assert secret not in redaction.text(f"before {secret} after")
    assert redaction.text(f"before {secret} after").startswith("before ")
    assert secret not in json.dumps(redaction.value({"deep": [{"note": f"see {secret}"}]}))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("Authorization: Bearer abcdefgh12345", "Authorization: Bearer [redacted]"),
        ("redis://user:hunter2@db:6379/0", "redis://[redacted]@db:6379/0"),
        ("GET /x?api_key=hunter22&page=2", "GET /x?api_key=[redacted]&page=2"),
        ('{"password": "hunter22"}', '{"password": "[redacted]"}'),
        ("card 4242 4242 4242 4242 declined", "card [card] declined"),
        ("550 anna.k@example.com unknown", "550 …@example.com unknown"),
    ],
)
def test_what_stands_next_to_a_telltale_word_goes(found: str, expected: str) -> None:
    assert redaction.text(found) == expected


@pytest.mark.parametrize(
    "harmless",
    [
        "order 1234567890123",
        "at 1764000000000",
        "+48500000001",
        "dpl_2euZBFqxYdDMDG1jTrHFnNZ2eUVa",
        "CA" + "0" * 32,
        "token expired",
        "https://site.example/path?page=2",
        "[INC-12] SEV-0 Site is down",
        "dora@",
    ],
)
def test_what_is_no_secret_stays_readable(harmless: str) -> None:
    assert redaction.text(harmless) == harmless


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("password", True), ("client_secret", True), ("Authorization", True), ("set-cookie", True),
        ("accessToken", True), ("api_key", True), ("x-api-key", True), ("private_key", True),
        ("monkey", False), ("author", False), ("key", False), ("keyboard", False),
    ],
)  # fmt: skip
def test_fields_named_like_secrets_lose_their_value(name: str, *, gone: bool) -> None:
    assert redaction.value({name: "plain words"})[name] == (redaction.GONE if gone else "plain words")


def test_an_output_too_long_to_keep_is_kept_in_part_and_says_so() -> None:
    found = redaction.output({"rows": ["x" * 1000] * 100})
    assert found["truncated"]
    assert found["bytes"] > 100_000
    assert len(json.dumps(found)) < redaction.MAX_BYTES


def test_an_error_is_one_line_of_bounded_length() -> None:
    said = redaction.error(RuntimeError("a\nb " + SECRETS[0] + "x" * 2000))
    assert "\n" not in said
    assert SECRETS[0] not in said
    assert len(said) <= 500
    assert said.startswith("RuntimeError: a b")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)


@given(JSON)
def test_redacting_twice_is_redacting_once_and_the_shape_stays(found: Any) -> None:
    once = redaction.value(found)
    assert redaction.value(once) == once
    assert type(once) is type(found)
