"""Contacts and teams of them, and how they are reached."""

from collections.abc import Mapping
from dataclasses import dataclass

from routing.reason import Origin
from routing.severity import Severity

_RESERVED = ("example.com", "example.net", "example.org", "example", "invalid", "test", "localhost")


@dataclass(frozen=True, slots=True)
class Method:
    """One way to reach a contact: a configured channel and the address there.

    A page goes over it `after_ms` later than over the contact's first ones, unless somebody answered by then.
    """

    channel: str
    address: str
    after_ms: int = 0

    @property
    def is_placeholder(self) -> bool:
        """Nobody's address: a domain for examples (RFC 2606, RFC 6761), or a number with six zeros in a row."""
        domain = self.address.rpartition("@")[2].lower()
        reserved = any(f".{domain}".endswith(f".{each}") for each in _RESERVED)
        return reserved or "000000" in self.address

    @property
    def is_pattern(self) -> bool:
        """A place that is made for each incident, like "#incident-{date}": there is nobody there to be reached yet."""
        return "{" in self.address


@dataclass(frozen=True, slots=True)
class AtHours:
    """Hours of the calendar by name; `outside` of them, or inside."""

    hours: str
    outside: bool = False


@dataclass(frozen=True, slots=True)
class HourlyPage:
    """The methods a contact is paged by at these hours, for the severities named here."""

    at: AtHours
    by_severity: Mapping[Severity, tuple[Method, ...]]


@dataclass(frozen=True, slots=True)
class Digest:
    """What need not be told one by one: collected until `minute` of the day by a wall clock in `timezone`."""

    severities: frozenset[Severity]
    minute: int
    timezone: str


@dataclass(frozen=True, slots=True)
class Contact:
    """`by_severity` gives the methods for pages, in order of preference; `by_hour` comes before it.

    `quiet` is what UPDATE messages use: never a voice channel.
    """

    name: str
    title: str
    timezone: str
    methods: tuple[Method, ...]
    by_severity: Mapping[Severity, tuple[Method, ...]]
    quiet: tuple[Method, ...]
    origin: Origin
    by_hour: tuple[HourlyPage, ...] = ()
    """The first whose hours it is, and that names the severity, counts."""
    quiet_hours: AtHours | None = None
    """Nothing rings at these hours but SEV-0."""
    digest: Digest | None = None
    language: str = ""
    """What a voice speaks to them, like "pl-PL"; "" leaves it to the channel."""
    voice: str = ""
    """Which voice, by its name at the provider; "" leaves it to the channel."""


@dataclass(frozen=True, slots=True)
class Team:
    """Contacts who are told together. `digest` counts for those of them who have none of their own."""

    name: str
    contacts: tuple[str, ...]
    origin: Origin
    digest: Digest | None = None
