"""What many events say together, in whatever order they come and however often."""

from dataclasses import replace
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_policy import POLICY, START, failed_card, firing, resolved

from routing.alerts.thresholds import Verdict, hits, judge
from routing.entry import Signal
from routing.incident import Window
from routing.instant import MINUTE, SECOND
from routing.language import matchers
from routing.policy import Rate, Ratio, Threshold

THRESHOLD = replace(POLICY.thresholds[0], count=3, window_ms=5 * MINUTE)
CUSTOMERS = replace(THRESHOLD, distinct="customer")
RATE = replace(THRESHOLD, count=10, window_ms=10 * MINUTE, rate=Rate(times=3, windows=2))
SUCCEEDED = 'kind="payment_intent.succeeded"'
RATIO = replace(THRESHOLD, count=10, ratio=Ratio(20, matchers.parse_all(SUCCEEDED)))


def at(time: int, number: int = 0, **labels: str) -> Signal:
    """One failed payment, an event of its own for each instant and number."""
    signal = failed_card(0, at=START + time)
    event = msgspec.structs.replace(signal.event, vendor_id=f"evt_{time}_{number}", labels=labels)
    return msgspec.structs.replace(signal, event=event)


def paid(time: int, number: int = 0) -> Signal:
    signal = at(time, number)
    event = msgspec.structs.replace(
        signal.event, kind="payment_intent.succeeded", vendor_id=f"ok_{time}_{number}"
    )
    return msgspec.structs.replace(signal, event=event)


def feed(signals: list[Signal], threshold: Threshold = THRESHOLD) -> list[Verdict]:
    """The verdict after each event, the window carried on from one to the next."""
    policy = replace(POLICY, thresholds=(threshold,))
    window = Window(key="w", times=[])
    found = []
    for signal in signals:
        labels = signal.event.attributes()
        for hit in hits(policy, signal.event, labels):
            found.append(judge(hit, signal.event, labels, window, signal.at))
            window = found[-1].window
    return found


@pytest.mark.parametrize(
    ("times", "crossed"),
    [
        ([0, 1], False),
        ([0, 1, 2], True),
        ([0, 1, 5 * MINUTE - 1], True),
        ([0, 1, 5 * MINUTE], False),
        ([0, 1, 2, 5 * MINUTE, 5 * MINUTE + 1], True),
        ([0, 4 * MINUTE, 8 * MINUTE, 12 * MINUTE], False),
        ([9 * MINUTE, 9 * MINUTE + 1, 0], False),
        ([9 * MINUTE, 5 * MINUTE, 4 * MINUTE + 1], True),
        ([0, 1, 1, 1], False),
    ],
)
def test_it_is_crossed_when_so_many_lie_within_one_window(times: list[int], crossed: bool) -> None:
    assert feed([at(time) for time in times])[-1].crossed is crossed


def test_events_without_an_id_of_their_vendor_count_each() -> None:
    nameless = [
        msgspec.structs.replace(each, event=msgspec.structs.replace(each.event, vendor_id=""))
        for each in [at(0)] * 3
    ]
    assert feed(nameless)[-1].crossed


def test_the_reason_counts_and_names_rule_and_line() -> None:
    found = feed([at(0), at(1)])[-1]
    assert str(found.reason) == "2 of 3 events within 5m (payments-failing, config/test.yaml:7)"


def test_a_resolve_counts_for_nothing_and_neither_does_what_does_not_match() -> None:
    everything = replace(THRESHOLD, matchers=())
    assert feed([resolved("site-down")], everything) == []
    assert feed([firing("site-down")], THRESHOLD) == []
    assert len(feed([firing("site-down")], everything)) == 1


def test_each_set_of_values_it_counts_by_is_told_apart() -> None:
    policy = replace(
        POLICY, thresholds=(replace(THRESHOLD, matchers=matchers.parse_all('app=~".*"'), by=("app", "zone")),)
    )
    labels: list[dict[str, str]] = [{"app": "a", "zone": ""}, {"app": "a"}, {"app": "", "zone": "a"}]
    found = [hits(policy, firing("x").event, each)[0].values for each in labels]
    assert found == [("a", ""), ("a", ""), ("", "a")]


@pytest.mark.parametrize(
    ("customers", "crossed"),
    [
        (["a", "b", "c"], True),
        (["a", "a", "a", "b"], False),
        (["a", "", "", "b"], False),  # who is not named is nobody
        (["a", "b", "a", "b", "c"], True),
    ],
)
def test_distinct_values_of_a_label_are_counted_once_each(customers: list[str], crossed: bool) -> None:
    found = feed([at(n, customer=name) for n, name in enumerate(customers)], CUSTOMERS)
    assert found[-1].crossed is crossed


def test_who_was_hit_long_ago_counts_no_more_and_who_is_hit_again_does() -> None:
    first = [at(0, customer="a"), at(1, customer="b"), at(6 * MINUTE, customer="c")]
    assert not feed(first, CUSTOMERS)[-1].crossed
    again = [*first, at(6 * MINUTE + 1, customer="a"), at(6 * MINUTE + 2, customer="b")]
    last = feed(again, CUSTOMERS)[-1]
    assert last.crossed
    assert last.reason.text == "3 of 3 different values of customer within 5m"


def _every(step: int, since: int, until: int) -> list[Signal]:
    return [at(time) for time in range(since, until, step)]


@pytest.mark.parametrize(
    ("signals", "crossed"),
    [
        # six in ten minutes are usual; twenty are more than three times as many
        (_every(100 * SECOND, 0, 30 * MINUTE) + _every(30 * SECOND, 30 * MINUTE, 40 * MINUTE), True),
        (_every(100 * SECOND, 0, 40 * MINUTE), False),
        (_every(100 * SECOND, 0, 30 * MINUTE) + _every(50 * SECOND, 30 * MINUTE, 40 * MINUTE), False),
        # a burst before it is known what is usual
        (_every(10 * SECOND, 0, 20 * MINUTE), False),
        # nothing is usual but for one: fewer than `count` are no matter
        ([at(0), *_every(100 * SECOND, 40 * MINUTE, 50 * MINUTE)], False),
        ([at(0), *_every(50 * SECOND, 40 * MINUTE, 50 * MINUTE)], True),
    ],
    ids=["a burst", "as ever", "twice as many", "not known yet", "too few", "after silence"],
)
def test_a_rate_is_judged_against_what_came_before(signals: list[Signal], crossed: bool) -> None:
    assert feed(signals, RATE)[-1].crossed is crossed


def test_a_rate_says_what_is_usual() -> None:
    burst = _every(100 * SECOND, 0, 30 * MINUTE) + _every(30 * SECOND, 30 * MINUTE, 40 * MINUTE)
    assert feed(burst, RATE)[-1].reason.text == (
        "20 events within 10m, usual are 6; 3 times as many, and no fewer than 10, are too many"
    )
    assert feed([at(0)], RATE)[-1].reason.text == "1 events within 10m; what is usual is not known yet"


@pytest.mark.parametrize(
    ("failed", "succeeded", "crossed"),
    [
        (2, 8, True),
        (1, 9, False),
        (9, 0, False),
        (10, 0, True),
        (0, 50, False),
        (20, 81, False),
        (20, 80, True),
    ],
)
def test_a_ratio_needs_enough_events_of_both(failed: int, succeeded: int, crossed: bool) -> None:
    signals = [*(paid(n) for n in range(succeeded)), *(at(n) for n in range(failed))]
    assert feed(signals, RATIO)[-1].crossed is crossed


def test_a_ratio_is_of_one_window_and_says_both_numbers() -> None:
    signals = [*(at(n) for n in range(9)), *(paid(6 * MINUTE + n) for n in range(10))]
    last = feed(signals, RATIO)[-1]
    assert not last.crossed
    assert last.reason.text == "0 of 10 (0 %) within 5m; 20 % of 10 or more are too many"


def test_a_window_of_another_length_begins_anew() -> None:
    """The numbers of its parts would mean other times, and the newest of them lie in the far future."""
    hour = replace(RATIO, window_ms=60 * MINUTE)
    window = feed([at(n) for n in range(10)], RATIO)[-1].window
    signal = at(MINUTE)
    labels = signal.event.attributes()
    (hit,) = hits(replace(POLICY, thresholds=(hour,)), signal.event, labels)
    assert judge(hit, signal.event, labels, window, signal.at).reason.text.startswith("1 of 1 (100 %)")


def test_a_window_of_an_earlier_release_goes_on() -> None:
    old = msgspec.json.decode(b'{"key": "w", "times": [%d, %d], "seen": 7}' % (START, START + 1), type=Window)
    signal = at(2)
    labels = signal.event.attributes()
    (hit,) = hits(replace(POLICY, thresholds=(THRESHOLD,)), signal.event, labels)
    assert judge(hit, signal.event, labels, old, signal.at).crossed


moments = st.lists(
    st.tuples(st.integers(0, 60 * MINUTE), st.booleans(), st.sampled_from("abcde")), min_size=1, max_size=25
)
kinds = pytest.mark.parametrize(
    "threshold", [THRESHOLD, CUSTOMERS, RATE, RATIO], ids=["count", "distinct", "rate", "ratio"]
)


def _signals(found: list[tuple[int, bool, str]]) -> list[Signal]:
    return [
        paid(time, n) if good else at(time, n, customer=name) for n, (time, good, name) in enumerate(found)
    ]


@kinds
@given(moments, st.randoms(use_true_random=False))
def test_the_window_is_the_same_whatever_order_and_however_often_events_come(
    threshold: Threshold, found: list[tuple[int, bool, str]], random: Random
) -> None:
    """One that comes again, later, counts once, then."""
    signals = _signals(found)
    again = [
        msgspec.structs.replace(each, at=each.at + random.randrange(10 * MINUTE))
        for each in random.sample(signals, len(signals) // 2)
    ]
    everything = signals + again
    latest = {each.event.vendor_id: each for each in sorted(everything, key=lambda each: each.at)}
    random.shuffle(everything)
    shuffled, once = feed(everything, threshold), feed(list(latest.values()), threshold)
    assert _kept(shuffled) == _kept(once)


def _kept(found: list[Verdict]) -> list[Window]:
    """The last window but for when its first event came, which every coming counts for."""
    return [msgspec.structs.replace(each.window, since_at=0) for each in found[-1:]]


@given(moments, st.randoms(use_true_random=False))
def test_since_when_a_rate_is_learned_is_the_same_in_any_order(
    found: list[tuple[int, bool, str]], random: Random
) -> None:
    signals = _signals(found)
    everything = signals + [msgspec.structs.replace(each, at=each.at + MINUTE) for each in signals]
    ordered = feed(sorted(everything, key=lambda each: each.at), RATE)
    random.shuffle(everything)
    shuffled = feed(everything, RATE)
    assert [each.window for each in shuffled[-1:]] == [each.window for each in ordered[-1:]]


@kinds
@given(moments)
def test_what_a_window_keeps_is_bounded(threshold: Threshold, found: list[tuple[int, bool, str]]) -> None:
    for each in feed(_signals(found), threshold):
        assert len(each.window.times) <= max(threshold.count, 100)
        assert each.window.times == sorted(each.window.times)
        assert len(each.window.tally) <= 30
        assert len(each.window.others) <= 30


@given(st.lists(st.integers(0, 20 * MINUTE), min_size=1, max_size=12, unique=True))
def test_it_agrees_with_counting_by_hand(times: list[int]) -> None:
    newest = max(times)
    by_hand = sum(newest - time < THRESHOLD.window_ms for time in times)
    assert feed([at(time) for time in times])[-1].crossed is (by_hand >= THRESHOLD.count)
