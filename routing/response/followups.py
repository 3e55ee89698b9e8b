"""Work left to people, after a repair or instead of one: told, and reminded of until it is done."""

from routing.delivery import Held
from routing.draft import Draft
from routing.incident import FollowUp, Incident, Phase
from routing.instant import DAY, WEEK
from routing.reminding import spaced
from routing.response import callees, informing, notify, sending
from routing.timer import Wake


def report(draft: Draft, incident: Incident, what: str, names: list[str] | None = None) -> Incident:
    """Tell those who were paged, or the ones of these names, how it went; it rings nobody."""
    return notify.tell_each(draft, incident, incident.paged if names is None else names, what)


def wake(draft: Draft, incident: Incident, followup: FollowUp, at: int = 0) -> None:
    """Set its next reminder; at its own time unless told otherwise."""
    what = f"remind: {followup.text}"
    draft.wake(Wake.FOLLOW_UP, followup.id, at or followup.remind_at, incident=incident.id, what=what)


def remind(draft: Draft, incident: Incident, followup_id: str) -> None:
    """A follow-up is still to be done: say so, and again, ever more rarely.

    Once nothing burns, at most daily, and in the morning, with all that is left to do after other incidents.
    """
    followup = next((each for each in incident.followups if each.id == followup_id), None)
    if followup is None or followup.done_at:
        return
    every, lasted = followup.remind_at - followup.opened_at, draft.now - followup.opened_at
    over = incident.phase is Phase.RESOLVED
    if over:
        every = max(every, DAY)
    wake(draft, incident, followup, draft.now + spaced(every, lasted, WEEK))
    draft.note(incident.id, f"reminder: {followup.text}")
    now_or_never = followup.appointed and draft.now < followup.remind_at + DAY
    collected = Held.MORNING if over and not now_or_never else None
    tell(draft, incident, followup, _still(incident, followup), collected)


def done(draft: Draft, incident: Incident, followup: FollowUp, by: str) -> None:
    """It is done: nobody is reminded of it any more, not even by what is collected already."""
    draft.unwake(Wake.FOLLOW_UP, followup.id)
    draft.note(incident.id, f"follow-up done: {followup.text}", by=by)
    for each in draft.unclaimed(incident.id):
        if each.held == Held.MORNING and not each.carrier and each.why == _still(incident, followup):
            sending.cancel(draft, each, f"done by {by}")


def tell(
    draft: Draft, incident: Incident, followup: FollowUp, what: str, collected: Held | None = None
) -> Incident:
    """Tell who has it; where it names nobody, or means nobody now, all who know of the incident."""
    names = owners(draft, followup)
    if names or incident.paged:
        return notify.tell_each(draft, incident, names or incident.paged, what, collected)
    return informing.inform(draft, incident, what, collected=collected)


def owners(draft: Draft, followup: FollowUp) -> list[str]:
    """Contacts it is for now; none where it is for everyone."""
    return [each.contact.name for each in callees.resolve(draft, followup.to).people]


def others(draft: Draft, incident: Incident, followup: FollowUp) -> list[str]:
    """Who was paged and does not have it."""
    names = owners(draft, followup) or incident.paged
    return [name for name in incident.paged if name not in names]


def _still(incident: Incident, followup: FollowUp) -> str:
    return f"Still to do after {incident.id}: {followup.text}"
