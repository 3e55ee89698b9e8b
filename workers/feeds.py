"""Calendars that schedules follow: asked for when it is time, and what changed appended to the log.

A calendar that cannot be read changes nothing: its last shifts stay, the reason is kept and logged, and told by
housekeeping when it lasts. Several processes that do this at once do no harm.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import redis
import structlog
from msgspec.structs import replace

from ledger import feeds, policies, tally, wire
from ledger import log as ledger_log
from ledger.clock import now_ms
from ledger.keys import Keys
from routing.decision import Table
from routing.entry import Lane, OverrideKind, OverrideSet
from routing.errors import TocsinError
from routing.oncall import importing
from routing.policy import Feed, Policy, Schedule, Secret
from routing.record import decode
from workers import http
from workers.answer import Answer, Call, HttpError

EVERY_S: Final = 2.0
AGAIN_S: Final = 300.0
"""After a failure, where the feed's own time is longer."""
TIMEOUT_S: Final = 20.0
_UNCHANGED: Final = 304

log = structlog.get_logger(__name__)


class FeedError(TocsinError):
    """It was not got. The reason does not tell its address, which may be secret."""

    def __init__(self, reason: str, again_s: float = 0) -> None:
        super().__init__(reason)
        self.again_s = again_s


@dataclass(frozen=True, slots=True)
class _Kept:
    """What an address gave last, and what to ask with whether it is still the same."""

    url: str
    data: bytes
    asking: Mapping[str, str]


class Feeds:
    """`environ` holds the addresses that are secrets; `clock` counts seconds."""

    def __init__(
        self, client: redis.Redis, keys: Keys, environ: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic, timeout_s: float = TIMEOUT_S,
    ) -> None:  # fmt: skip
        self._client = client
        self._keys = keys
        self._environ = environ
        self._clock = clock
        self._timeout_s = timeout_s
        self._version = ""
        self._due: dict[str, float] = {}
        self._kept: dict[str, _Kept] = {}

    def round(self) -> None:
        """Look at every feed that is due; at all of them after a change of the configuration. Raises RedisError."""
        policy = policies.current(self._client, self._keys)
        if policy is None:
            return
        if policy.version != self._version:
            self._version, self._due = policy.version, {}
            self._forget(policy)
        for schedule in policy.schedules.values():
            if schedule.feed and self._clock() >= self._due.get(schedule.name, 0):
                self._due[schedule.name] = self._clock() + self._look(policy, schedule, schedule.feed)

    def _look(self, policy: Policy, schedule: Schedule, feed: Feed) -> float:
        """Returns after how many seconds to look again."""
        now = now_ms()
        known = feeds.health(self._client, self._keys).get(schedule.name)
        known = replace(known or importing.FeedHealth(looked_at=0, every_ms=0), every_ms=feed.every_ms)
        try:
            changed = self._follow(policy, schedule, feed, now)
        except (FeedError, importing.CalendarError) as error:
            self._failed(schedule.name, known, str(error), now)
            waits = min(AGAIN_S, feed.every_ms / 1000)
            return max(waits, error.again_s) if isinstance(error, FeedError) else waits
        laid = changed or self._standing(importing.import_id(schedule.name))
        feeds.show(self._client, self._keys, schedule.name, importing.well(known, laid, now))
        self._count(schedule.name, "changed" if changed else "same")
        if known.failing_since:
            log.info("the feed can be read again", schedule=schedule.name)
        return feed.every_ms / 1000

    def _follow(self, policy: Policy, schedule: Schedule, feed: Feed, now: int) -> OverrideSet | None:
        """What was appended. Raises FeedError, CalendarError."""
        data = self._data(schedule.name, _address(feed, self._environ))
        standing = self._standing(importing.import_id(schedule.name))
        changed = importing.renewed(schedule, policy.contacts, data, standing, now)
        if changed is not None:
            self._append(changed)
            log.info("the feed has other shifts", schedule=schedule.name, shifts=len(changed.shifts))
        return changed

    def _failed(self, schedule: str, known: importing.FeedHealth, reason: str, now: int) -> None:
        feeds.show(self._client, self._keys, schedule, importing.failing(known, reason, now))
        self._count(schedule, "failed")
        if known.reason != reason:
            log.warning("the feed cannot be read, its last shifts stay", schedule=schedule, reason=reason)

    def _data(self, schedule: str, url: str) -> bytes:
        """The calendar at the address, fetched unless it says that it is the one we have. Raises FeedError."""
        kept = self._kept.get(schedule)
        kept = kept if kept and kept.url == url else None
        answer = _fetched(url, kept.asking if kept else {}, self._timeout_s)
        if answer.status == _UNCHANGED and kept:
            return kept.data
        if not answer.ok:
            moved = ", it moved: give url the address it is at now" if "location" in answer.headers else ""
            raise FeedError(f"{_host(url)} answered {answer.status}{moved}", answer.retry_after_ms / 1000)
        asking = {"if-none-match": "etag", "if-modified-since": "last-modified"}
        told = {ask: answer.headers[name] for ask, name in asking.items() if name in answer.headers}
        self._kept[schedule] = _Kept(url, answer.body, told)
        return answer.body

    def _standing(self, override_id: str) -> OverrideSet | None:
        raw = wire.call(self._client, "HGET", self._keys.state(Table.OVERRIDE), override_id)
        return decode(OverrideSet, raw) if raw else None

    def _append(self, entry: OverrideSet) -> None:
        ledger_log.append(self._client, self._keys, Lane.CONTROL, entry)

    def _forget(self, policy: Policy) -> None:
        """What a feed laid over a schedule that follows none any more is taken back."""
        following = {schedule.name for schedule in policy.schedules.values() if schedule.feed}
        self._kept = {name: kept for name, kept in self._kept.items() if name in following}
        for name in feeds.health(self._client, self._keys).keys() - following:
            feeds.forget(self._client, self._keys, name)
        laid: list[bytes] = wire.call(self._client, "HVALS", self._keys.state(Table.OVERRIDE))
        for each in (decode(OverrideSet, raw) for raw in laid):
            ours = each.kind is OverrideKind.IMPORT and each.by == importing.BY
            if ours and each.schedule not in following:
                self._append(importing.taken_back(each, now_ms()))

    def _count(self, schedule: str, outcome: str) -> None:
        tally.count(self._client, self._keys, "tocsin_feed_looks_total", schedule=schedule, outcome=outcome)


def _address(feed: Feed, environ: Mapping[str, str]) -> str:
    """Raises FeedError."""
    try:
        url = feed.url.resolve(environ) if isinstance(feed.url, Secret) else feed.url
    except KeyError as error:
        raise FeedError(f"{error.args[0]} is not set; upkeep needs it in its environment") from error
    return "https" + url.removeprefix("webcal") if url.startswith("webcal:") else url


def _fetched(url: str, asking: Mapping[str, str], timeout_s: float) -> Answer:
    """Raises FeedError."""
    headers = {"accept": "text/calendar", **asking}
    most = importing.MOST_OCTETS + 1
    call = Call("GET", url, mutates=False, timeout_s=timeout_s, headers=headers, max_bytes=most)
    try:
        return http.call(call)
    except HttpError as error:
        reason = str(error).removeprefix(f"{call}: ")  # it begins with the path, which is the secret part
        raise FeedError(f"{_host(url)}: {reason}") from error


def _host(url: str) -> str:
    return urlsplit(url).hostname or "(no host)"
