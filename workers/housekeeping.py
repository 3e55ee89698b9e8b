"""What the holder of the lease does now and then: a sign of life, and alarms about Tocsin itself.

The alarms are ordinary events of the source `tocsin`, so routes, schedules and people are the usual ones.
"""

import time
from dataclasses import dataclass
from typing import Final

import redis

from ledger import auditing, dead, feeds, gaps, mailboxes, pulse
from ledger import log as ledger_log
from ledger.clock import now_ms
from ledger.keys import Keys
from routing.alerts.fingerprint import fingerprint
from routing.audit import audit
from routing.decision import Table
from routing.entry import Lane, Signal
from routing.event import Event, Status
from routing.incident import Alert
from routing.instant import HOUR, iso
from routing.oncall.importing import trouble
from routing.state import State

SOURCE: Final = "tocsin"
DEAD_LETTERS: Final = "dead-letters.waiting"
AUDIT: Final = "audit.broken"
FEEDS: Final = "feeds.failing"
MAILBOXES: Final = "mailboxes.failing"
MAILBOX_MS: Final = 6 * HOUR
GAPS: Final = "gaps.failing"
GAPS_MS: Final = HOUR

PULSE_S: Final = 2.0
EVERY_S: Final = 5.0
AGAIN_S: Final = 300.0
"""An alarm nobody took up as an alert (no rule, or silenced) is said again after this long."""
SETTLE_S: Final = 30.0
SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is well or not. `trouble` "" is well."""

    kind: str
    lane: Lane
    title: str
    trouble: str


class Housekeeping:
    """Kept by the dispatcher; everything here is cheap, and done by one process at a time."""

    def __init__(self, client: redis.Redis, keys: Keys, worker: str, every_s: float = EVERY_S) -> None:
        self._client = client
        self._keys = keys
        self._worker = worker
        self._every_s = every_s
        self._alive_at = float("-inf")
        self._looked_at = float("-inf")
        self._said: dict[tuple[str, Status], float] = {}

    def run(self, state: State) -> None:
        self.show_alive()
        if time.monotonic() - self._looked_at < self._every_s:
            return
        looks = (self._dead_letters(), self._audit(state), self._feeds(), self._mailboxes(), self._gaps())
        for condition in looks:
            self._say(condition, state)
        self._looked_at = time.monotonic()

    def show_alive(self) -> None:
        """The pulse the watchdog and `status` read."""
        if time.monotonic() - self._alive_at < PULSE_S:
            return
        pulse.show(self._client, self._keys, self._worker, now_ms())
        self._alive_at = time.monotonic()

    def _dead_letters(self) -> Condition:
        count = dead.waiting(self._client, self._keys)
        letters = "1 dead letter waits" if count == 1 else f"{count} dead letters wait"
        trouble = f"{letters} for somebody to look at: `tocsin dead list`" if count else ""
        return Condition(DEAD_LETTERS, Lane.BULK, "Work was given up: dead letters wait", trouble)

    def _audit(self, state: State) -> Condition:
        findings = audit(state, now_ms())
        shown = "; ".join(f"{finding.subject}: {finding.text}" for finding in findings[:SHOWN])
        more = f"; and {len(findings) - SHOWN} more" if len(findings) > SHOWN else ""
        auditing.save(self._client, self._keys, auditing.Audited(now_ms(), shown + more))
        return Condition(AUDIT, Lane.URGENT, "Something open may be forgotten", shown + more)

    def _feeds(self) -> Condition:
        found = feeds.health(self._client, self._keys)
        troubles = (trouble(name, health, now_ms()) for name, health in sorted(found.items()))
        title = "A calendar that says who is on call cannot be followed"
        return Condition(FEEDS, Lane.BULK, title, "; ".join(filter(None, troubles)))

    def _mailboxes(self) -> Condition:
        found = sorted(mailboxes.all_of(self._client, self._keys).items())
        long = [(name, each) for name, each in found if each.failing_since]
        told = [
            f"the mailbox of {name} cannot be read since {iso(each.failing_since)}: {each.reason}"
            for name, each in long
            if now_ms() - each.failing_since >= MAILBOX_MS
        ]
        title = "Nobody learns of mail that comes back"
        return Condition(MAILBOXES, Lane.BULK, title, "; ".join(told))

    def _gaps(self) -> Condition:
        found = sorted(gaps.all_of(self._client, self._keys).items())
        told = [
            f"the vendor of {name} cannot be asked since {iso(gap.failing_since)}: {gap.reason}"
            for name, gap in found
            if gap.failing_since and now_ms() - gap.failing_since >= GAPS_MS
        ]
        return Condition(GAPS, Lane.BULK, "Nobody finds what a source missed", "; ".join(told))

    def _say(self, condition: Condition, state: State) -> None:
        """Append what the state does not know yet; the fold deduplicates what is said twice."""
        event = _event(condition)
        alert = state.get(Table.ALERT, fingerprint(event, ""))
        firing = isinstance(alert, Alert) and alert.firing
        if firing == bool(condition.trouble) or not self._may_say(condition.kind, event.status):
            return
        ledger_log.append(
            self._client, self._keys, condition.lane, Signal(at=now_ms(), by=self._worker, event=event)
        )

    def _may_say(self, kind: str, status: Status) -> bool:
        pause = AGAIN_S if status is Status.FIRING else SETTLE_S
        if time.monotonic() - self._said.get((kind, status), float("-inf")) < pause:
            return False
        self._said = {key: at for key, at in self._said.items() if key[0] != kind}
        self._said[kind, status] = time.monotonic()
        return True


def _event(condition: Condition) -> Event:
    now = now_ms()
    status = Status.FIRING if condition.trouble else Status.RESOLVED
    return Event(
        source=SOURCE,
        vendor=SOURCE,
        kind=condition.kind,
        status=status,
        key=condition.kind,
        title=condition.title,
        summary=condition.trouble,
        starts_at=now if condition.trouble else 0,
        ends_at=0 if condition.trouble else now,
    )
