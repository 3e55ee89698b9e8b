"""Grouping: how long the first page waits for what belongs to it, and when people hear what joined or ended.

As Alertmanager's notification log decides it, for those who were paged or, once somebody has it, for them: there is
news when an alert fires that was not told as firing, or has ended that was not told as ended. What joined and is muted
is news once it is not.
Source: Alertmanager, notify.go, needsUpdate.
What repeats an unanswered page is the escalation; who is only informed is reminded every `repeat_interval`.
"""

import msgspec

from routing import routes
from routing.automation import runs
from routing.draft import Draft
from routing.incident import Alert, Incident, Phase
from routing.noise import mutes
from routing.policy import Policy
from routing.response import notify
from routing.timer import Wake

NAMED = 20
"""Alerts of one message, and of an incident's list of what changed; more than that are only counted."""


def wait_ms(policy: Policy, incident: Incident) -> int:
    """How long its first page waits for its group (ms); 0 for what is urgent, or was opened by a person."""
    route = routes.by_name(policy, incident.route)
    if route is None or not incident.alerts or incident.severity <= route.at_once:
        return 0
    return route.group_wait_ms


def is_waiting(draft: Draft, incident: Incident) -> bool:
    """Nothing but its group's wait holds the page back."""
    held = incident.held_until and not incident.silenced_by
    return bool(held and not any(runs.repairs(draft, run) for run in runs.active(draft, incident)))


def changed(draft: Draft, incident: Incident, alert: Alert | None, mark: str) -> tuple[Incident, str]:
    """An alert is about to begin or cease to fire: note it for the next news.

    `alert` is it as it was. Gives the incident, not yet put, and what the alert's `told` becomes.
    """
    if mark in incident.changed or len(incident.changed) > NAMED:
        return incident, alert.told if alert is not None else ""
    told = "" if alert is None or not incident.told_at else "firing" if alert.firing else "resolved"
    incident = msgspec.structs.replace(incident, changed=[*incident.changed, mark])
    if incident.told_at:
        _wake(draft, incident)
    return incident, told


def _wake(draft: Draft, incident: Incident) -> None:
    """Look for news at the next tick."""
    if draft.timer(Wake.NEWS, incident.id) is None:
        what = "tell those who were paged which alerts joined or ended"
        draft.wake(Wake.NEWS, incident.id, _next_tick(draft, incident), incident=incident.id, what=what)


def _next_tick(draft: Draft, incident: Incident) -> int:
    """Multiples of the group's interval after the last message, as Alertmanager's ticker has it."""
    route = routes.by_name(draft.policy, incident.route) or draft.policy.route
    every = route.group_interval_ms
    return incident.told_at + max(1, -(-(draft.now - incident.told_at) // every)) * every


class _News(msgspec.Struct, frozen=True):
    joined: list[str]
    ended: list[str]
    uncounted: bool
    muted: list[str]
    """Fingerprints of what joined and would be told, if nothing muted it."""

    def __bool__(self) -> bool:
        return bool(self.joined or self.ended or self.uncounted)


def tell(draft: Draft, incident: Incident) -> None:
    """The group's interval is over: quietly, and only when there is news."""
    if incident.phase is Phase.RESOLVED or not incident.paged:
        return
    news = _news(draft, incident)
    incident = msgspec.structs.replace(incident, changed=news.muted, told_at=draft.now)
    draft.put_incident(incident)
    if news.muted:
        _wake(draft, incident)
    if news:
        what = _said(incident, news)
        names = _hearers(draft, incident)
        who = "those who were paged" if names == incident.paged else ", ".join(names)
        draft.note(incident.id, f"told {who}: {what}")
        notify.tell_each(draft, incident, names, what)


def _hearers(draft: Draft, incident: Incident) -> list[str]:
    """Everyone who was paged; once somebody has it they do, and rooms: whoever handed it over may sleep on."""
    holder = incident.acknowledged_by
    if incident.phase is not Phase.ACKNOWLEDGED or holder not in draft.policy.contacts:
        return incident.paged
    return [holder, *(name for name in incident.paged if name != holder and not _has_telephone(draft, name))]


def _has_telephone(draft: Draft, name: str) -> bool:
    contact = draft.policy.contacts.get(name)
    return contact is not None and any(method.address.startswith("+") for method in contact.methods)


def _news(draft: Draft, incident: Incident) -> _News:
    alerts = [alert for mark in incident.changed if (alert := draft.alert(mark)) is not None]
    alerts = [alert for alert in alerts if alert.incident == incident.id]
    untold = [alert for alert in alerts if alert.told != ("firing" if alert.firing else "resolved")]
    # The end of what was told as firing passes through everything.
    muted = {
        alert.fingerprint: alert.firing
        for alert in untold
        if alert.told != "firing" and mutes.covering(draft, alert.labels) is not None
    }
    told = [alert for alert in untold if alert.fingerprint not in muted]
    return _News(
        joined=[alert.title for alert in told if alert.firing],
        ended=[alert.title for alert in told if not alert.firing],
        uncounted=len(incident.changed) > NAMED,
        muted=[mark for mark, firing in muted.items() if firing][:NAMED],
    )


def _said(incident: Incident, news: _News) -> str:
    parts = [
        f"{verb}: {', '.join(dict.fromkeys(titles))}"
        for verb, titles in (("joined", news.joined), ("ended", news.ended))
        if titles
    ]
    more = " and more" if news.uncounted else ""
    return f"{'; '.join(parts)}{more}; {incident.firing} of {incident.alerts} alerts firing".lstrip("; ")


def paged(draft: Draft, incident: Incident) -> Incident:
    """A page tells of all its alerts: news counts from here. The incident is not yet put."""
    draft.unwake(Wake.NEWS, incident.id)
    return msgspec.structs.replace(incident, changed=[], told_at=draft.now)
