"""Absences: an expected event did not come, a source went quiet, a heartbeat stopped.

The timer is set for the earliest instant at which something may be missed, and not moved by each event: when it comes
due, what is expected is looked at anew. So it survives what the state survives, and costs nothing per event.
"""

import msgspec

from routing import duration
from routing.alerts import combinations, condition, ending, expecting, firing, verdicts
from routing.alerts.classify import Classified
from routing.alerts.live import is_live
from routing.decision import Table
from routing.draft import Draft
from routing.event import Event
from routing.incident import Window
from routing.instant import iso
from routing.policy import Absence
from routing.reason import Reason
from routing.schema.sources import OURSELVES
from routing.timer import Wake


def came(draft: Draft, event: Event, classified: Classified, at: int) -> bool:
    """Take note of what came, and of what is to follow it; true when that gave the event its verdict."""
    found: dict[str, tuple[Absence, set[bool]]] = {}
    for rule, asks in draft.policy.absences_by_labels.matching(classified.labels):
        found.setdefault(rule.key, (rule, set()))[1].add(asks)
    for rule, sides in found.values():
        _note(draft, rule, event, classified, at, is_it=False in sides, asks=True in sides)
    return bool(found)


def _note(
    draft: Draft, rule: Absence, event: Event, classified: Classified, at: int, *, is_it: bool, asks: bool
) -> None:
    labels = classified.labels
    values = tuple(labels.get(name, "") for name in rule.by)
    window, _ = combinations.window_for(draft, rule, values, labels, at)
    if is_it:
        window = msgspec.structs.replace(window, came_at=max(window.came_at, at))
    if asks:
        window = expecting.asked(window, event.vendor_id, at)
    draft.put(Table.WINDOW, window.key, window)
    missed = expecting.missed_at(rule, window)
    _wake(draft, rule, window, missed or at + rule.within_ms)
    alert = draft.alert(window.key)
    if alert is not None and is_live(draft, alert) and (missed is None or missed > draft.now):
        ending.end_alert(draft, alert, at, "source", "what was missed has come")
    until = f"; it is missed at {iso(missed)}" if missed else ""
    reason = _reason(rule, f"expected by {rule.name}{until}" if is_it else f"{rule.name} expects more{until}")
    reasons = [*classified.reasons, reason]
    verdicts.put(draft, "expected", severity=classified.severity, reasons=reasons)


def watch(draft: Draft) -> None:
    """A policy goes live: what it expects is expected from now on, and no later than it says now."""
    for rule in draft.policy.absences:
        if not rule.by and not rule.after:
            window, _ = combinations.window_for(draft, rule, (), {}, draft.now)
            if not window.came_at:
                draft.put(Table.WINDOW, window.key, msgspec.structs.replace(window, came_at=draft.now))
    rules = {rule.key: rule for rule in draft.policy.absences}
    keys = {*draft.state.tables[Table.WINDOW], *draft.changed(Table.WINDOW)}
    for key in sorted(keys):
        window_now = draft.find(Table.WINDOW, key, Window)
        rule_now = rules.get(window_now.rule) if window_now else None
        if window_now and rule_now and (missed := expecting.missed_at(rule_now, window_now)) is not None:
            _wake(draft, rule_now, window_now, missed)


def due(draft: Draft, key: str) -> None:
    """Something may be missed by now."""
    window = draft.find(Table.WINDOW, key, Window)
    if window is None:
        return
    rule = next((rule for rule in draft.policy.absences if rule.key == window.rule), None)
    if rule is None:
        combinations.forget(draft, window)
        return
    window = _given_up(draft, rule, window)
    missed = expecting.missed_at(rule, window)
    if missed is None:
        combinations.forget(draft, window)
    elif missed > draft.now:
        _wake(draft, rule, window, missed)
    else:
        _miss(draft, rule, window, missed)


def _given_up(draft: Draft, rule: Absence, window: Window) -> Window:
    """What was told, and resolved by a person although it did not come, is waited for no more.

    Only what is expected at all times goes on being so: it is missed anew.
    """
    alert = draft.alert(window.key)
    missed = expecting.missed_at(rule, window)
    if alert is None or missed is None or is_live(draft, alert) or alert.last_seen_at < missed:
        return window
    if rule.after:
        return msgspec.structs.replace(window, came_at=alert.last_seen_at)
    return msgspec.structs.replace(window, came_at=0) if rule.by else window


def _miss(draft: Draft, rule: Absence, window: Window, missed: int) -> None:
    draft.put(Table.WINDOW, window.key, window)
    _wake(draft, rule, window, draft.now + rule.within_ms)
    alert = draft.alert(window.key)
    if alert is not None and is_live(draft, alert):
        return
    since = expecting.since(rule, window)
    text = f"nothing came from {iso(since)} to {iso(missed)}, {duration.text(rule.within_ms)}"
    if rule.hours:
        text += f" of {rule.hours.name} hours"
    values = tuple(window.values) or (combinations.TOGETHER,) * len(rule.by)
    service = draft.policy.services.get(rule.service)
    # Nobody else reported anything.
    labels = {"source": OURSELVES, "team": service.team if service else "", "service": rule.service}
    if service:
        labels["service_tier"] = service.tier_label
    firing.take(draft, condition.of_rule(rule, values, window.key, labels, _reason(rule, text), draft.now))


def _wake(draft: Draft, rule: Absence, window: Window, at: int) -> None:
    known = draft.timer(Wake.ABSENCE, window.key)
    if known is None or known.at > at:
        what = f"look whether what {rule.name} expects has come"
        draft.wake(Wake.ABSENCE, window.key, at, what=what)


def _reason(rule: Absence, text: str) -> Reason:
    return Reason(text=text, rule=rule.name, origin=str(rule.origin))
