"""Flapping: an alert that begins and ceases to fire again and again.

Its incident stays open, so that neither a page nor a resolve goes out with every change, until the alert has been
steady for a while. Those who were paged are told once, and of its end. What a person does passes at once.
"""

import msgspec

from routing import duration
from routing.draft import Draft
from routing.incident import Alert, Incident, Phase
from routing.policy import Flapping
from routing.reason import Reason
from routing.response import closing, notify
from routing.timer import Wake


def changes(draft: Draft, known: Alert | None, at: int) -> list[int]:
    """The instants (ms) of the latest changes of an alert, with the one at `at`; none for its very first."""
    rule = draft.policy.noise.flapping
    if known is None or rule is None:
        return []
    times = [*(known.changes or [known.began_at]), at]
    return [time for time in times if time > at - rule.within_ms][-rule.changes :]


def flaps(draft: Draft, known: Alert | None, times: list[int]) -> bool:
    """An alert that flapped goes on to, whatever its changes, until it was steady."""
    rule = draft.policy.noise.flapping
    return rule is not None and ((known is not None and known.flapping) or len(times) >= rule.changes)


def watch(draft: Draft, incident: Incident, alert: Alert) -> Incident:
    """An alert that flaps has changed again, or just began to flap. Gives the incident, not yet put."""
    rule = draft.policy.noise.flapping or Flapping()
    what = f"look whether {alert.title} is steady"
    subject = f"{incident.id}/{alert.fingerprint}"
    known = draft.timer(Wake.STEADY, subject)
    draft.wake(Wake.STEADY, subject, draft.now + rule.steady_ms, incident=incident.id, what=what)
    if known is not None:
        return incident
    incident = msgspec.structs.replace(incident, flapping=incident.flapping + 1)
    within, steady = duration.text(rule.within_ms), duration.text(rule.steady_ms)
    why = Reason(text=f"{len(alert.changes)} changes within {within}", rule="flapping")
    what = f"{alert.title} is flapping; it stays open until it was steady for {steady}"
    draft.note(incident.id, what, why)
    return notify.tell_all_paged(draft, incident, what)


def steady(draft: Draft, incident: Incident, alert: Alert) -> None:
    """It has not changed for long enough: its incident goes its usual way again."""
    draft.put_alert(msgspec.structs.replace(alert, flapping=False, changes=[]))
    if incident.phase is Phase.RESOLVED:
        return
    incident = msgspec.structs.replace(incident, flapping=max(0, incident.flapping - 1))
    draft.put_incident(incident)
    state = "fires" if alert.firing else "has not fired"
    what = f"{alert.title} flaps no longer: it {state} steadily"
    if incident.firing == 0 and incident.flapping == 0:
        closing.all_ended(draft, incident, "source", Reason(text=what))
    else:
        draft.note(incident.id, what)
        notify.tell_all_paged(draft, incident, what)
