"""Judging a probe: when it fires, when it ends, and that a flutter does neither."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_policy import HERE

from routing.policy import Probe
from routing.probing import Look, Turn, Watched, seen

LETTERS = {"w": Look.WELL, "i": Look.ILL, "b": Look.BLIND}


def probe(fails: int = 3, of: int = 5, recovers: int = 2) -> Probe:
    return Probe("site", "http.probe", {}, 1000, 500, "ok", fails, of, recovers, "SiteDown", "down", HERE)


def turns(probe: Probe, looks: str) -> str:
    """F where it fires, E where it ends, a dot for each other look."""
    watched, told = Watched(), ""
    for letter in looks:
        watched, turn = seen(probe, watched, LETTERS[letter])
        told += {Turn.FIRES: "F", Turn.ENDS: "E", Turn.NOTHING: "."}[turn]
    return told


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        ("ww", ".E"),
        ("wwww", ".E.."),
        ("iii", "..F"),
        ("iwiwi", "....F"),
        ("iwwwwiwwwwi", "..E........"),
        ("iiiiii", "..F..."),
        ("iiiww", "..F.E"),
        ("iiiwiww", "..F...E"),
        ("iiiwwii", "..F.EFF"[:5] + "F."),
        ("bbbbb", "....."),
        ("ibibi", "....F"),
        ("iiiwbw", "..F..."),
    ],
)
def test_it_fires_on_n_of_m_and_ends_on_so_many_good_ones_in_a_row(looks: str, told: str) -> None:
    assert turns(probe(), looks) == told


def test_blind_looks_say_nothing_and_only_they_make_it_blind() -> None:
    watched = Watched()
    for _ in range(5):
        watched, _ = seen(probe(), watched, Look.BLIND)
    assert (watched.blind, watched.firing) == (True, None)
    watched, _ = seen(probe(), watched, Look.ILL)
    assert not watched.blind


numbers = st.integers(1, 6)


@given(numbers, numbers, numbers, st.text("wib", max_size=60))
def test_it_fires_and_ends_in_turn_and_never_without_its_reason(
    fails: int, more: int, recovers: int, looks: str
) -> None:
    asked = probe(fails, fails + more - 1, recovers)
    told = turns(asked, looks)
    changes = [mark for mark in told if mark != "."]
    assert all(early != late for early, late in pairwise(changes))
    for place, mark in enumerate(told, start=1):
        if mark == "F":
            assert looks[max(0, place - asked.of) : place].count("i") >= fails
        if mark == "E":
            assert looks[place - recovers : place] == "w" * recovers


@given(numbers, numbers, numbers, st.text("wib", max_size=30))
def test_it_always_says_what_lasts(fails: int, more: int, recovers: int, looks: str) -> None:
    asked = probe(fails, fails + more - 1, recovers)
    ill = [mark for mark in turns(asked, looks + "i" * asked.of) if mark != "."]
    assert ill[-1] == "F"
    well = [mark for mark in turns(asked, looks + "w" * max(recovers, asked.of)) if mark != "."]
    assert well[-1] == "E"
