"""The fold with a simulated clock: entries are fed, time passes, effects are answered by a script."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

from routing.decide import decide
from routing.decision import Decision, Note, Put, Table
from routing.effect import AnyEffect
from routing.entry import AnyEntry, Claimed, Delivered, Outcome, TimerDue
from routing.incident import Incident, Moment
from routing.policy import Policy
from routing.state import State
from routing.timer import Timer

# Named once, as in `routing.draft`: asked for again and again.
_TIMER = Table.TIMER
_OK = Outcome.OK

Script = Callable[[AnyEffect, int], list[tuple[int, AnyEntry]]]
"""What the world does with an effect dispatched at an instant: entries, each after so many ms."""


class Simulation:
    """Feeds entries, lets time pass, and keeps every decision, effect and timeline line in order."""

    def __init__(
        self, policy: Policy, now: int, script: Script, *, keep: bool = True, notes: bool = True
    ) -> None:
        """`keep` False, for long histories, forgets the decisions and passes over claims that nobody could see;
        `notes` False forgets what is noted in timelines.
        """
        self.policy = policy
        self.state = State()
        self.now = now
        self.decisions: list[tuple[str, Decision]] = []
        self.story: list[Note | tuple[int, AnyEffect]] = []
        """What was noted, and what was wanted and when (ms), in the order it was decided."""
        self._notes = notes
        self._script = script
        self._keep = keep
        self._coming: list[tuple[int, int, AnyEntry, int]] = []
        """What the world is about to say: when, in which order, what; of a claim, when its message arrives, or 0."""
        self._telling: list[int] = []
        """The instants of what is coming and may ask how a message fares."""
        self._due: list[tuple[int, str]] = []
        """Timers by instant. One that was moved or dropped is thrown out when it is met."""
        self._number = count(1)

    def feed(self, entry: AnyEntry, entry_id: str = "") -> Decision:
        """Decide one entry now. `entry_id`: its place in a log, where it has one."""
        entry_id = entry_id or f"s{self.now}-{next(self._number)}"
        decision = decide(self.policy, self.state, entry, entry_id, self.now)
        self.state.apply(decision)
        if self._keep:
            self.decisions.append((entry_id, decision))
        for change in decision.changes:
            if type(change) is Put:
                if change.table is _TIMER:
                    heappush(self._due, (change.record.at, change.key))  # type: ignore[attr-defined]  # a timer
            elif type(change) is Note and self._notes:
                self.story.append(change)
        for effect in decision.effects:
            self.story.append((self.now, effect))
            self._expect(self._script(effect, self.now))
        return decision

    @property
    def moments(self) -> list[tuple[str, Moment]]:
        """What was noted, with the incident in whose timeline it is."""
        return [(each.incident, each.moment) for each in self.story if isinstance(each, Note)]

    @property
    def effects(self) -> list[tuple[int, AnyEffect]]:
        """What was wanted, and when (ms)."""
        return [each for each in self.story if not isinstance(each, Note)]

    def _expect(self, answers: list[tuple[int, AnyEntry]]) -> None:
        """What the world is about to say to an effect: entries, each after so many ms."""
        now, number = self.now, self._number
        if self._keep:
            for after, answer in answers:
                heappush(self._coming, (now + after, next(number), answer, 0))
            return
        arrives_at = self._arrival(answers)
        for after, answer in answers:
            kind = type(answer)
            heappush(self._coming, (now + after, next(number), answer, arrives_at if kind is Claimed else 0))
            if kind is not Claimed and not (arrives_at and kind is Delivered):
                heappush(self._telling, now + after)

    def _arrival(self, answers: list[tuple[int, AnyEntry]]) -> int:
        """When (ms) a message is taken by its provider that a worker has claimed just before; 0 where it is not so."""
        if len(answers) > 1 and type(answers[0][1]) is Claimed:
            after, answer = answers[1]
            if type(answer) is Delivered and answer.outcome is _OK:
                return self.now + after
        return 0

    def pass_time(self, until: int) -> None:
        """Let everything due until then (ms) happen, in order of its instant."""
        while self.step(until):
            pass
        self.now = max(self.now, until)

    def step(self, until: int) -> bool:
        """Let the next thing happen; False when nothing is due until then (ms)."""
        coming, due = self._coming, self._due
        at = coming[0][0] if coming else until + 1
        if due and due[0][0] < at and (timer := self._first_timer()) is not None and timer.at < at:
            if timer.at > until:
                return False
            self.now = max(self.now, timer.at)
            self.feed(TimerDue(at=self.now, timer=timer.id, due_at=timer.at))
        elif at > until:
            return False
        else:
            _, _, entry, arrives_at = heappop(coming)
            if arrives_at and self._is_unseen(at, arrives_at, until):
                next(self._number)  # so that what follows is called as it would be
                return True
            self.now = max(self.now, at)
            self.feed(entry)
        return True

    def _is_unseen(self, at: int, arrives_at: int, until: int) -> bool:
        """Whether a claim of this instant is of no consequence: until its message arrives nothing else is decided but
        that others are claimed and arrive, so that all is then as if it had never been.
        """
        telling = self._telling
        while telling and telling[0] < at:
            heappop(telling)
        if arrives_at > until or (telling and telling[0] <= arrives_at):
            return False
        timer = self._first_timer()
        return timer is None or timer.at > arrives_at

    def incidents(self) -> list[Incident]:
        found = [each for each in self.state.tables[Table.INCIDENT].values() if isinstance(each, Incident)]
        return sorted(found, key=lambda incident: incident.number)

    def _first_timer(self) -> Timer | None:
        timers = self.state.timers()
        while self._due:
            at, key = self._due[0]
            timer = timers.get(key)
            if timer is not None and timer.at == at:
                return timer
            heappop(self._due)
        return None
