"""Layers of a schedule at an instant: whom they name, and for how long nothing about that changes."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from routing.calendar.hours import FOREVER, around
from routing.instant import DAY
from routing.oncall.rotation import of_turn, turn_at
from routing.policy.schedules import Layer, Mode, Rotation, RoundRobin, Schedule

SHORTHAND = "rotation"
"""Name of the only layer of a schedule that is written as one rotation."""

Key = tuple[object, ...]
"""Tells one shift from the next: which turns and overrides it consists of."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `since_at` until before `until_at` (ms) the same people, each with why, for the same reasons."""

    people: dict[str, str]
    shadows: dict[str, str]
    key: Key
    since_at: int
    until_at: int


@dataclass(frozen=True, slots=True)
class Moving:
    """What a schedule's layers need beside the configuration: who of a round was paged last."""

    last: str = ""


def stretch(schedule: Schedule, moving: Moving, at: int) -> Stretch:
    """What the layers alone say at the instant (ms)."""
    return next(each for each in _of_day(schedule, moving, at // DAY) if each.since_at <= at < each.until_at)


@lru_cache(maxsize=4096)
def _of_day(schedule: Schedule, moving: Moving, day: int) -> tuple[Stretch, ...]:
    """The stretches that hold a day (UTC), the first and last of them whole."""
    found = [_stretch(schedule, moving, day * DAY)]
    while found[-1].until_at < (day + 1) * DAY:
        found.append(_stretch(schedule, moving, found[-1].until_at))
    return tuple(found)


def _stretch(schedule: Schedule, moving: Moving, at: int) -> Stretch:
    """From the last layer down to the first active one that replaces: the ones below it do not count."""
    since, until = 0, FOREVER
    active: list[tuple[Layer, _Part]] = []
    for number in reversed(range(len(schedule.layers))):
        layer = schedule.layers[number]
        part = _part(layer, number, moving, at)
        since, until = max(since, part.since_at), min(until, part.until_at)
        if part.key:
            active.insert(0, (layer, part))
        if part.key and layer.mode is Mode.REPLACE:
            break
    people = _named((layer, part) for layer, part in active if layer.mode is not Mode.SHADOW)
    shadows = _named((layer, part) for layer, part in active if layer.mode is Mode.SHADOW)
    return Stretch(people, shadows, tuple(part.key for _, part in active), since, until)


def _named(found: Iterable[tuple[Layer, "_Part"]]) -> dict[str, str]:
    named: dict[str, str] = {}
    for layer, part in found:
        for contact in part.contacts:
            named.setdefault(contact, "by rotation" if layer.name == SHORTHAND else f"by layer {layer.name}")
    return named


@dataclass(frozen=True, slots=True)
class _Part:
    """One layer's share. Without a key the layer is not active."""

    contacts: tuple[str, ...]
    key: Key
    since_at: int
    until_at: int


def _part(layer: Layer, number: int, moving: Moving, at: int) -> _Part:
    inside, since, until = _window(layer, at)
    if not inside:
        return _Part((), (), since, until)
    part = _people(layer, number, moving, at)
    return _Part(part.contacts, part.key, max(since, part.since_at), min(until, part.until_at))


def _window(layer: Layer, at: int) -> tuple[bool, int, int]:
    """Whether the layer's time it is, and from when to when that is so."""
    if at < layer.from_at:
        return False, 0, layer.from_at
    if at >= layer.until_at:
        return False, layer.until_at, FOREVER
    if layer.during is None:
        return True, layer.from_at, layer.until_at
    inside, since, until = around(layer.during, at)
    return inside, max(since, layer.from_at), min(until, layer.until_at)


def _people(layer: Layer, number: int, moving: Moving, at: int) -> _Part:
    match layer.people:
        case Rotation() as rotation:
            return _turn(rotation, layer.timezone, number, at)
        case RoundRobin(contacts):
            chosen = next_after(contacts, moving.last)
            return _Part((chosen,), (number, chosen), 0, FOREVER)


def _turn(rotation: Rotation, timezone: str, number: int, at: int) -> _Part:
    turn = turn_at(rotation, timezone, at)
    contacts, alone_at = of_turn(rotation, turn.number), turn.since_at + rotation.overlap_ms
    if not rotation.overlap_ms:
        return _Part(contacts, (number, turn.number), turn.since_at, turn.until_at)
    if at >= alone_at:
        return _Part(contacts, (number, turn.number), alone_at, turn.until_at)
    both = (*contacts, *(each for each in of_turn(rotation, turn.number - 1) if each not in contacts))
    return _Part(both, (number, turn.number, turn.number - 1), turn.since_at, min(alone_at, turn.until_at))


def next_after(contacts: tuple[str, ...], last: str) -> str:
    """Whose turn it is in a round after somebody had theirs; the first when that one is not in it."""
    return contacts[(contacts.index(last) + 1) % len(contacts)] if last in contacts else contacts[0]
