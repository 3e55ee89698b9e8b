"""Reviews: what a person adds to the report on an incident, kept with it, also when it is in the archive by then."""

import msgspec

from routing.draft import Draft
from routing.entry import Reviewed
from routing.incident import Review
from routing.record import decode, encode


def review_key(incident: str) -> str:
    """Key of the fact that holds the review of an incident that had left for the archive."""
    return f"review:{incident}"


def reviewed(draft: Draft, entry: Reviewed) -> None:
    """What is not said anew stays as it was. Of an incident that there never was nothing is kept."""
    incident = draft.incident(entry.incident)
    if incident is not None:
        said = ", ".join(name for name, text in _said(entry).items() if text).replace("_", " ")
        draft.note(incident.id, f"report: {said} written by {entry.by or 'operator'}", by=entry.by)
        review = merged(incident.review or Review(), _new(draft, entry))
        draft.put_incident(msgspec.structs.replace(incident, review=review))
    elif _has_been(draft, entry.incident):
        known = draft.fact(review_key(entry.incident))
        review = merged(decode(Review, known) if known else Review(), _new(draft, entry))
        draft.put_fact(review_key(entry.incident), encode(review).decode())


def merged(first: Review, later: Review) -> Review:
    """What the later one does not say is as the first one has it."""
    return Review(
        impact=later.impact or first.impact,
        root_cause=later.root_cause or first.root_cause,
        measures=later.measures or first.measures,
        by=later.by or first.by,
        at=later.at or first.at,
    )


def _new(draft: Draft, entry: Reviewed) -> Review:
    return Review(by=entry.by or "operator", at=draft.now, **_said(entry))


def _said(entry: Reviewed) -> dict[str, str]:
    return {"impact": entry.impact, "root_cause": entry.root_cause, "measures": entry.measures}


def _has_been(draft: Draft, incident: str) -> bool:
    number = incident.removeprefix("INC-")
    return number.isdigit() and 0 < int(number) <= int(draft.fact("incidents") or "0")
