"""What many events say together: thresholds that they cross within a time, and events that are missed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from routing.calendar.hours import Hours
from routing.policy.routes import Matcher
from routing.reason import Origin
from routing.severity import Severity

MOST_COMBINATIONS = 1000
"""Of the labels a rule counts by; what comes beyond them is counted together."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many `times` the average of the `windows` before."""

    times: float
    windows: int


@dataclass(frozen=True, slots=True)
class Ratio:
    """The threshold's own events are so much of them and those of `matchers` together."""

    percent: float
    matchers: tuple[Matcher, ...]


@dataclass(frozen=True, slots=True)
class Threshold:
    """Many events in a window raise one alert, which resolves after `quiet_ms` without another.

    `count` events of it; with `distinct`, so many values of that label; with `rate` or `ratio`, that is crossed by
    no fewer events.
    """

    name: str
    matchers: tuple[Matcher, ...]
    count: int
    window_ms: int
    quiet_ms: int
    severity: Severity
    title: str
    origin: Origin
    by: tuple[str, ...] = ()
    team: str = ""
    service: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    distinct: str = ""
    rate: Rate | None = None
    ratio: Ratio | None = None
    most: int = MOST_COMBINATIONS

    @property
    def key(self) -> str:
        """What its windows go by; no absence has the same."""
        return self.name


@dataclass(frozen=True, slots=True)
class Absence:
    """An expected event that does not come raises an alert, which resolves when it does.

    It is missed `within_ms` after the last one; with `after`, so long after an event of that kind.
    """

    name: str
    matchers: tuple[Matcher, ...]
    within_ms: int
    severity: Severity
    title: str
    origin: Origin
    by: tuple[str, ...] = ()
    team: str = ""
    service: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    after: tuple[Matcher, ...] = ()
    hours: Hours | None = None
    """Time runs only inside of these."""
    most: int = MOST_COMBINATIONS

    @property
    def key(self) -> str:
        return f"absence:{self.name}"
