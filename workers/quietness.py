"""Sources that have gone quiet: told once, as an event of ours, and over when they speak again.

What was heard, and when we were there to hear it, is kept by the receiver; how it is judged is `routing.rhythm`.
"""

from collections import Counter
from collections.abc import Callable
from typing import Final

import redis
import structlog

from ledger import arrivals, policies, rhythms
from ledger import log as ledger_log
from ledger.clock import now_ms
from ledger.keys import Keys
from ledger.rhythms import OURSELVES as LISTENING
from ledger.rhythms import Rhythms, Silent
from routing import duration, rhythm
from routing.decision import Table
from routing.entry import Lane, Signal
from routing.event import Event, Status
from routing.instant import iso
from routing.policy import Policy, Source
from routing.rhythm import SLOT_MS, Heard
from routing.schema.sources import OURSELVES

EVERY_S: Final = 15.0
KIND: Final = "source.quiet"

log = structlog.get_logger(__name__)


class Quietness:
    """`clock` gives ms. Two processes that do this at once say the same twice, which is one alert."""

    def __init__(
        self, client: redis.Redis, keys: Keys, worker: str, clock: Callable[[], int] = now_ms
    ) -> None:
        self._client = client
        self._keys = keys
        self._worker = worker
        self._clock = clock
        self._rhythms = Rhythms(client, keys)

    def round(self) -> None:
        """Look at every source once. Raises redis.RedisError."""
        policy = policies.current(self._client, self._keys)
        if policy is None:
            return
        last = arrivals.last(self._client, self._keys)
        silent = rhythms.quiet(self._client, self._keys)
        watched = {source.name: source for source in policy.sources.values() if _is_watched(source)}
        for name, known in silent.items():
            if name not in watched:
                self._over(name, "nobody waits for it any more")
            elif last.get(name, 0) > known.since_at:
                self._over(name, f"it speaks again, after {duration.span(last[name] - known.since_at)}")
        awaited = {name: source for name, source in watched.items() if name in last and name not in silent}
        now = self._clock()
        heard = self._rhythms.heard([*awaited, LISTENING], now) if awaited else {}
        for name, source in awaited.items():
            why = _why(source, heard[name], heard[LISTENING], last[name], now, people_live_in(policy))
            if why and not self._is_paused(name):
                self._fell(source, Silent(since_at=last[name], said_at=now, why=why))

    def _is_paused(self, source: str) -> bool:
        return bool(self._client.hexists(self._keys.state(Table.SWITCH), f"pause:{source}"))

    def _fell(self, source: Source, silent: Silent) -> None:
        log.warning("a source has gone quiet", source=source.name, why=silent.why)
        labels = {"from": source.name, "team": source.team, "service": source.service}
        self._say(
            Event(
                source=OURSELVES, vendor=OURSELVES, kind=KIND, status=Status.FIRING, key=f"{KIND}:{source.name}",
                title=f"Source {source.name} has gone quiet", summary=silent.why,
                labels={name: value for name, value in labels.items() if value}, starts_at=silent.said_at,
            )
        )  # fmt: skip
        rhythms.fell_silent(self._client, self._keys, source.name, silent)

    def _over(self, source: str, why: str) -> None:
        log.info("a source is quiet no more", source=source, why=why)
        self._say(
            Event(
                source=OURSELVES, vendor=OURSELVES, kind=KIND, status=Status.RESOLVED, key=f"{KIND}:{source}",
                title=f"Source {source} has gone quiet", summary=why, labels={"from": source}, ends_at=self._clock(),
            )
        )  # fmt: skip
        rhythms.spoke(self._client, self._keys, source)

    def _say(self, event: Event) -> None:
        signal = Signal(at=now_ms(), by=self._worker, event=event)
        ledger_log.append(self._client, self._keys, Lane.BULK, signal)


def people_live_in(policy: Policy) -> str:
    """The time zone of most contacts: days and weekends are theirs."""
    zones = Counter(contact.timezone for contact in policy.contacts.values())
    return min(zones, key=lambda zone: (-zones[zone], zone), default="UTC")


def _is_watched(source: Source) -> bool:
    return bool(source.secrets) and source.quiet_ms is not None


def _why(source: Source, heard: Heard, listened: Heard, last_at: int, now: int, timezone: str) -> str:
    """Why it is quiet; "" when it is not."""
    silent = f"nothing has come since {iso(last_at)}, for {duration.span(now - last_at)}"
    if source.quiet_ms:
        too_long = rhythm.silent_ms(listened, last_at, now) >= max(source.quiet_ms - SLOT_MS, SLOT_MS)
        allowed = f"no more than {duration.text(source.quiet_ms)} of silence are usual"
        return f"{silent}; {allowed}" if too_long and now - last_at >= source.quiet_ms else ""
    found = rhythm.judged(heard, listened, last_at, now, timezone)
    if found is None:
        return ""
    usual = duration.span(found.usual * SLOT_MS)
    return f"{silent}; at this time of other days something came in at least {usual} of it"
