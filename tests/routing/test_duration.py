"""Durations as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing import duration
from routing.schema.refusal import Refusal


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("5m", 300_000), ("1h30m", 5_400_000), ("90s", 90_000), ("250ms", 250), ("1m250ms", 60_250), ("0s", 0),
        ("2d", 172_800_000), ("1w", 604_800_000), ("1w2d3h4m5s6ms", 788_645_006), (" 5m ", 300_000),
    ],
)  # fmt: skip
def test_units_add_up(text: str, ms: int) -> None:
    assert duration.parse(text) == ms


@pytest.mark.parametrize(
    "text", ["", " ", "5", "m", "5m1h", "1.5h", "-5m", "5 m", "5M", "5min", "1h1h", "\u0665m"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="is not a duration"):
        duration.parse(text)


@given(st.integers(0, 10**12))
def test_what_is_written_reads_back(ms: int) -> None:
    assert duration.parse(duration.text(ms)) == ms
