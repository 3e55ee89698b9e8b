"""Work a repair left behind: told, and reminded of until it is done."""

from routing.draft import Draft
from routing.incident import Incident
from routing.response import informing, notify
from routing.timer import Wake


def report(draft: Draft, incident: Incident, what: str) -> Incident:
    """Tell those who were paged how the repair went; it rings nobody."""
    return notify.tell_all_paged(draft, incident, what)


def remind(draft: Draft, incident: Incident, followup_id: str) -> None:
    """A follow-up is still to be done: say so, and again after the same time."""
    followup = next((each for each in incident.followups if each.id == followup_id), None)
    if followup is None or followup.done_at:
        return
    every = followup.remind_at - followup.opened_at
    draft.wake(
        Wake.FOLLOW_UP,
        followup.id,
        draft.now + every,
        incident=incident.id,
        what=f"remind: {followup.text}",
    )
    draft.note(incident.id, f"reminder: {followup.text}")
    what = f"Still to do after {incident.id}: {followup.text}"
    if incident.paged:
        notify.tell_all_paged(draft, incident, what)
    else:
        informing.inform(draft, incident, what)
