"""The ways out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from routing.policy.secret import Setting
from routing.reason import Origin


class Limit(msgspec.Struct, frozen=True):
    """At most `count` messages within `window_ms`."""

    count: int
    window_ms: int


@dataclass(frozen=True, slots=True)
class Channel:
    """A configured way out. `vendor` names its module; `voice` channels ring; `threads`: what
    it says to one place about one incident continues what it said there first; `machine`: a program reads it;
    `best_effort`: no page should rely on it alone.
    """

    name: str
    vendor: str
    settings: Mapping[str, Setting]
    origin: Origin
    voice: bool = False
    timeout_ms: int = 10_000
    attempts: int = 3
    bounces: Mapping[str, Setting] = field(default_factory=dict)
    """Of the mailbox where it is read later that a message was not delivered. Not for who sends."""
    threads: bool = False
    machine: bool = False
    best_effort: bool = False
    address: str = ""
    """The pattern of addresses there; "" for any."""
    recalls: bool = False
    """A call over it can be ended."""
    letters: bool = False
    """What it brought stays as it was, and is read when somebody looks."""
