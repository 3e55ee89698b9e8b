"""An alert ends: by its sender, by silence, or before it was heard of."""

import msgspec

from routing.alerts import verdicts
from routing.alerts.classify import Classified
from routing.alerts.condition import Identity
from routing.alerts.firing import NOTED_JOINS
from routing.alerts.live import is_live
from routing.draft import Draft
from routing.event import Event
from routing.incident import Alert
from routing.instant import HOUR
from routing.noise import flapping, grouping, inhibition, mutes
from routing.reason import Reason
from routing.response import closing
from routing.timer import Wake

TOMBSTONE_MS = HOUR
"""A resolve that came before its own firing is remembered this long."""


def take(draft: Draft, event: Event, classified: Classified, at: int, identity: Identity) -> None:
    mark = identity.mark
    ended = event.ends_at or at
    alert = draft.alert(mark)
    if alert is None or (not alert.firing and alert.resolved_at >= ended):
        _remember_resolve(draft, mark, ended)
        reason = Reason(text="nothing of it is open; remembered, in case its firing comes late")
        verdicts.put(draft, "ignored", mark, alert.incident if alert else "", reason=reason)
        return
    if alert.firing and alert.starts_at > ended:
        reason = Reason(text="it resolves an earlier occurrence; the alert has fired again since")
        verdicts.put(draft, "stale", mark, alert.incident, reason=reason)
        return
    end_alert(draft, alert, ended, "source", f"{event.source} reports it resolved")
    why = verdicts.same(alert.incident, Reason(text=identity.why))
    verdicts.put(draft, "resolved", mark, alert.incident, reasons=[*classified.reasons, why])


def _remember_resolve(draft: Draft, mark: str, ended: int) -> None:
    key = f"resolved:{mark}"
    draft.put_fact(key, str(max(ended, int(draft.fact(key) or "0"))))
    draft.wake(Wake.EXPIRE, key, draft.now + TOMBSTONE_MS)


def end_alert(draft: Draft, alert: Alert, ended: int, by: str, why: str) -> None:
    """The alert no longer fires; with the last of them the incident is resolved."""
    was_live = is_live(draft, alert)
    incident = draft.incident(alert.incident)
    told = alert.told
    if incident is not None and was_live:
        incident, told = grouping.changed(draft, incident, alert, alert.fingerprint)
    changes = flapping.changes(draft, alert, draft.now)
    over = msgspec.structs.replace(
        alert,
        firing=False,
        resolved_at=ended,
        resolved_by=by,
        told=told,
        changes=changes,
        flapping=flapping.flaps(draft, alert, changes),
    )
    draft.put_alert(over)
    mutes.look_again(draft, *inhibition.ended(draft, alert))
    subject = f"{alert.incident}/{alert.fingerprint}"
    draft.unwake(Wake.EXPIRE, subject)
    draft.unwake(Wake.QUIET, subject)
    if incident is None or not was_live:
        return
    if over.flapping:
        incident = flapping.watch(draft, incident, over)
    incident = msgspec.structs.replace(incident, firing=max(0, incident.firing - 1))
    draft.put_incident(incident)
    if incident.firing == 0 and incident.flapping == 0:
        closing.all_ended(draft, incident, by, Reason(text=why))
    elif incident.alerts <= NOTED_JOINS:
        draft.note(incident.id, f"{alert.title} resolved, {incident.firing} still firing", Reason(text=why))
