"""Work left to people, after a repair or instead of one: told, and reminded of until it is done."""

from routing.draft import Draft
from routing.incident import FollowUp, Incident, Phase
from routing.instant import DAY, WEEK
from routing.reminding import spaced
from routing.response import callees, informing, notify
from routing.timer import Wake


def report(draft: Draft, incident: Incident, what: str, names: list[str] | None = None) -> Incident:
    """Tell those who were paged, or the ones of these names, how it went; it rings nobody."""
    return notify.tell_each(draft, incident, incident.paged if names is None else names, what)


def wake(draft: Draft, incident: Incident, followup: FollowUp, at: int = 0) -> None:
    """Set its next reminder; at its own time unless told otherwise."""
    what = f"remind: {followup.text}"
    draft.wake(Wake.FOLLOW_UP, followup.id, at or followup.remind_at, incident=incident.id, what=what)


def remind(draft: Draft, incident: Incident, followup_id: str) -> None:
    """A follow-up is still to be done: say so, and again, ever more rarely; at most daily once nothing burns."""
    followup = next((each for each in incident.followups if each.id == followup_id), None)
    if followup is None or followup.done_at:
        return
    every, lasted = followup.remind_at - followup.opened_at, draft.now - followup.opened_at
    if incident.phase is Phase.RESOLVED:
        every = max(every, DAY)
    wake(draft, incident, followup, draft.now + spaced(every, lasted, WEEK))
    draft.note(incident.id, f"reminder: {followup.text}")
    tell(draft, incident, followup, f"Still to do after {incident.id}: {followup.text}")


def tell(draft: Draft, incident: Incident, followup: FollowUp, what: str) -> Incident:
    """Tell who has it; where it names nobody, or means nobody now, all who know of the incident."""
    names = owners(draft, followup)
    if names or incident.paged:
        return notify.tell_each(draft, incident, names or incident.paged, what)
    return informing.inform(draft, incident, what)


def owners(draft: Draft, followup: FollowUp) -> list[str]:
    """Contacts it is for now; none where it is for everyone."""
    return [each.contact.name for each in callees.resolve(draft, followup.to).people]


def others(draft: Draft, incident: Incident, followup: FollowUp) -> list[str]:
    """Who was paged and does not have it."""
    names = owners(draft, followup) or incident.paged
    return [name for name in incident.paged if name not in names]
