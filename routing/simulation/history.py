"""A configuration held against what really happened: the same events, the same clock, another policy.

What people did is done again where it still applies. Messages arrive, runbook steps find nothing: both sides
are played in the same world, so every difference is the policy's.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from routing.decision import Decision, Put
from routing.delivery import Purpose
from routing.effect import Deliver
from routing.entry import (
    AlertCommand,
    Answer,
    AnyEntry,
    Command,
    Opened,
    OverrideSet,
    Signal,
    SilenceSet,
    SwitchSet,
)
from routing.incident import Incident
from routing.instant import MINUTE
from routing.policy import Policy
from routing.response import answers
from routing.severity import Severity
from routing.simulation.simulation import Simulation
from routing.simulation.world import World

SETTLE_MS = 7 * 24 * 60 * MINUTE
"""How long after the last event the sides are played on."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One entry of the log, when it was decided (ms), and the incident its verdict named, "" for none."""

    id: str
    entry: AnyEntry
    at: int
    incident: str = ""


@dataclass(frozen=True, slots=True)
class Fate:
    """What came of one event: `paged` are the contacts its incident called, in order."""

    did: str
    severity: Severity | None = None
    paged: tuple[str, ...] = ()


@dataclass(slots=True)
class Course:
    """What one policy made of the events. Minutes are summed over incidents."""

    incidents: Counter[Severity] = field(default_factory=Counter)
    pages: Counter[str] = field(default_factory=Counter)
    """Contact -> messages that may ring."""
    updates: int = 0
    open_minutes: int = 0
    unanswered_minutes: int = 0
    fates: dict[str, Fate] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """An event that would have been treated otherwise."""

    event: str
    title: str
    before: Fate
    after: Fate


def course(policy: Policy, recorded: Iterable[Recorded]) -> Course:
    """Play the entries under a policy, each at the instant it was decided at."""
    return _Player(policy).play(recorded)


def differences(recorded: Iterable[Recorded], before: Course, after: Course) -> Iterator[Difference]:
    """Events that open, page or weigh differently, in their order."""
    for each in recorded:
        old, new = before.fates.get(each.id), after.fates.get(each.id)
        if old != new and old is not None and new is not None and isinstance(each.entry, Signal):
            yield Difference(each.id, each.entry.event.title, old, new)


class _Watched(Simulation):
    """Remembers every incident as it last was: closed ones leave the state after a while."""

    def __init__(self, policy: Policy, now: int) -> None:
        super().__init__(policy, now, World(now, ()), keep=False, notes=False)
        self.seen: dict[str, Incident] = {}

    def feed(self, entry: AnyEntry, entry_id: str = "") -> Decision:
        decision = super().feed(entry, entry_id)
        for change in decision.changes:
            if isinstance(change, Put) and isinstance(change.record, Incident):
                self.seen[change.key] = change.record
        return decision


class _Player:
    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._ours: dict[str, str] = {}
        """The incident of the record -> the one that stands for it here."""
        self._did: dict[str, tuple[str, Severity | None, str]] = {}

    def play(self, recorded: Iterable[Recorded]) -> Course:
        simulation: _Watched | None = None
        for each in recorded:
            if simulation is None:
                simulation = _Watched(self._policy, each.at)
            simulation.pass_time(each.at)
            entry = self._again(each.entry)
            if entry is not None:
                self._feed(simulation, each, msgspec.structs.replace(entry, at=each.at))
        if simulation is None:
            return Course()
        simulation.pass_time(simulation.now + SETTLE_MS)
        return self._sum(simulation)

    def _again(self, entry: AnyEntry) -> AnyEntry | None:
        """The entry as it is fed here; None for what the simulation brings forth by itself."""
        if isinstance(entry, Signal | SilenceSet | OverrideSet | SwitchSet | Opened):
            return entry
        if isinstance(entry, AlertCommand) and entry.incident:
            ours = self._ours.get(entry.incident)
            return msgspec.structs.replace(entry, incident=ours) if ours else None
        if isinstance(entry, AlertCommand):
            return entry
        if isinstance(entry, Command):
            ours = self._ours.get(entry.incident)
            return msgspec.structs.replace(entry, incident=ours) if ours else None
        if isinstance(entry, Answer):
            reply = answers.read(entry.text)
            ours = self._ours.get(entry.delivery.rpartition("-d")[0])
            return (
                Command(at=entry.at, by=entry.by, incident=ours, verb=reply.verb) if ours and reply else None
            )
        return None

    def _feed(self, simulation: Simulation, each: Recorded, entry: AnyEntry) -> None:
        decision = simulation.feed(entry, each.id)
        verdict = decision.verdict
        if verdict is None:
            return
        self._did[each.id] = verdict.did, verdict.severity, verdict.incident
        if each.incident and verdict.incident:
            self._ours[each.incident] = verdict.incident

    def _sum(self, simulation: _Watched) -> Course:
        total, paged = Course(), defaultdict[str, dict[str, None]](dict)
        for _, effect in simulation.effects:
            if not isinstance(effect, Deliver):
                continue
            if effect.purpose is Purpose.PAGE:
                total.pages[effect.contact] += 1
                paged[effect.incident][effect.contact] = None
            elif effect.purpose is not Purpose.RECALL:
                total.updates += 1
        for incident in simulation.seen.values():
            total.incidents[incident.severity] += 1
            until = incident.resolved_at or simulation.now
            total.open_minutes += (until - incident.opened_at) // MINUTE
            total.unanswered_minutes += ((incident.acknowledged_at or until) - incident.opened_at) // MINUTE
        for event, (did, severity, incident_id) in self._did.items():
            total.fates[event] = Fate(did, severity, tuple(paged[incident_id]))
        return total
