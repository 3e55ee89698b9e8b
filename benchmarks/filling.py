"""A database and an archive as after some years: 10,000 incidents, 100,000 dead letters, 1,000,000 archived events.

Written in bulk and as commits and the archiver write them, all of it in the last thirty days: no report has it easier.
"""

from dataclasses import dataclass
from pathlib import Path

import crowd
import long_night
import past
from desk import Desk
from small_policy import POLICY

from ledger import sandbox
from ledger.archive.database import Archive, ArchivedBatch, ArchivedEntry, ArchivedRaw
from ledger.clock import now_ms
from ledger.sandbox import Unsent
from routing.decision import Table
from routing.delivery import Purpose
from routing.entry import Lane, Signal, encode_entry
from routing.event import Event, Status
from routing.incident import Verdict
from routing.instant import DAY
from routing.reason import Reason
from routing.record import encode
from routing.run import Approval
from routing.severity import Severity
from routing.timer import Wake

INCIDENTS, OPEN, LETTERS, EVENTS = 10_000, 300, 100_000, 1_000_000
LIVE = 20_000
"""Entries the log still holds, decided."""
RETIRED = 4_000
"""Of the incidents, so many are in the archive."""
LONG_EACH = 250
"""One incident in so many was a long one."""
WAITING = 20
"""Open incidents with a repair that waits for approval."""
_DAYS = 30
_AT_ONCE = 20_000
_MARK = 1_234_567_890_123


@dataclass(frozen=True, slots=True)
class Filled:
    """Names of what a page can be asked for; `event` of an archived one, `letter_mark` goes on behind `letter`."""

    long: str
    long_retired: str
    plain: str
    retired: str
    letter: str
    letter_mark: str
    event: str
    vendor_id: str
    unsent: str
    unsent_first: str
    """The oldest that is kept."""


def fill(url: str, data: Path, events: int = EVENTS) -> Filled:
    """Takes a minute or two. The shipped configuration is in force afterwards."""
    desk, begin = Desk(url, data, POLICY), now_ms() - _DAYS * DAY
    desk.publish()
    desk.leave()
    every = _DAYS * DAY // (INCIDENTS + 1)
    crowd.incidents(desk, INCIDENTS, OPEN, after=RETIRED, start=begin, every=every)
    for number in range(RETIRED + LONG_EACH, INCIDENTS + 1, LONG_EACH):
        long_night.put(desk, number, begin + number * every)
    _put_on_hold(desk)
    _retire(desk.store.archive, begin, RETIRED * _DAYS // INCIDENTS)
    crowd.letters(desk, LETTERS, start=begin, every=_DAYS * DAY // LETTERS)
    _archive(desk.store.archive, begin, events)
    _log(desk)
    for number in range(sandbox.MAX_KEPT):
        sandbox.keep(desk.client, desk.keys, _unsent(number))
    desk.client.close()
    letter = f"dl-{LETTERS // 2:016x}"
    return Filled(
        long=f"INC-{INCIDENTS}", long_retired=f"INC-{LONG_EACH}", plain=f"INC-{INCIDENTS - 1}", retired="INC-7",
        letter=letter, letter_mark=f"{begin + LETTERS // 2 * (_DAYS * DAY // LETTERS)}.{letter}",
        event=_position(begin, events, events // 2), vendor_id=f"evt_{events // 3:09}",
        unsent=f"INC-{INCIDENTS}-d{sandbox.MAX_KEPT - 1}", unsent_first=f"INC-{INCIDENTS}-d0",
    )  # fmt: skip


def _put_on_hold(desk: Desk) -> None:
    """The newest few wait for somebody to approve their repair."""
    for number in range(INCIDENTS - WAITING, INCIDENTS):
        name, now = f"INC-{number}", now_ms()
        asked = Approval(why="it changes production", until_at=now + DAY, people=1, asked=["anna", "ben"])
        run = long_night.run(name, 1, now, asked)
        desk.client.hset(desk.keys.owned(name, Table.RUN), run.id, encode(run))
        desk.client.zadd(desk.keys.timers, {f"{Wake.RUN_DEADLINE}:{run.id}": now + DAY})


# ── the archive ──────────────────────────────────────────────────────────────────────────────────────────


def _retire(archive: Archive, begin: int, days: int) -> None:
    found = past.month(RETIRED, begin, days)
    for number in range(LONG_EACH, RETIRED + 1, LONG_EACH):
        found[number - 1] = long_night.retired(found[number - 1])
    archive.put(incidents=found)


def _archive(archive: Archive, begin: int, events: int) -> None:
    entry, verdict = _signal(), _verdict()
    for first in range(0, events, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, events))
        places = [_instant(begin, events, number) for number in numbers]
        entries = (
            ArchivedEntry(
                f"b{at}-0", f"b{at}-0", Lane.BULK, at, f"evt_{number:09}", f"{at}-0",
                entry.replace(b"evt_mark", b"evt_%09d" % number).replace(b"%d" % _MARK, b"%d" % at),
                verdict.replace(b"%d" % _MARK, b"%d" % at).replace(b"INC-0", b"INC-%d" % (1 + number % INCIDENTS)),
            )
            for number, at in zip(numbers, places, strict=True)
        )  # fmt: skip
        raws = (ArchivedRaw(f"{at}-0", "stripe", crowd.BODY[:300], b"{}") for at in places)
        batches = (ArchivedBatch((at, 0), at, "v1", {"bulk": f"b{at}-0"}) for at in places[99::100])
        archive.put(entries, raws, batches=batches)


def _log(desk: Desk) -> None:
    entry, last = _signal(), b""
    for first in range(0, LIVE, 1_000):
        pipe = desk.client.pipeline(transaction=False)
        for number in range(first, first + 1_000):
            pipe.xadd(desk.keys.log(Lane.BULK), {"e": entry.replace(b"evt_mark", b"live_%09d" % number)})
        last = pipe.execute()[-1]
    desk.client.hset(desk.keys.cursor, Lane.BULK, last)


def _instant(begin: int, events: int, number: int) -> int:
    return begin + number * (_DAYS * DAY // events)


def _position(begin: int, events: int, number: int) -> str:
    return f"b{_instant(begin, events, number)}-0"


def _signal() -> bytes:
    event = Event(
        source="stripe", vendor="stripe", kind="charge.failed", status=Status.FIRING, key="checkout",
        title="A charge failed", summary="the card was declined", vendor_id="evt_mark",
        labels={"service": "checkout", "region": "eu-central"},
    )  # fmt: skip
    return encode_entry(Signal(at=_MARK, by="receiver", event=event))


def _verdict() -> bytes:
    why = [Reason(text="what stripe calls charge.failed", rule="severity", origin="config/severity.yaml:40")]
    return encode(
        Verdict(at=_MARK, did="joined", incident="INC-0", severity=Severity.SEV2, policy="v1", reasons=why)
    )


def _unsent(number: int) -> Unsent:
    return Unsent(
        at=now_ms(), delivery=f"INC-{INCIDENTS}-d{number}", attempt=1, incident=f"INC-{INCIDENTS}", contact="anna",
        channel="sms", vendor="twilio", to="+48500000001", purpose=Purpose.PAGE, severity=Severity.SEV1,
        fields={"Body": "SEV-1 Checkout answers slowly. Answer 4 to acknowledge.", "To": "+48500000001"},
        missing=["TWILIO_ACCOUNT_SID"],
    )  # fmt: skip
