"""Informing: those a route names to be told quietly, of what nobody was paged for and of what stays open."""

from collections.abc import Container

import msgspec

from routing import duration, routes
from routing.delivery import Held
from routing.draft import Draft
from routing.incident import Incident, Phase
from routing.noise import mutes
from routing.response import callees, notify
from routing.timer import Wake


def inform(
    draft: Draft, incident: Incident, what: str, but: Container[str] = (), *, collected: Held | None = None
) -> Incident:
    """Tell quietly those the route names, but for contacts who know it already."""
    route = routes.by_name(draft.policy, incident.route)
    for each in callees.resolve(draft, route.inform if route else ()).people:
        if each.contact.name not in but:
            incident = notify.tell(draft, incident, each.contact, what, collected)
    return incident


def watch(draft: Draft, incident: Incident) -> None:
    """Have them told again after the route's `repeat_interval`, for as long as it is open."""
    route = routes.by_name(draft.policy, incident.route)
    if route is not None and route.inform and route.repeat_ms:
        at = draft.now + route.repeat_ms
        what = "tell those who are informed that it is still open"
        draft.wake(Wake.REPEAT, incident.id, at, incident=incident.id, what=what)


def repeat(draft: Draft, incident: Incident) -> None:
    """It is still open: say so, unless something mutes it."""
    if incident.phase is Phase.RESOLVED:
        return
    watch(draft, incident)
    if mutes.over(draft, incident) is None:
        lasted = duration.text((draft.now - incident.opened_at) // 60_000 * 60_000)
        incident = inform(draft, incident, f"Still {incident.phase} after {lasted}: {incident.title}")
        draft.put_incident(msgspec.structs.replace(incident, informed=True))
