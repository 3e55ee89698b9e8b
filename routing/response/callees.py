"""Callees: the contacts a target means at this moment, and why; also where it means nobody."""

from collections.abc import Iterable

import msgspec

from routing import oncall
from routing.decision import Table
from routing.delivery import Delivery
from routing.draft import Draft
from routing.incident import Incident
from routing.oncall.standing import last_key
from routing.policy import Contact, Digest, Method, Policy, RoundRobin, Schedule, Team
from routing.reason import Reason
from routing.response import optouts

_SHIFTS = frozenset({"schedule", "next", "previous"})


class Callee(msgspec.Struct, frozen=True):
    """`digest`: what may be collected for them rather than told one by one."""

    contact: Contact
    reason: Reason
    digest: Digest | None


class Callees(msgspec.Struct, frozen=True):
    people: tuple[Callee, ...]
    gaps: tuple[Reason, ...]
    """Targets that mean nobody now."""
    shadows: tuple[str, ...] = ()
    """Contacts who are told what the others are paged for, and never awaited."""


def resolve(draft: Draft, targets: Iterable[tuple[str, str]]) -> Callees:
    """Whom targets, (kind, name), mean now; nobody twice."""
    people: dict[str, Callee] = {}
    gaps: list[Reason] = []
    shadows: list[str] = []
    for kind, name in targets:
        schedule = draft.policy.schedules.get(name) if kind in _SHIFTS else None
        duty = _on_duty(draft, kind, schedule) if schedule else None
        if duty is not None:
            shadows += duty.shadows
        for found, reason in _contacts(draft, kind, name, schedule, duty):
            known = find(draft.policy, found)
            if known is None:
                gaps.append(reason)
            else:
                contact = optouts.reachable(draft, known)
                digest = contact.digest or _team_digest(draft.policy, kind, name)
                people.setdefault(contact.name, Callee(contact, reason, digest))
    watching = dict.fromkeys(each for each in shadows if each not in people)
    return Callees(tuple(people.values()), tuple(gaps), tuple(watching))


def turn(draft: Draft, targets: Iterable[tuple[str, str]]) -> None:
    """A page went out: in a round robin it is the next one's turn."""
    for kind, name in targets:
        schedule = draft.policy.schedules.get(name) if kind in _SHIFTS else None
        if schedule and any(isinstance(layer.people, RoundRobin) for layer in schedule.layers):
            draft.put_fact(last_key(name), _on_duty(draft, kind, schedule).contact)


def find(policy: Policy, name: str) -> Contact | None:
    """A contact by name; "mail:room@example.com" is the place at the end of a channel, and nobody's."""
    channel, colon, address = name.partition(":")
    if not colon:
        return policy.contacts.get(name)
    way = policy.channels.get(channel)
    if way is None:
        return None
    method = Method(channel, address)
    return Contact(
        name=name,
        title=f"{address} ({channel})",
        timezone="UTC",
        methods=(method,),
        by_severity={},
        quiet=() if way.voice else (method,),
        origin=way.origin,
    )


def owed(draft: Draft, incident: Incident, name: str) -> Contact | None:
    """Who was paged and is owed the end of it: as configured, or else as the recorded messages reached them.

    None when they were only ever called, and nobody is told anything at telephone numbers.
    """
    known = find(draft.policy, name)
    if known is not None:
        return optouts.reachable(draft, known)
    sent = [each for each in _messages(draft, incident) if each.contact == name]
    sent.sort(key=lambda each: each.created_at, reverse=True)
    methods = [method for each in sent if (method := _silently(draft.policy, each)) is not None]
    if not methods:
        return None
    return Contact(
        name=name,
        title=name,
        timezone="UTC",
        methods=(),
        by_severity={},
        quiet=tuple(dict.fromkeys(methods)),
        origin=draft.policy.channels[methods[0].channel].origin,
    )


def _messages(draft: Draft, incident: Incident) -> list[Delivery]:
    """What was sent for it, and for the incidents that were merged into it."""
    every = draft.state.tables[Table.INCIDENT].values()
    merged = [each for each in every if isinstance(each, Incident) and each.merged_into == incident.id]
    return [each for own in (incident, *merged) for each in draft.owned(own.id, Table.DELIVERY, Delivery)]


def _silently(policy: Policy, sent: Delivery) -> Method | None:
    """How to write to where it went: over the same channel, or over one that writes to telephone numbers."""
    channel = policy.channels.get(sent.channel)
    if channel is not None and not channel.voice:
        return Method(sent.channel, sent.address)
    writing = {
        method.channel
        for contact in policy.contacts.values()
        for method in contact.quiet
        if method.address.startswith("+") and sent.address.startswith("+")
    }
    return Method(min(writing), sent.address) if writing else None


def _contacts(
    draft: Draft, kind: str, name: str, schedule: Schedule | None, duty: oncall.OnCall | None
) -> list[tuple[str, Reason]]:
    """Names of contacts with reasons; "" and why, where there is none."""
    if kind == "team":
        return _members(draft.policy.teams.get(name), name)
    if kind in _SHIFTS:
        if schedule is None or duty is None:
            return [("", Reason(text=f"schedule {name} is no longer configured", rule=name))]
        reason = Reason(text=duty.reason, rule=name, origin=str(schedule.origin))
        return [(each, reason) for each in duty.contacts] or [("", reason)]
    known = find(draft.policy, name)
    if known is None:
        return [("", Reason(text=f"{kind} {name} is no longer configured", rule=name))]
    return [(name, Reason(text=f"{known.title} is named directly", rule=name, origin=str(known.origin)))]


def _members(team: Team | None, name: str) -> list[tuple[str, Reason]]:
    if team is None:
        return [("", Reason(text=f"team {name} is no longer configured", rule=name))]
    return [
        (each, Reason(text=f"{each} is in team {name}", rule=name, origin=str(team.origin)))
        for each in team.contacts
    ]


def _on_duty(draft: Draft, kind: str, schedule: Schedule) -> oncall.OnCall:
    if kind == "schedule":
        return oncall.now(draft.state, schedule, draft.now)
    standing = oncall.standing(draft.state, schedule.name)
    beside = oncall.who_next if kind == "next" else oncall.who_previous
    return beside(schedule, standing, draft.now)


def _team_digest(policy: Policy, kind: str, name: str) -> Digest | None:
    team = policy.teams.get(name) if kind == "team" else None
    return team.digest if team else None
