"""Play a scenario: who is told, when, how and why, until all of it is over."""

from typing import NamedTuple

import msgspec

from routing.decision import Note, Table
from routing.delivery import Delivery, Purpose
from routing.effect import AnyEffect, Deliver
from routing.entry import Answer, AnyEntry, PolicySet
from routing.incident import Incident, Moment, Phase
from routing.policy import Policy
from routing.reason import Reason
from routing.simulation.scenario import Happening, Reply, Scenario
from routing.simulation.simulation import Simulation
from routing.simulation.world import World


class Line(msgspec.Struct, frozen=True, gc=False):
    """One thing that happened: `what` a person would tell, `reasons` why. Incident "" for none."""

    at: int
    incident: str
    what: str
    reasons: tuple[Reason, ...] = ()


class Sent(NamedTuple):
    """A message that left: `repeat` when it may have arrived before."""

    at: int
    incident: str
    contact: str
    channel: str
    purpose: Purpose
    repeat: bool


class Played:
    """A scenario under way, and what came of it."""

    def __init__(self, policy: Policy, scenario: Scenario) -> None:
        self.scenario = scenario
        self.simulation = Simulation(
            policy, scenario.start_at, World(scenario.start_at, scenario.world), keep=False
        )
        # What the policy expects by itself, like a heartbeat or a handoff, begins with it.
        self.simulation.feed(PolicySet(at=scenario.start_at, version=policy.version))
        self.unanswered: list[Happening] = []
        """Replies of people whom nobody had paged."""

    @property
    def lines(self) -> list[Line]:
        """What a person would tell of all that happened, in the order it was decided."""
        return [line for each in self.simulation.story if (line := _line(each)) is not None]

    @property
    def sent(self) -> list[Sent]:
        return [
            Sent(at, each.incident, each.contact, each.channel, each.purpose, each.repeat)
            for at, each in self.simulation.effects
            if isinstance(each, Deliver) and each.purpose is not Purpose.RECALL
        ]

    def until(self, at: int) -> None:
        """Let everything up to the instant (ms) happen."""
        self.simulation.pass_time(at)

    def happen(self, happening: Happening) -> None:
        """What the scenario itself brings."""
        entry = self._entry(happening)
        if entry is None:
            self.unanswered.append(happening)
            contact = happening.what.contact if isinstance(happening.what, Reply) else ""
            missed = Moment(at=self.simulation.now, what=f"{contact} has nothing to answer: not paged")
            self.simulation.story.append(Note("", missed))
            return
        self.simulation.feed(entry)

    def finish(self) -> None:
        """To the end: until nothing is open, or as long as the scenario may last."""
        last = self.scenario.start_at + self.scenario.longest_ms
        while self.scenario.exactly or self.open():
            if not self.simulation.step(last):
                break

    def open(self) -> list[Incident]:
        return [each for each in self.simulation.incidents() if each.phase is not Phase.RESOLVED]

    def _entry(self, happening: Happening) -> AnyEntry | None:
        now, what = self.simulation.now, happening.what
        if not isinstance(what, Reply):
            return msgspec.structs.replace(what, at=now)
        page = self._latest_page(what.contact)
        if page is None:
            return None
        return Answer(at=now, by=what.contact, channel=page.channel, text=what.text, delivery=page.id)

    def _latest_page(self, contact: str) -> Delivery | None:
        pages = [
            each
            for each in self.simulation.state.tables[Table.DELIVERY].values()
            if isinstance(each, Delivery) and each.contact == contact and each.purpose is Purpose.PAGE
        ]
        return max(pages, key=lambda page: (page.created_at, page.id), default=None)


def _line(told: Note | tuple[int, AnyEffect]) -> Line | None:
    if isinstance(told, Note):
        return Line(told.moment.at, told.incident, told.moment.what, tuple(told.moment.reasons))
    at, effect = told
    return Line(at, effect.incident, _told(effect)) if isinstance(effect, Deliver) else None


_HOW = {Purpose.PAGE: "PAGE", Purpose.RECALL: "ends the call to"}


def _told(effect: Deliver) -> str:
    how = _HOW.get(effect.purpose, "tells")
    again = f", attempt {effect.attempt}" if effect.attempt > 1 else ""
    repeat = ", marked as a repeat" if effect.repeat else ""
    return f"{how} {effect.contact} by {effect.channel} ({effect.address}){again}{repeat}"
