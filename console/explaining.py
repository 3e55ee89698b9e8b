"""Why somebody was paged for an incident, or was not: told from its records, the policy and the calendar."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ledger.views.store import Whole
from routing import oncall as shifts
from routing.delivery import Delivery, Held, Progress, Purpose
from routing.duration import span
from routing.escalation import Stage, Target
from routing.incident import Incident, Moment, Phase
from routing.noise.mute import name_of
from routing.oncall.standing import Standing
from routing.policy import Policy

_HELD = {
    Held.LATER: "a further method, whose turn comes if the first ones bring no answer",
    Held.LIMIT: "held back, as they were told so often lately; it goes out together with others",
    Held.DIGEST: "collected for the hour at which they want to be told",
    Held.MORNING: "collected for the morning of whoever has it to do",
    Held.THREAD: "waits for the message that opens its thread",
}


@dataclass(frozen=True, slots=True)
class Because:
    """`at` (ms) 0 where it is no event."""

    what: str
    at: int = 0
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """`verdict` is one sentence."""

    verdict: str
    because: tuple[Because, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known: everything of the incident, the policy that decides now, what stands over the schedules."""

    whole: Whole
    policy: Policy
    standing: Mapping[str, Standing]
    now: int


def explain(asked: Asked, person: str) -> Explanation:
    """For a contact by name."""
    mine = [one for one in asked.whole.deliveries if one.contact == person]
    pages = [one for one in mine if one.purpose is Purpose.PAGE]
    sent = [one for one in pages if one.progress is not Progress.CANCELLED and not one.held]
    lines = [*(_delivery(one) for one in mine), *_named(asked.whole.timeline, person)]
    if sent:
        times = f", {len(sent)} times" if len(sent) > 1 else ""
        return Explanation(f"{person} was paged{times}.", (*lines, *_steps(asked, person)))
    if pages:
        return Explanation(f"{person} was to be paged, and was not.", tuple(lines))
    told = f" {person} was told of it, without a page." if mine else ""
    because = (*_held_back(asked.whole.incident, asked.now), *_steps(asked, person), *lines)
    return Explanation(f"{person} was not paged.{told}", because)


def _delivery(one: Delivery) -> Because:
    why = f": {one.why}" if one.why else ""
    state = _HELD[Held(one.held)] if one.held else str(one.progress)
    error = f" ({one.error})" if one.error else ""
    return Because(f"{one.purpose} by {one.channel} {state}{error}{why}", one.created_at)


def _named(timeline: tuple[Moment, ...], person: str) -> Iterator[Because]:
    """What the timeline says of them by name, where a reason was given."""
    named = re.compile(rf"(?<![\w-]){re.escape(person)}(?![\w-])")
    for moment in timeline:
        for reason in moment.reasons:
            if named.search(moment.what) or named.search(reason.text):
                yield Because(f"{moment.what}: {reason.text}", moment.at, reason.origin)


def _held_back(incident: Incident, now: int) -> Iterator[Because]:
    """Why nobody at all is paged."""
    if incident.silenced_by:
        yield Because(f"Nobody is: {name_of(incident.silenced_by)} holds the page back.")
    if incident.cause:
        yield Because(f"Nobody is, as long as {incident.cause} is open, of which this is an effect.")
    if incident.snoozed_until > now:
        yield Because(f"Nobody is, for another {span(incident.snoozed_until - now)}: somebody put it off.")
    if incident.held_until > now and not incident.paged:
        yield Because(f"The page waits for a repair, for {span(incident.held_until - now)} at most.")
    if incident.merged_into:
        yield Because(f"{incident.merged_into} answers for its alerts now.")
    if incident.escalation is None:
        yield Because(f"The route {incident.route or 'it took'} pages nobody.")


def _steps(asked: Asked, person: str) -> Iterator[Because]:
    """Of each step of the escalation whether it means them, and whether it was reached."""
    escalation = asked.whole.incident.escalation
    if escalation is None:
        return
    for place, stage in enumerate(escalation.stages):
        whom = ", ".join(_target(asked, target) for target in stage.targets)
        meant = any(person in _people(asked, target) for target in stage.targets)
        reached = escalation.round > 0 or place <= escalation.stage
        said = _step(place, stage, whom, meant=meant, reached=reached, incident=asked.whole.incident)
        yield Because(said, 0, stage.origin)


def _step(place: int, stage: Stage, whom: str, *, meant: bool, reached: bool, incident: Incident) -> str:
    condition = ", under conditions" if stage.when else ""
    said = f"Step {place + 1} pages {whom}{condition}: "
    if not meant:
        return said + "that is not them."
    if reached:
        return said + "that is them."
    if incident.phase is not Phase.TRIGGERED:
        who = incident.acknowledged_by or incident.resolved_by or "somebody"
        return said + f"that is them, but it was not reached: {who} had it before."
    return said + "that is them; it is not reached yet."


def _target(asked: Asked, target: Target) -> str:
    if target.kind in {"contact", "channel"}:
        return target.name
    people = ", ".join(_people(asked, target)) or "nobody"
    return f"{target.kind} {target.name} ({people} {'then' if target.kind != 'team' else 'in it'})"


def _people(asked: Asked, target: Target) -> tuple[str, ...]:
    """Whom a target meant when the incident was opened."""
    if target.kind == "team":
        team = asked.policy.teams.get(target.name)
        return team.contacts if team else ()
    look = {"schedule": shifts.who, "next": shifts.who_next, "previous": shifts.who_previous}.get(target.kind)
    schedule = asked.policy.schedules.get(target.name)
    if look is None or schedule is None:
        return (target.name,)
    return look(schedule, asked.standing[target.name], asked.whole.incident.opened_at).contacts
