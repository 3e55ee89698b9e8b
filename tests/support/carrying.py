"""The shipped policy under a simulated clock, with every step really carried out: by a worker's own code, against
whatever stand-ins its settings lead to. Waiting costs nothing, and a vendor's log says what was really asked of it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import shipped
from redis import Redis
from town import changed
from workshop import Bench, bench

from ledger.clock import now_ms
from routing.decision import Table
from routing.delivery import Purpose
from routing.effect import AnyEffect, Deliver, Step
from routing.entry import AnyEntry, Claimed, Command, Signal, StepDone, Verb
from routing.event import Event, Status
from routing.incident import Incident
from routing.instant import HOUR
from routing.load import load
from routing.policy import Policy
from routing.run import Run
from routing.simulation import Simulation
from routing.simulation.world import World
from workers import remediate


class Carried:
    """`environ` is the worker's; `edits`: by file what is replaced in it, first by second."""

    def __init__(
        self,
        redis: Redis,
        environ: Mapping[str, str],
        edits: Mapping[str, tuple[tuple[str, str], ...]] | None = None,
    ) -> None:
        files = shipped.files()
        for name, pairs in (edits or {}).items():
            files[f"config/{name}"] = changed(files[f"config/{name}"], *pairs)
        self.policy = load(files, shipped.vendors())
        self._bench = _bench(redis, environ, self.policy)
        self._messages = World(0, ())
        self.simulation = Simulation(self.policy, now_ms(), self._answer)

    def alert(
        self, kind: str, status: Status = Status.FIRING, source: str = "alertmanager", **labels: str
    ) -> None:
        """Something is reported, of the service that the rules say."""
        event = Event(
            source=source, vendor=source, kind=kind, status=status, key=kind, title=kind, labels=labels
        )
        self.simulation.feed(Signal(at=self.simulation.now, event=event))

    def says(self, verb: Verb, by: str, text: str = "", **more: Any) -> None:
        """A person at the command line, about the incident there is."""
        incident = self.incident.id
        command = Command(at=self.simulation.now, incident=incident, verb=verb, by=by, text=text, **more)
        self.simulation.feed(command)

    def asked(self) -> list[Deliver]:
        """Messages that asked somebody to approve."""
        sent = [effect for _, effect in self.simulation.effects if isinstance(effect, Deliver)]
        return [each for each in sent if each.purpose is Purpose.APPROVAL]

    def passes(self, ms: int) -> None:
        self.simulation.pass_time(self.simulation.now + ms)

    def run(self, runbook: str, within_ms: int = HOUR) -> Run:
        """The latest run of it, once it is over. Raises AssertionError when there is none, or it does not end."""
        last = self.simulation.now + within_ms
        while not (found := [each for each in self.runs if each.runbook == runbook and each.phase.over]):
            assert self.simulation.step(last), [(each.runbook, each.phase, each.why) for each in self.runs]
        return found[-1]

    @property
    def incident(self) -> Incident:
        (found,) = self.simulation.incidents()
        return found

    @property
    def runs(self) -> list[Run]:
        """In the order they began; also those that take something back."""
        found = [each for each in self.simulation.state.tables[Table.RUN].values() if isinstance(each, Run)]
        return sorted(found, key=lambda run: run.started_at)

    def found(self, run: Run, step: str) -> Any:
        """What a step of the run put out."""
        return next(each.output for each in run.steps if each.id == step)

    def _answer(self, effect: AnyEffect, now: int) -> list[tuple[int, AnyEntry]]:
        if not isinstance(effect, Step):
            return self._messages(effect, now)
        before = len(self._bench.said())
        self._bench.put(effect)
        remediate.carry_out(self._bench, effect.id, effect.attempt)
        return [*_then(self._bench.said()[before:], now)]


def _then(said: list[AnyEntry], now: int) -> Iterator[tuple[int, AnyEntry]]:
    """At the simulation's time, not at ours."""
    for entry in said:
        after = 5 if isinstance(entry, Claimed) else 1_000
        assert isinstance(entry, Claimed | StepDone)
        yield after, msgspec.structs.replace(entry, at=now + after)


def _bench(redis: Redis, environ: Mapping[str, str], policy: Policy) -> Bench:
    made = bench(redis, environ=environ)
    made.given = policy
    return made
