"""Judging a probe: N of the last M looks, and good ones in a row before it is over. Pure; the looks are data."""

from dataclasses import dataclass, replace
from enum import StrEnum

from routing.policy import Probe


class Look(StrEnum):
    WELL = "well"
    ILL = "ill"
    BLIND = "blind"
    """It could not be looked at all: that says nothing of what is looked at."""


class Turn(StrEnum):
    """What a look has changed."""

    NOTHING = ""
    FIRES = "fires"
    ENDS = "ends"


@dataclass(frozen=True, slots=True)
class Watched:
    """The last looks, newest last. `firing` is None until enough were had to say."""

    looks: tuple[Look, ...] = ()
    firing: bool | None = None

    @property
    def blind(self) -> bool:
        """Nothing could be seen for as long as it is looked back."""
        return bool(self.looks) and all(look is Look.BLIND for look in self.looks)


def seen(probe: Probe, watched: Watched, look: Look) -> tuple[Watched, Turn]:
    """One more look. It fires and ends once each, however long it lasts."""
    looks = (*watched.looks, look)[-max(probe.of, probe.recovers) :]
    watched = replace(watched, looks=looks)
    ill = sum(each is Look.ILL for each in looks[-probe.of :])
    if watched.firing is not True and ill >= probe.fails:
        return replace(watched, firing=True), Turn.FIRES
    recent = looks[-probe.recovers :]
    well = len(recent) == probe.recovers and all(each is Look.WELL for each in recent)
    if watched.firing is not False and well:
        return replace(watched, firing=False), Turn.ENDS
    return watched, Turn.NOTHING
