"""Counting: thresholds that many events cross together."""

from routing.alerts import ending, firing, thresholds, verdicts
from routing.alerts.classify import Classified
from routing.alerts.condition import Condition
from routing.alerts.fingerprint import of_threshold
from routing.alerts.live import is_live
from routing.decision import Table
from routing.draft import Draft
from routing.event import Event
from routing.incident import Alert, Window
from routing.policy import Threshold
from routing.reason import Reason
from routing.timer import Wake


def count(draft: Draft, event: Event, classified: Classified, at: int) -> bool:
    """Count the event in every threshold it matches; true when it decided the event's verdict."""

    def window(key: str) -> Window | None:
        return draft.find(Table.WINDOW, key, Window)

    counted = thresholds.count(draft.policy, event, classified.labels, window, at)
    for count in counted:
        draft.put(Table.WINDOW, count.key, count.window)
        draft.wake(Wake.EXPIRE, f"window:{count.key}", at + count.threshold.window_ms)
        known = draft.alert(_threshold_fingerprint(count.threshold, classified.labels))
        if count.crossed or (known is not None and is_live(draft, known)):
            firing.take(draft, _crossing(count.threshold, event, classified, at, count.reason))
        else:
            verdicts.put(
                draft, "counted", severity=classified.severity, reasons=[*classified.reasons, count.reason]
            )
    return bool(counted)


def _threshold_fingerprint(threshold: Threshold, labels: dict[str, str]) -> str:
    return of_threshold(threshold.name, tuple(labels.get(name, "") for name in threshold.by))


def _crossing(
    threshold: Threshold, event: Event, classified: Classified, at: int, reason: Reason
) -> Condition:
    labels = {
        **{name: classified.labels.get(name, "") for name in threshold.by},
        **threshold.labels,
        "source": event.source,
        "kind": threshold.name,
        "severity": str(threshold.severity),
        "team": threshold.team,
        "service": threshold.service or classified.service,
    }
    return Condition(
        fingerprint=_threshold_fingerprint(threshold, classified.labels),
        source=event.source,
        kind=threshold.name,
        title=threshold.title,
        summary=reason.text,
        severity=threshold.severity,
        team=threshold.team or classified.team,
        service=labels["service"],
        labels=labels,
        at=at,
        reasons=(reason,),
        same=f"it counts for {threshold.name}",
    )


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
    ending.end_alert(draft, alert, draft.now, "source", f"nothing more for {quiet // 1000} s")
