"""Whether an alert is live: it fires, and its incident is open."""

from routing.draft import Draft
from routing.incident import Alert, Phase


def is_live(draft: Draft, alert: Alert) -> bool:
    incident = draft.incident(alert.incident)
    return alert.firing and incident is not None and incident.phase is not Phase.RESOLVED
