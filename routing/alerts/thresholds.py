"""Thresholds: what many events say together, as a verdict on one window. What is kept: `routing.alerts.windows`."""

from collections.abc import Mapping
from enum import Enum

import msgspec

from routing import duration
from routing.alerts import windows
from routing.event import Event, Status
from routing.incident import Window
from routing.policy import Policy, Rate, Ratio, Threshold
from routing.reason import Reason


class Side(Enum):
    """Which of a ratio's two kinds an event is."""

    OWN = "own"
    OTHER = "other"


class Hit(msgspec.Struct, frozen=True):
    """A threshold an event counts for, with its values of the labels that it counts by."""

    threshold: Threshold
    side: Side
    values: tuple[str, ...]


class Verdict(msgspec.Struct, frozen=True):
    window: Window
    crossed: bool
    reason: Reason


def hits(policy: Policy, event: Event, labels: Mapping[str, str]) -> list[Hit]:
    """Every threshold the event counts for. A resolve never counts, nor does one that lacks the label to differ in."""
    if event.status is Status.RESOLVED:
        return []
    found: list[Hit] = []
    for threshold, other in policy.thresholds_by_labels.matching(labels):
        if other and found and found[-1].threshold is threshold:
            continue  # what it counts itself is not one of the others
        if not threshold.distinct or _named(threshold, event, labels):
            side = Side.OTHER if other else Side.OWN
            found.append(Hit(threshold, side, tuple(labels.get(name, "") for name in threshold.by)))
    return found


def _named(threshold: Threshold, event: Event, labels: Mapping[str, str]) -> str:
    return labels.get(threshold.distinct) or event.details.get(threshold.distinct, "")


def judge(hit: Hit, event: Event, labels: Mapping[str, str], window: Window, at: int) -> Verdict:
    """The window with the event in it, and what it says now. `at`: as received, ms.

    The vendor's clock is not asked: a backlog delivered at once is a burst now.
    """
    threshold = hit.threshold
    named = _named(threshold, event, labels) if threshold.distinct else event.vendor_id
    mark = windows.mark_of(named)
    if threshold.rate is not None or threshold.ratio is not None:
        others = threshold.rate.windows if threshold.rate else 0
        window = windows.tallied(
            window,
            mark,
            at,
            other=hit.side is Side.OTHER,
            width=_width(threshold),
            parts=(others + 1) * windows.PARTS,
        )
    else:
        window = windows.marked(window, mark, at, keep=threshold.count, span=threshold.window_ms)
    crossed, text = _verdict(threshold, window, windows.newest_part(window))
    return Verdict(window, crossed, Reason(text=text, rule=threshold.name, origin=str(threshold.origin)))


def standing(threshold: Threshold, window: Window, at: int) -> Verdict:
    """What a window says at an instant (ms), also when nothing has come for long."""
    newest = max(windows.newest_part(window), at // _width(threshold))
    crossed, text = _verdict(threshold, window, newest)
    return Verdict(window, crossed, Reason(text=text, rule=threshold.name, origin=str(threshold.origin)))


def _width(threshold: Threshold) -> int:
    return max(1, threshold.window_ms // windows.PARTS)


def _verdict(threshold: Threshold, window: Window, newest: int) -> tuple[bool, str]:
    within = f"within {duration.text(threshold.window_ms)}"
    if threshold.rate is not None:
        return _rate(threshold, threshold.rate, window, newest, within)
    if threshold.ratio is not None:
        return _ratio(threshold, threshold.ratio, window, newest, within)
    what = f"different values of {threshold.distinct}" if threshold.distinct else "events"
    count = len(window.times)
    return count >= threshold.count, f"{count} of {threshold.count} {what} {within}"


def _rate(threshold: Threshold, rate: Rate, window: Window, newest: int, within: str) -> tuple[bool, str]:
    """Judged once the windows to compare with have passed since the first event."""
    now = windows.total(window.tally, newest)
    if window.since_at // _width(threshold) > newest - (rate.windows + 1) * windows.PARTS + 1:
        return False, f"{now} events {within}; what is usual is not known yet"
    before = windows.total(window.tally, newest - windows.PARTS, rate.windows * windows.PARTS)
    usual = before / rate.windows
    many = f"{rate.times:g} times as many, and no fewer than {threshold.count}, are too many"
    text = f"{now} events {within}, usual are {usual:.3g}; {many}"
    return now >= threshold.count and now >= rate.times * usual, text


def _ratio(threshold: Threshold, ratio: Ratio, window: Window, newest: int, within: str) -> tuple[bool, str]:
    own = windows.total(window.tally, newest)
    both = own + windows.total(window.others, newest)
    percent = 100 * own / both if both else 0
    text = f"{own} of {both} ({percent:.3g} %) {within}; {ratio.percent:g} % of {threshold.count} or more are too many"
    return both >= threshold.count and own * 100 >= ratio.percent * both, text
