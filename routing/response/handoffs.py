"""Handoffs: whoever's shift begins, soon or now, and whoever's is over, is told.

What counts is who was on call at the last look. So a handoff that came while nothing ran, or with an override, is
told all the same, and none is told twice.
"""

from collections.abc import Iterable, Sequence
from heapq import nsmallest
from itertools import pairwise

from routing import oncall
from routing.calendar.hours import FOREVER
from routing.decision import Table
from routing.delivery import Message
from routing.draft import Draft
from routing.incident import Incident, Phase
from routing.oncall import OnCall
from routing.policy import Contact, Notices, Schedule
from routing.response import callees, notices, shift_texts
from routing.timer import Wake

_NAMED = 10
"""Of the open incidents so many are named, the worst first."""
_NOBODY = "-"
_WHY = "the schedule tells of its handoffs"


def watch(draft: Draft) -> None:
    """A policy goes live: look who is on call in the schedules that tell of it."""
    for name in draft.policy.schedules:
        look_soon(draft, name)


def look_soon(draft: Draft, name: str) -> None:
    """By an entry of its own: what this one changes is in the state by then."""
    schedule = draft.policy.schedules.get(name)
    if schedule is not None and schedule.notices is not None:
        draft.wake(Wake.SHIFT, name, draft.now, what=f"look who is on call in {name}")


def due(draft: Draft, name: str) -> None:
    """Tell what changed since the last look and what begins soon, and be woken for the next of it."""
    schedule = draft.policy.schedules.get(name)
    if schedule is None or schedule.notices is None:
        draft.drop(Table.FACT, _people(name))
        draft.drop(Table.FACT, _looked(name))
        return
    standing = oncall.standing(draft.state, name)
    duty = oncall.who(schedule, standing, draft.now)
    _handoff(draft, schedule, schedule.notices, duty)
    if duty.until_at < FOREVER:
        longest = max(schedule.notices.before_ms, default=0)
        coming = oncall.shifts(schedule, standing, draft.now, duty.until_at + longest + 1)
        _announce(draft, schedule, schedule.notices, coming)
    draft.put_fact(_looked(name), str(draft.now))


def _people(schedule: str) -> str:
    """The fact that names who was on call at the last look."""
    return f"on-call:{schedule}"


def _looked(schedule: str) -> str:
    return f"on-call-looked:{schedule}"


def _handoff(draft: Draft, schedule: Schedule, rules: Notices, duty: OnCall) -> None:
    known = draft.fact(_people(schedule.name))
    draft.put_fact(_people(schedule.name), ",".join(duty.contacts) or _NOBODY)
    before = [] if known == _NOBODY else known.split(",")
    if not known or set(before) == set(duty.contacts):
        return
    open_ = _open(draft)
    was, now = _titles(draft, before), _titles(draft, duty.contacts)
    for contact in _contacts(draft, duty.contacts, but=before):
        _tell(draft, contact, shift_texts.begins(schedule, contact, duty, was, open_))
    for contact in _contacts(draft, before, but=duty.contacts):
        theirs = [each for each in open_ if each.phase is Phase.ACKNOWLEDGED]
        theirs = [each for each in theirs if each.acknowledged_by == contact.name]
        _tell(draft, contact, shift_texts.over(schedule, contact, duty, now, theirs))
    for callee in callees.resolve(draft, rules.targets).people:
        if callee.contact.name not in {*before, *duty.contacts}:
            _tell(draft, callee.contact, shift_texts.handoff(schedule, duty, was, now))


def _announce(draft: Draft, schedule: Schedule, rules: Notices, coming: Sequence[OnCall]) -> None:
    """Each shift of somebody new is told of once for every span before it that began since the last look."""
    looked = int(draft.fact(_looked(schedule.name)) or draft.now)
    looks = [coming[0].until_at]
    for last, shift in pairwise(coming):
        new = _contacts(draft, shift.contacts, but=last.contacts)
        instants = [shift.since_at - span for span in rules.before_ms if new]
        looks += [at for at in instants if at > draft.now]
        if any(looked < at <= draft.now for at in instants):
            for contact in new:
                _tell(draft, contact, shift_texts.soon(schedule, contact, shift, draft.now))
    draft.wake(Wake.SHIFT, schedule.name, min(looks), what=f"look who is on call in {schedule.name}")


def _tell(draft: Draft, contact: Contact, message: Message) -> None:
    notices.tell(draft, contact, message, _WHY)


def _contacts(draft: Draft, names: Iterable[str], *, but: Iterable[str] = ()) -> list[Contact]:
    found = (callees.find(draft.policy, name) for name in names if name not in but)
    return [each for each in found if each is not None]


def _titles(draft: Draft, names: Iterable[str]) -> str:
    return ", ".join(contact.title for contact in _contacts(draft, names)) or "nobody"


def _open(draft: Draft) -> list[Incident]:
    every = draft.state.tables[Table.INCIDENT].values()
    found = (each for each in every if isinstance(each, Incident) and each.phase is not Phase.RESOLVED)
    return nsmallest(_NAMED, found, key=lambda each: (each.severity, each.opened_at, each.number))
