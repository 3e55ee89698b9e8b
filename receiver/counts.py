"""What this process counts about itself: plain integers, because they are touched by every request."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds from the request's first byte to its answer."""
_EXAMPLES = 64


@dataclass(frozen=True, slots=True)
class Example:
    """One refused request, as far as it may be kept: for the person who sets the source up."""

    source: str
    at: int
    why: str
    error: str
    headers: dict[str, str]
    length: str
    """The Content-Length it came with."""


@dataclass(slots=True)
class Counts:
    """`source` is always a configured source's name, or "" where there is none: strangers add no labels."""

    answers: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    """(route, source, status)"""
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(source, why)"""
    accepted: Counter[str] = field(default_factory=Counter)
    """Events and answers by source, repeats included."""
    told: Counter[str] = field(default_factory=Counter)
    """Of `accepted`, what Redis has been told about."""
    heard: dict[str, int] = field(default_factory=dict)
    """By source, the last five minutes since the epoch in which Redis was told that something came."""
    dead: Counter[str] = field(default_factory=Counter)
    took: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    took_sum_s: float = 0.0
    unsaved: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Refusals that Redis has not been told about yet."""
    examples: list[Example] = field(default_factory=list)
    """Likewise, the first few: a flood of them costs no more than this."""

    def answered(self, route: str, source: str, status: int, took_s: float) -> None:
        self.answers[route, source, status] += 1
        self.took[bisect_left(BUCKETS, took_s)] += 1
        self.took_sum_s += took_s

    def wants_examples(self) -> bool:
        return len(self.examples) < _EXAMPLES

    def refuse(self, source: str, why: str, example: Example | None = None) -> None:
        self.refused[source, why] += 1
        self.unsaved[source, why] += 1
        if example is not None:
            self.examples.append(example)
