"""Thresholds: N events in a sliding window raise one alert.

Order tolerant: the window that results is the same whatever order its events arrive in.
"""

from bisect import insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from routing import duration
from routing.alerts.fingerprint import of_threshold
from routing.event import Event, Status
from routing.incident import Window
from routing.policy import Policy, Threshold
from routing.reason import Reason


@dataclass(frozen=True, slots=True)
class Counted:
    """One threshold an event counts for. `key` is both the window's and the alert's fingerprint."""

    threshold: Threshold
    key: str
    window: Window
    crossed: bool
    reason: Reason


def count(
    policy: Policy,
    event: Event,
    labels: Mapping[str, str],
    get_window: Callable[[str], Window | None],
    at: int,
) -> list[Counted]:
    """Every threshold the event counts for, with its window as it is now. `at`: as received, ms.

    The vendor's clock is not asked: a backlog delivered at once is a burst now. A resolve never counts.
    """
    if event.status is Status.RESOLVED:
        return []
    counted = []
    for threshold in policy.thresholds:
        for matcher in threshold.matchers:
            if not matcher.matches(labels):
                break
        else:
            key = of_threshold(threshold.name, [labels.get(name, "") for name in threshold.by])
            counted.append(_counted(threshold, key, get_window(key), at))
    return counted


def _counted(threshold: Threshold, key: str, known: Window | None, at: int) -> Counted:
    window = _add(known or Window(key=key, times=[]), at, threshold)
    crossed = len(window.times) >= threshold.count
    text = f"{len(window.times)} of {threshold.count} events within {duration.text(threshold.window_ms)}"
    reason = Reason(text=text, rule=threshold.name, origin=str(threshold.origin))
    return Counted(threshold, key, window, crossed, reason)


def _add(window: Window, at: int, threshold: Threshold) -> Window:
    """The newest `count` instants that lie within one window before the newest of them."""
    times = window.times.copy()
    insort(times, at)
    oldest = times[-1] - threshold.window_ms
    kept = [time for time in times[-threshold.count :] if time > oldest]
    return Window(key=window.key, times=kept, seen=window.seen + 1)
