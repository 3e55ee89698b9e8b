"""Instants are written as ISO 8601 in UTC, and read back as the same."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.instant import iso, parse_iso

LAST = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z"""


@given(st.integers(0, LAST))
def test_an_instant_is_written_as_the_library_writes_it_and_read_back(at: int) -> None:
    second = datetime.fromtimestamp(at // 1000, UTC)
    assert iso(at) == f"{second:%Y-%m-%dT%H:%M:%S}.{at % 1000:03}Z"
    assert parse_iso(iso(at)) == at


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_480_200_007, "2026-11-24T00:30:00.007Z"),
        (1_795_564_799_999, "2026-11-24T23:59:59.999Z"),
        (1_795_564_800_000, "2026-11-25T00:00:00.000Z"),
        (LAST, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_it_has_all_its_digits(at: int, text: str) -> None:
    assert iso(at) == text
