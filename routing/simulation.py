"""Simulation: the same fold with a simulated clock, and effects answered by a script."""

from collections.abc import Callable
from itertools import count

from routing.decide import decide
from routing.decision import Decision, Note, Table
from routing.effect import AnyEffect
from routing.entry import AnyEntry, TimerDue
from routing.incident import Incident, Moment
from routing.policy import Policy
from routing.state import State

Script = Callable[[AnyEffect, int], list[tuple[int, AnyEntry]]]
"""What the world does with an effect dispatched at an instant: entries, each after so many ms."""


class Simulation:
    """Feeds entries, lets time pass, and keeps every decision, effect and timeline line in order."""

    def __init__(self, policy: Policy, now: int, script: Script) -> None:
        self.policy = policy
        self.state = State()
        self.now = now
        self.decisions: list[tuple[str, Decision]] = []
        self.effects: list[tuple[int, AnyEffect]] = []
        self.moments: list[tuple[str, Moment]] = []
        self._script = script
        self._coming: list[tuple[int, int, AnyEntry]] = []
        self._number = count(1)

    def feed(self, entry: AnyEntry) -> Decision:
        """Decide one entry now."""
        entry_id = f"s{self.now}-{next(self._number)}"
        decision = decide(self.policy, self.state, entry, entry_id, self.now)
        self.state.apply(decision)
        self.decisions.append((entry_id, decision))
        for change in decision.changes:
            if isinstance(change, Note):
                self.moments.append((change.incident, change.moment))
        for effect in decision.effects:
            self.effects.append((self.now, effect))
            for after, answer in self._script(effect, self.now):
                self._coming.append((self.now + after, next(self._number), answer))
        return decision

    def pass_time(self, until: int) -> None:
        """Let everything due until then (ms) happen, in order of its instant."""
        while True:
            upcoming = self._next()
            if upcoming is None or upcoming[0] > until:
                break
            at, entry = upcoming
            self.now = max(self.now, at)
            self.feed(entry)
        self.now = max(self.now, until)

    def incidents(self) -> list[Incident]:
        found = [each for each in self.state.tables[Table.INCIDENT].values() if isinstance(each, Incident)]
        return sorted(found, key=lambda incident: incident.number)

    def _next(self) -> tuple[int, AnyEntry] | None:
        """The next thing to happen: an answer of the world, or the earliest timer."""
        timer = min(self.state.timers().values(), key=lambda each: (each.at, each.id), default=None)
        self._coming.sort(key=lambda each: each[:2])
        if self._coming and (timer is None or self._coming[0][0] <= timer.at):
            at, _, entry = self._coming.pop(0)
            return at, entry
        if timer is None:
            return None
        return timer.at, TimerDue(at=max(timer.at, self.now), timer=timer.id, due_at=timer.at)
