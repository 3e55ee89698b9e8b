"""Play a scenario: who is told, when, how and why, until all of it is over."""

from typing import NamedTuple

import msgspec

from routing.decision import Table
from routing.delivery import Delivery, Purpose
from routing.effect import Deliver
from routing.entry import Answer, AnyEntry, PolicySet
from routing.incident import Incident, Phase
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
        self.lines: list[Line] = []
        self.unanswered: list[Happening] = []
        """Replies of people whom nobody had paged."""
        self._moments = self._effects = 0

    @property
    def sent(self) -> list[Sent]:
        return [
            Sent(at, each.incident, each.contact, each.channel, each.purpose, each.repeat)
            for at, each in self.simulation.effects
            if isinstance(each, Deliver) and each.purpose is not Purpose.RECALL
        ]

    def until(self, at: int) -> None:
        """Let everything up to the instant (ms) happen."""
        while self.simulation.step(at):
            self._note()
        self.simulation.pass_time(at)

    def happen(self, happening: Happening) -> None:
        """What the scenario itself brings."""
        entry = self._entry(happening)
        if entry is None:
            self.unanswered.append(happening)
            contact = happening.what.contact if isinstance(happening.what, Reply) else ""
            self.lines.append(Line(self.simulation.now, "", f"{contact} has nothing to answer: not paged"))
            return
        self.simulation.feed(entry)
        self._note()

    def finish(self) -> None:
        """To the end: until nothing is open, or as long as the scenario may last."""
        last = self.scenario.start_at + self.scenario.longest_ms
        while self.scenario.exactly or self.open():
            if not self.simulation.step(last):
                break
            self._note()

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

    def _note(self) -> None:
        """Turn what is new in the simulation into lines, in the order it was decided."""
        moments, effects = self.simulation.moments, self.simulation.effects
        if len(moments) > self._moments:
            for incident, moment in moments[self._moments :]:
                self.lines.append(Line(moment.at, incident, moment.what, tuple(moment.reasons)))
            self._moments = len(moments)
        if len(effects) > self._effects:
            for at, effect in effects[self._effects :]:
                if isinstance(effect, Deliver):
                    self.lines.append(Line(at, effect.incident, _told(effect)))
            self._effects = len(effects)


_HOW = {Purpose.PAGE: "PAGE", Purpose.RECALL: "ends the call to"}


def _told(effect: Deliver) -> str:
    how = _HOW.get(effect.purpose, "tells")
    again = f", attempt {effect.attempt}" if effect.attempt > 1 else ""
    repeat = ", marked as a repeat" if effect.repeat else ""
    return f"{how} {effect.contact} by {effect.channel} ({effect.address}){again}{repeat}"
