"""Index: of many things with matchers, those that match some labels, without asking each of them.

An item is filed under its rarest equality (`team="payments"`, or a plain choice like `kind=~"a|b"`) and met only
by labels that have it. Items with nothing but patterns are filed by label name behind one joined pattern, which
says of most labels at once that none of them matches. Only what negates everything is always asked.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from routing.language.patterns import LONGEST

T = TypeVar("T")
Labels = Mapping[str, str]
Test = Callable[[Labels], bool]

_WORD = r"(?:[\w :/@,-]|\\[ .:/@,-])+"
_CHOICE = re.compile(rf"{_WORD}(?:\|{_WORD})*", re.ASCII)
r"""A pattern that is nothing but a choice of plain words, like `site\.down|slow`."""
_ESCAPE = re.compile(r"\\(.)")


class Matcher(Protocol):
    """A compiled label matcher (`routing.language.matchers`)."""

    @property
    def name(self) -> str: ...
    @property
    def op(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def matches(self) -> Test: ...


@dataclass(frozen=True, slots=True)
class _Entry(Generic[T]):
    """`tests`: what is still to be asked once the entry was found. `place`: its place among all items."""

    place: int
    tests: tuple[Test, ...]
    item: T

    def takes(self, labels: Labels) -> bool:
        return all(test(labels) for test in self.tests)


def _place(entry: _Entry[T]) -> int:
    return entry.place


class Index(Generic[T]):
    """Items in their order. Matching is the same as asking every item's matchers, only faster."""

    def __init__(self, items: Iterable[tuple[Sequence[Matcher], T]] = ()) -> None:
        known = [(tuple(matchers), item) for matchers, item in items]
        common = Counter(pair for matchers, _ in known for each in matchers for pair in equalities(each))
        equal: defaultdict[str, defaultdict[str, list[_Entry[T]]]] = defaultdict(lambda: defaultdict(list))
        like: defaultdict[str, list[tuple[str, _Entry[T]]]] = defaultdict(list)
        always: list[_Entry[T]] = []
        for place, (matchers, item) in enumerate(known):
            key = _rarest(matchers, common)
            entry = _Entry(place, tuple(each.matches for each in matchers if each is not key), item)
            if key is not None:
                for name, value in equalities(key):
                    equal[name][value].append(entry)
            elif (pattern := next((each for each in matchers if each.op == "=~"), None)) is not None:
                like[pattern.name].append((pattern.value, entry))
            else:
                always.append(entry)
        self._equal = tuple((name, dict(by_value)) for name, by_value in equal.items())
        self._like = tuple(
            (name, joined([value for value, _ in filed]), tuple(entry for _, entry in filed))
            for name, filed in like.items()
        )
        self._always = tuple(always)

    def matching(self, labels: Labels) -> list[T]:
        """Every item all of whose matchers match, in the items' order."""
        found = []
        for entry in self._candidates(labels):  # in loops: asked several times with every event
            for test in entry.tests:
                if not test(labels):
                    break
            else:
                found.append(entry)
        if len(found) > 1:
            found.sort(key=_place)
        return [entry.item for entry in found] if found else []

    def matching_any(self, several: Iterable[Labels]) -> list[T]:
        """Every item that matches at least one of them, once, in the items' order."""
        found = {
            each.place: each for labels in several for each in self._candidates(labels) if each.takes(labels)
        }
        return [found[place].item for place in sorted(found)]

    def _candidates(self, labels: Labels) -> list[_Entry[T]]:
        found = list(self._always)
        for name, by_value in self._equal:
            filed = by_value.get(labels.get(name, ""))
            if filed is not None:
                found += filed
        for name, any_fits, entries in self._like:
            if any_fits(labels.get(name, "")[:LONGEST]):
                found += entries
        return found


def joined(patterns: Sequence[str]) -> Callable[[str], object]:
    """Whether a text fits any of the patterns, in one go; says yes to all where they cannot be joined."""
    try:
        return re.compile("|".join(f"(?:{pattern})" for pattern in patterns)).fullmatch
    except re.error:  # flags for the whole pattern, or two groups of one name
        return lambda _text: True


def equalities(matcher: Matcher) -> list[tuple[str, str]]:
    """The label and values one of which it asks for; none when it may match without."""
    if matcher.op == "=" and matcher.value:
        return [(matcher.name, matcher.value)]
    if matcher.op == "=~" and _CHOICE.fullmatch(matcher.value):
        words = _ESCAPE.sub(r"\1", matcher.value).split("|")
        return [(matcher.name, value) for value in dict.fromkeys(words)]
    return []


def _rarest(matchers: Sequence[Matcher], common: Counter[tuple[str, str]]) -> Matcher | None:
    filed = [(sum(common[pair] for pair in pairs), place, each)
             for place, each in enumerate(matchers) if (pairs := equalities(each))]  # fmt: skip
    return min(filed, key=lambda each: each[:2])[2] if filed else None
