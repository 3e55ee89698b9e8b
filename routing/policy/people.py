"""Contacts, and how they are reached."""

from collections.abc import Mapping
from dataclasses import dataclass

from routing.reason import Origin
from routing.severity import Severity


@dataclass(frozen=True, slots=True)
class Method:
    """One way to reach a contact: a configured channel and the address there."""

    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Contact:
    """`by_severity` gives the methods to use at once, in order of preference, for pages.

    `quiet` is what UPDATE messages use: never a voice channel.
    """

    name: str
    title: str
    timezone: str
    methods: tuple[Method, ...]
    by_severity: Mapping[Severity, tuple[Method, ...]]
    quiet: tuple[Method, ...]
    origin: Origin
