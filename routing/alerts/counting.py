"""Counting: windows of many events, kept in the state; the alerts they raise, and that these end."""

from routing.alerts import combinations, condition, ending, firing, thresholds, verdicts
from routing.alerts.classify import Classified
from routing.alerts.live import is_live
from routing.alerts.thresholds import Hit, Verdict
from routing.decision import Table
from routing.draft import Draft
from routing.event import Event
from routing.incident import Alert
from routing.policy import Threshold
from routing.timer import Wake


def count(draft: Draft, event: Event, classified: Classified, at: int) -> bool:
    """Count the event in every threshold it matches; true when it decided the event's verdict."""
    hits = thresholds.hits(draft.policy, event, classified.labels)
    for hit in hits:
        _count(draft, hit, event, classified, at)
    return bool(hits)


def _count(draft: Draft, hit: Hit, event: Event, classified: Classified, at: int) -> None:
    threshold, labels = hit.threshold, classified.labels
    known, values = combinations.window_for(draft, threshold, hit.values, labels, at)
    found = thresholds.judge(hit, event, labels, known, at)
    _keep(draft, threshold, found)
    alert = draft.alert(known.key)
    if found.crossed or (_goes_on(threshold) and alert is not None and is_live(draft, alert)):
        firing.take(
            draft,
            condition.of_rule(
                threshold, values, known.key, labels, found.reason, at, quiet_ms=threshold.quiet_ms
            ),
        )
    elif draft.verdict is None:
        reasons = [*classified.reasons, found.reason]
        verdicts.put(draft, "counted", severity=classified.severity, reasons=reasons)


def _goes_on(threshold: Threshold) -> bool:
    """Whether one more event keeps an alert from ending: where some are usual, only too many of them do."""
    return not (threshold.rate or threshold.ratio or threshold.distinct)


def _keep(draft: Draft, threshold: Threshold, found: Verdict) -> None:
    window = found.window
    draft.put(Table.WINDOW, window.key, window)
    # What is usual is not to be forgotten because it was quiet.
    forgotten = threshold.by or threshold.rate is None
    if forgotten and draft.timer(Wake.EXPIRE, f"window:{window.key}") is None:
        draft.wake(Wake.EXPIRE, f"window:{window.key}", window.until_at)


def quiet_due(draft: Draft, alert: Alert) -> None:
    """A threshold's alert resolves when nothing more was counted for its quiet time."""
    rule = next((rule for rule in draft.policy.thresholds if rule.name == alert.kind), None)
    quiet = rule.quiet_ms if rule else 0
    if not is_live(draft, alert):
        return
    if alert.last_seen_at + quiet > draft.now:
        subject = f"{alert.incident}/{alert.fingerprint}"
        what = f"resolve {alert.title} if it stays quiet"
        draft.wake(Wake.QUIET, subject, alert.last_seen_at + quiet, incident=alert.incident, what=what)
        return
    ending.end_alert(
        draft, alert, draft.now, "source", f"nothing more for {(draft.now - alert.last_seen_at) // 1000} s"
    )
