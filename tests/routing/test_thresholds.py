"""N events in a sliding window, in whatever order they come."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_policy import POLICY, START, failed_card, firing, resolved

from routing.alerts.thresholds import Counted, count
from routing.entry import Signal
from routing.incident import Window
from routing.instant import MINUTE
from routing.language import matchers
from routing.policy import Threshold

THRESHOLD = replace(POLICY.thresholds[0], count=3, window_ms=5 * MINUTE)


def feed(times: list[int], threshold: Threshold = THRESHOLD, signal: Signal | None = None) -> list[Counted]:
    """The last result for one event at each instant, the window carried on from one to the next."""
    windows: dict[str, Window] = {}
    policy = replace(POLICY, thresholds=(threshold,))
    event = (signal or failed_card(1)).event
    found: list[Counted] = []
    for at in times:
        found = count(policy, event, event.attributes(), windows.get, at)
        windows.update({each.key: each.window for each in found})
    return found


@pytest.mark.parametrize(
    ("times", "crossed"),
    [
        ([0, 1], False),
        ([0, 1, 2], True),
        ([0, 0, 0], True),
        ([0, 1, 5 * MINUTE - 1], True),
        ([0, 1, 5 * MINUTE], False),
        ([0, 1, 5 * MINUTE, 5 * MINUTE], True),
        ([0, 4 * MINUTE, 8 * MINUTE, 12 * MINUTE], False),
        ([9 * MINUTE, 9 * MINUTE, 0], False),
        ([9 * MINUTE, 5 * MINUTE, 4 * MINUTE + 1], True),
    ],
)
def test_it_is_crossed_when_so_many_lie_within_one_window(times: list[int], crossed: bool) -> None:
    (found,) = feed([START + time for time in times])
    assert found.crossed is crossed
    assert found.window.seen == len(times)


def test_the_reason_counts_and_names_rule_and_line() -> None:
    (found,) = feed([START, START])
    assert str(found.reason) == "2 of 3 events within 5m (payments-failing, config/test.yaml:7)"


def test_a_resolve_counts_for_nothing_and_neither_does_what_does_not_match() -> None:
    everything = replace(THRESHOLD, matchers=())
    assert feed([START], everything, resolved("site-down")) == []
    assert feed([START], THRESHOLD, firing("site-down")) == []
    assert len(feed([START], everything, firing("site-down"))) == 1


def test_each_value_of_a_label_counts_on_its_own() -> None:
    by_app = replace(THRESHOLD, matchers=matchers.parse_all('app=~".*"'), by=("app", "zone"))
    first = feed([START], by_app, firing("x", labels={"app": "a", "zone": ""}))
    second = feed([START], by_app, firing("x", labels={"app": "a"}))
    third = feed([START], by_app, firing("x", labels={"app": "", "zone": "a"}))
    assert first[0].key == second[0].key != third[0].key


offsets = st.lists(st.integers(0, 20 * MINUTE), min_size=1, max_size=12)


@given(offsets, st.randoms(use_true_random=False))
def test_the_window_is_the_same_whatever_order_events_come_in(times: list[int], random: object) -> None:
    instants = [START + time for time in times]
    shuffled = list(instants)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert feed(shuffled)[0].window == feed(sorted(instants))[0].window


@given(offsets)
def test_the_window_never_keeps_more_than_it_counts(times: list[int]) -> None:
    window = feed([START + time for time in times])[0].window
    assert len(window.times) <= THRESHOLD.count
    assert window.times == sorted(window.times)


@given(offsets)
def test_it_agrees_with_counting_by_hand(times: list[int]) -> None:
    newest = max(times)
    by_hand = sum(newest - time < THRESHOLD.window_ms for time in times)
    assert feed([START + time for time in times])[0].crossed is (by_hand >= THRESHOLD.count)
