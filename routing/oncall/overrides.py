"""Overrides laid over what the layers say, the one set last on top."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from routing.calendar.hours import FOREVER
from routing.entry import OverrideKind, OverrideSet
from routing.oncall.layers import Key, Stretch


@dataclass(frozen=True, slots=True)
class Cover:
    """One thing an override does, between two instants (ms)."""

    override: OverrideSet
    kind: OverrideKind
    contact: str
    instead_of: str
    from_at: int
    until_at: int

    @property
    def is_whole(self) -> bool:
        """Whom everything below names does not matter."""
        whole = self.kind is OverrideKind.REPLACE and not self.instead_of
        return whole or self.kind is OverrideKind.TEMPORARY

    def holds(self, at: int) -> bool:
        return self.from_at <= at < self.until_at


def in_force(schedule: str, overrides: Iterable[OverrideSet]) -> list[OverrideSet]:
    """What counts, the latest set last. Of one id only the latest counts."""
    latest: dict[str, OverrideSet] = {}
    for each in overrides:
        if each.schedule == schedule and (each.id not in latest or each.at >= latest[each.id].at):
            latest[each.id] = each
    return sorted((each for each in latest.values() if each.stands), key=lambda each: (each.at, each.id))


def covers(standing: Iterable[OverrideSet]) -> list[Cover]:
    """What each of them does, in their order; imports lie beneath them all (`routing.oncall.imported`)."""
    laid = (each for each in standing if each.kind is not OverrideKind.IMPORT)
    return [cover for cover in chain.from_iterable(map(_covers, laid)) if cover.from_at < cover.until_at]


def _covers(override: OverrideSet) -> list[Cover]:
    one, two = override.contact, override.instead_of
    if override.kind is OverrideKind.SWAP:
        replace = OverrideKind.REPLACE
        return [
            Cover(override, replace, one, two, override.from_at, override.until_at),
            Cover(override, replace, two, one, override.back_from_at, override.back_until_at),
        ]
    return [Cover(override, override.kind, one, two, override.from_at, override.until_at)]


def lay(base: Stretch, found: list[Cover], at: int) -> Stretch:
    """Lay covers over a stretch that holds the instant (ms); what comes out holds it, too."""
    whole = max((number for number, each in enumerate(found) if each.is_whole and each.holds(at)), default=0)
    people, shadows = dict(base.people), dict(base.shadows)
    key, since, until = base.key, base.since_at, base.until_at
    if found and found[whole].is_whole and found[whole].holds(at):
        shadows, key, since, until = {}, (), found[whole].from_at, found[whole].until_at
    for each in found[whole:]:
        if not each.holds(at):
            since, until = _beside(each, at, since, until)
            continue
        since, until = max(since, each.from_at), min(until, each.until_at)
        if each.kind is OverrideKind.TEMPORARY:
            people, key, held_since, held_until = held(each.override, at)
            since, until = max(since, held_since), min(until, held_until)
        else:
            changed = _apply(each, people, shadows)
            key = (*key, each.override.id) if changed else key
    return Stretch(people, shadows, key, since, until)


def _beside(cover: Cover, at: int, since: int, until: int) -> tuple[int, int]:
    return (since, min(until, cover.from_at)) if cover.from_at > at else (max(since, cover.until_at), until)


def _apply(cover: Cover, people: dict[str, str], shadows: dict[str, str]) -> bool:
    """Change who is on call in place; False when it changes nothing."""
    how = _how(cover.override)
    match cover.kind:
        case OverrideKind.ADD:
            people.setdefault(cover.contact, how)
        case OverrideKind.REMOVE:
            return people.pop(cover.contact, "") != ""
        case OverrideKind.SHADOW:
            shadows.setdefault(cover.contact, how)
        case _ if not cover.instead_of:
            people.clear()
            people[cover.contact] = how
        case _ if cover.instead_of in people:
            kept = {
                (cover.contact if name == cover.instead_of else name): why for name, why in people.items()
            }
            people.clear()
            people.update(kept | {cover.contact: how})
        case _:
            return False
    return True


def held(override: OverrideSet, at: int) -> tuple[dict[str, str], Key, int, int]:
    """Whom its shifts name at the instant (ms) and why, their key, and from when to when these and no others do."""
    numbers = []
    since, until = 0, FOREVER
    for number, shift in enumerate(override.shifts):
        if shift.from_at <= at < shift.until_at:
            numbers.append(number)
            since, until = max(since, shift.from_at), min(until, shift.until_at)
        elif shift.from_at > at:
            until = min(until, shift.from_at)
        else:
            since = max(since, shift.until_at)
    people = {override.shifts[number].contact: _how(override) for number in numbers}
    return people, (override.id, *numbers), since, until


_NOUNS = {
    OverrideKind.SWAP: "swap",
    OverrideKind.TEMPORARY: "temporary schedule",
    OverrideKind.IMPORT: "calendar",
}


def _how(override: OverrideSet) -> str:
    noun = _NOUNS.get(override.kind, "override")
    return f"by {noun} {override.id}" + (f", set by {override.by}" if override.by else "")
