"""A receiver with the doors that look like other services', and behind it what decides on all that comes in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from reception import POLICY, Reception, running, source
from redis import Redis
from redis.client import Pipeline

from ledger.connection import connect
from ledger.keys import Keys
from ledger.log import append, read
from ledger.settings import LedgerSettings
from ledger.state import cursor, load_state
from routing.alerts.fingerprint import fingerprint
from routing.decide import decide
from routing.decision import Table
from routing.effect import AnyEffect
from routing.entry import AlertCommand, AnyEntry, Lane, Signal
from routing.event import Event, Status
from routing.incident import Incident
from routing.language import matchers
from routing.policy import Policy, SeverityRule
from routing.reason import Origin
from routing.severity import Severity
from workers.dispatcher import Dispatcher, Ports

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
GENIE_KEY = "5f0c3a3e-8f2b-4a53-9d0e-6c1f7f0a9b21"
_CHANGES = SeverityRule(
    name="changes",
    matchers=tuple(matchers.parse_all('kind="change"')),
    severity=Severity.SEV4,
    origin=Origin("config/severity.yaml", 9),
    handling="deploy",
)
DOORS: Policy = replace(
    POLICY,
    version="doors",
    rules=(_CHANGES, *POLICY.rules),
    route=replace(POLICY.route, group_by=("origin",)),
    sources={
        one.name: one
        for one in (
            replace(source("pages", "pagerduty_events", team="platform"), secrets=(ROUTING_KEY,)),
            replace(source("second", "pagerduty_events"), secrets=(ROUTING_KEY[::-1], "rolled" * 5)),
            replace(source("genie", "opsgenie", team="platform"), secrets=(GENIE_KEY,)),
            replace(source("genie-2", "opsgenie"), secrets=(GENIE_KEY[::-1],)),
        )
    },
)


@dataclass(frozen=True)
class Doors:
    """`reception` takes in; what it took is decided by `decide`."""

    reception: Reception

    @property
    def url(self) -> str:
        return self.reception.url

    def decide(self) -> None:
        """All that has come so far, as the dispatcher would."""
        with connect(LedgerSettings(redis_url=self.reception.site.settings.ledger.redis_url)) as client:
            dispatcher = Dispatcher(client, Keys(), Ports(decide, _Shelf(), _to_nobody))
            dispatcher.serve(self._settled, 5.0)
        assert self._settled(), "it was not decided in time"

    def append(self, entry: AnyEntry) -> None:
        """What somebody else says meanwhile."""
        append(self.reception.redis, self.reception.keys, Lane.CONTROL, entry)

    def incident(self, title: str) -> Incident:
        """The one of that title, once all is decided."""
        self.decide()
        state = load_state(self.reception.redis, self.reception.keys)
        known = [each for each in state.tables[Table.INCIDENT].values() if isinstance(each, Incident)]
        (found,) = [each for each in known if each.title == title]
        return found

    def signals(self) -> list[Signal]:
        return [entry for entry in self.reception.entries() if isinstance(entry, Signal)]

    def commands(self) -> list[AlertCommand]:
        return [entry for entry in self.reception.entries() if isinstance(entry, AlertCommand)]

    def _settled(self) -> bool:
        redis, keys = self.reception.redis, self.reception.keys
        return read(redis, keys, cursor(redis, keys).positions, 1, 0) == {}


def mark(source_name: str, key: str) -> str:
    """The fingerprint of a source's alert."""
    event = Event(source=source_name, vendor="", kind="", status=Status.INFO, key=key, title="")
    return fingerprint(event, "")


class _Shelf:
    def by_version(self, version: str) -> Policy:  # noqa: ARG002  # there is one
        return DOORS

    def current(self) -> Policy:
        return DOORS


def _to_nobody(_pipe: Pipeline, _effects: list[AnyEffect]) -> None:
    return None


@contextmanager
def open_doors(redis: Redis, redis_url: str, *, policy: Policy = DOORS, **more: Any) -> Iterator[Doors]:
    """`more` goes to `reception.running`."""
    with running(redis, redis_url, policy=policy, **more) as reception:
        yield Doors(reception)
