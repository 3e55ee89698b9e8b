"""A card: what a chat shows of a notification: heading, text, how the incident stands, what can be answered."""

from dataclasses import dataclass
from typing import Final

from routing.delivery import Purpose
from routing.entry import Verb
from routing.incident import Incident, Phase
from routing.instant import MINUTE
from routing.ports import Notification
from routing.response import render
from workers.text import one_line, printable

LABELS: Final = {
    Verb.ACK: "Acknowledge",
    Verb.RESOLVE: "Resolve",
    Verb.ESCALATE: "Escalate",
    Verb.APPROVE: "Approve",
    Verb.DENY: "Deny",
}
_OPEN = (Verb.ACK, Verb.RESOLVE, Verb.ESCALATE)
_TAKEN = (Verb.RESOLVE, Verb.ESCALATE)
_ASKED = (Verb.APPROVE, Verb.DENY)


@dataclass(frozen=True, slots=True)
class Card:
    """All of it plain text without control characters; `heading` and `stands` are one line each."""

    heading: str
    body: str
    stands: str
    """Who has it, since when; "" of what belongs to no live incident."""
    answers: tuple[Verb, ...]
    """What can be answered now."""
    remark: str
    """What else its reader should know."""


def of(notification: Notification) -> Card:
    """What is said now. A first line that only repeats the heading is left out."""
    heading = one_line(notification.message.title)
    first, _, rest = printable(notification.message.body).strip().partition("\n")
    repeats = one_line(first).replace(": ", " ", 1) in heading
    return Card(
        heading=heading or "Tocsin",
        body=rest.strip() if repeats else f"{first}\n{rest}".strip(),
        stands=stands(notification),
        answers=answers(notification),
        remark=_remark(notification),
    )


def living(notification: Notification) -> Card:
    """How the incident is now: for a message that is kept up to date. Without a live incident, what is said now."""
    incident = notification.standing
    if incident is None:
        return of(notification)
    facts = render.facts(incident, _zone(notification))[1:]
    return Card(
        heading=one_line(f"[{incident.id}] {incident.severity} {incident.title}"),
        body=printable("\n".join(facts)),
        stands=stands(notification),
        answers=_open(incident),
        remark=_remark(notification),
    )


def opening(notification: Notification) -> Card:
    """What is said, and for what is only told also what it is about: nothing was said there before."""
    said = of(notification)
    if notification.purpose is not Purpose.UPDATE or notification.standing is None or notification.together:
        return said
    now = living(notification)
    told = f"{said.heading}\n{said.body}".strip()
    return Card(now.heading, f"{told}\n\n{now.body}".strip(), now.stands, now.answers, now.remark)


def news(notification: Notification) -> Card:
    """Below the first message, whose buttons are enough for what is only told."""
    said = of(notification)
    if notification.purpose in {Purpose.PAGE, Purpose.APPROVAL}:
        return said
    return Card(said.heading, said.body, "", (), said.remark)


def answers(notification: Notification) -> tuple[Verb, ...]:
    """What somebody could say to it that would still mean something."""
    asked = _ASKED if notification.run or notification.purpose is Purpose.APPROVAL else ()
    if notification.purpose is Purpose.APPROVAL or not notification.incident:
        return asked
    if notification.standing is None:
        return (*(_OPEN if notification.purpose is Purpose.PAGE else ()), *asked)
    return (*_open(notification.standing), *asked)


def stands(notification: Notification) -> str:
    """Who has it, and since when: "anna has it since Tue 24 Nov 02:30 CET."."""
    incident = notification.standing
    if incident is None or notification.together:
        return ""
    zone = _zone(notification)
    if incident.merged_into:
        return f"Goes on as {incident.merged_into}."
    if incident.phase is Phase.RESOLVED:
        lasted = max(1, round((incident.resolved_at - incident.opened_at) / MINUTE))
        by = "" if incident.resolved_by in {"", "source"} else f" by {incident.resolved_by}"
        return one_line(f"Resolved{by}, {render.clock(incident.resolved_at, zone)}, after {lasted} min.")
    if incident.phase is Phase.ACKNOWLEDGED:
        since = render.clock(incident.acknowledged_at, zone)
        return one_line(f"{incident.acknowledged_by} has it since {since}.")
    by = f" Respond by {render.clock(incident.respond_by, zone)}." if incident.respond_by else ""
    return f"Nobody has it.{by}"


def _open(incident: Incident) -> tuple[Verb, ...]:
    if incident.phase is Phase.RESOLVED or incident.merged_into:
        return ()
    return _TAKEN if incident.phase is Phase.ACKNOWLEDGED else _OPEN


def _remark(notification: Notification) -> str:
    return "This may be a repeat of an earlier message." if notification.repeat else ""


def _zone(notification: Notification) -> str:
    return notification.person.timezone if notification.person else "UTC"
