"""Combinations: each set of values a rule counts by has a window of its own, up to a number that is told."""

from dataclasses import replace

from routing.alerts import condition, firing
from routing.alerts.fingerprint import of_threshold
from routing.alerts.live import is_live
from routing.decision import Table
from routing.draft import Draft
from routing.incident import Window
from routing.instant import DAY
from routing.policy import Absence, Threshold
from routing.reason import Reason
from routing.severity import Severity
from routing.timer import Wake

TOGETHER = "(together)"
"""The value that stands for all those beyond the most a rule counts by."""


def window_for(
    draft: Draft, rule: Threshold | Absence, values: tuple[str, ...], labels: dict[str, str], at: int
) -> tuple[Window, tuple[str, ...]]:
    """The window of these values, an empty one when it is new; that of all others once there are too many."""
    key = of_threshold(rule.key, values)
    known = draft.find(Table.WINDOW, key, Window)
    if known is not None:
        return known, values
    if not values:
        return Window(key=key, times=[], rule=rule.key), values
    counted = _counted(draft, rule.key)
    if counted < rule.most:
        draft.put_fact(_fact(rule.key), str(counted + 1))
        return Window(key=key, times=[], rule=rule.key, values=list(values)), values
    _tell(draft, rule, labels, at)
    values = (TOGETHER,) * len(values)
    key = of_threshold(rule.key, values)
    return draft.find(Table.WINDOW, key, Window) or Window(key=key, times=[], rule=rule.key), values


def due(draft: Draft, key: str) -> None:
    """Forget a window that says nothing any more, and make room for another."""
    window = draft.find(Table.WINDOW, key, Window)
    if window is None:
        return
    if window.until_at > draft.now:
        draft.wake(Wake.EXPIRE, f"window:{key}", window.until_at)
        return
    forget(draft, window)


def forget(draft: Draft, window: Window) -> None:
    draft.drop(Table.WINDOW, window.key)
    if window.values:
        _make_room(draft, window.rule)


def _make_room(draft: Draft, rule: str) -> None:
    left = _counted(draft, rule) - 1
    if left > 0:
        draft.put_fact(_fact(rule), str(left))
    else:
        draft.drop(Table.FACT, _fact(rule))


def _counted(draft: Draft, rule: str) -> int:
    return int(draft.fact(_fact(rule)) or "0")


def _fact(rule: str) -> str:
    return f"windows:{rule}"


def _tell(draft: Draft, rule: Threshold | Absence, labels: dict[str, str], at: int) -> None:
    """An alert of our own, once a day while it lasts: what is counted together is counted less well."""
    mark = of_threshold(f"{rule.key} counts by too much", ())
    alert = draft.alert(mark)
    if alert is not None and is_live(draft, alert):
        return
    text = f"more than {rule.most} combinations of {', '.join(rule.by)}: the rest is counted together"
    reason = Reason(text=text, rule=rule.name, origin=str(rule.origin))
    told = replace(rule, by=(), severity=Severity.SEV3, title=f"{rule.name} counts by too much")
    firing.take(draft, condition.of_rule(told, (), mark, labels, reason, at, quiet_ms=DAY))
