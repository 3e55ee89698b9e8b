"""A database and an archive as after some years: 10,000 incidents, 100,000 dead letters, 1,000,000 archived events.

Written in bulk and as commits and the archiver write them, all of it in the last thirty days: no report has it easier.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import crowd
import past
from desk import Desk
from small_policy import POLICY

from ledger import sandbox
from ledger.archive.database import Archive, ArchivedBatch, ArchivedEntry, ArchivedIncident, ArchivedRaw
from ledger.clock import now_ms
from ledger.sandbox import Unsent
from routing.decision import Table
from routing.delivery import Delivery, Message, Progress, Purpose
from routing.entry import Lane, Signal, encode_entry
from routing.event import Event, Status
from routing.incident import Alert, Incident, Moment, Verdict
from routing.instant import DAY, MINUTE, SECOND
from routing.reason import Reason
from routing.record import decode, encode
from routing.run import Approval, Run, RunPhase, StepState
from routing.severity import Severity

INCIDENTS, OPEN, LETTERS, EVENTS = 10_000, 300, 100_000, 1_000_000
RETIRED = 4_000
"""Of the incidents, so many are in the archive."""
LONG_EACH = 250
"""One incident in so many was a long one."""
WAITING = 20
"""Open incidents with a repair that waits for approval."""
_DAYS = 30
_AT_ONCE = 20_000
_MOMENTS, _DELIVERIES, _ALERTS, _RUNS = 1_500, 400, 1_000, 30
_OUTPUT = "\n".join(
    f"line {number:03} of what the command printed, as long as such lines are" for number in range(150)
)
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
        _lengthen(desk, number, begin + number * every)
    _put_on_hold(desk)
    _retire(desk.store.archive, begin, RETIRED * _DAYS // INCIDENTS)
    crowd.letters(desk, LETTERS, start=begin, every=_DAYS * DAY // LETTERS)
    _archive(desk.store.archive, begin, events)
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


# ── long incidents ───────────────────────────────────────────────────────────────────────────────────────


def _lengthen(desk: Desk, number: int, at: int) -> None:
    name, pipe = f"INC-{number}", desk.client.pipeline(transaction=False)
    owned = _owned(name, at)
    for table, records in owned.items():
        pipe.hset(desk.keys.owned(name, table), mapping=records)  # type: ignore[arg-type]  # bytes are fine
    pipe.rpush(desk.keys.timeline(name), *_moments(at))
    pipe.execute()


def _owned(name: str, at: int) -> dict[Table, dict[str, bytes]]:
    alerts = (_alert(name, number, at) for number in range(_ALERTS))
    deliveries = (_delivery(name, number, at + number * SECOND) for number in range(10, _DELIVERIES))
    runs = (_run(name, number, at + number * MINUTE) for number in range(1, _RUNS + 1))
    return {
        Table.ALERT: {each.fingerprint: encode(each) for each in alerts},
        Table.DELIVERY: {each.id: encode(each) for each in deliveries},
        Table.RUN: {each.id: encode(each) for each in runs},
    }


def _moments(at: int) -> Iterator[bytes]:
    why = [Reason(text="the route asks for it", rule="escalation", origin="config/escalation.yaml:12")]
    for number in range(_MOMENTS):
        what = f"paged anna by sms for the {number}th time, as nobody had acknowledged it by then"
        yield encode(
            Moment(at=at + number * SECOND, what=what, by="escalation", reasons=why, entry=f"c{at}-{number}")
        )


def _alert(name: str, number: int, at: int) -> Alert:
    return Alert(
        fingerprint=f"{name}-f{number}", incident=name, source="alertmanager", kind="ApiSlow",
        title=f"Instance web-{number} answers slowly", severity=Severity.SEV1, firing=number % 3 > 0, count=number + 1,
        first_seen_at=at + number, last_seen_at=at + MINUTE,
        labels={"instance": f"web-{number}", "region": "eu-central", "service": "checkout"},
    )  # fmt: skip


def _delivery(name: str, number: int, at: int) -> Delivery:
    return Delivery(
        id=f"{name}-d{number}", incident=name, contact=("anna", "ben")[number % 2], channel="sms",
        address="+48500000001", purpose=Purpose.PAGE, severity=Severity.SEV1, message=Message(title=name, body="slow"),
        progress=Progress.DELIVERED, created_at=at, changed_at=at, provider_id=f"SM{number:032x}",
    )  # fmt: skip


def _run(name: str, number: int, at: int, approval: Approval | None = None) -> Run:
    phase = RunPhase.WAITING if approval else RunPhase.SUCCEEDED
    steps = [
        StepState(id=f"look-{step}", action="command.run", attempt=1, outcome="ok", output=_OUTPUT, began_at=at,
                  ended_at=at + SECOND, request="run the check")
        for step in range(4)
    ]  # fmt: skip
    return Run(
        id=f"{name}-r{number}", incident=name, runbook="rollback", runbook_version=1, target="site", mode="auto",
        phase=phase, started_at=at, deadline_at=at + 10 * MINUTE, ended_at=0 if approval else at + MINUTE,
        steps=steps, approval=approval,
    )  # fmt: skip


def _put_on_hold(desk: Desk) -> None:
    """The newest few wait for somebody to approve their repair."""
    for number in range(INCIDENTS - WAITING, INCIDENTS):
        name, now = f"INC-{number}", now_ms()
        asked = Approval(why="it changes production", until_at=now + DAY, people=1, asked=["anna", "ben"])
        run = _run(name, 1, now, asked)
        desk.client.hset(desk.keys.owned(name, Table.RUN), run.id, encode(run))


# ── the archive ──────────────────────────────────────────────────────────────────────────────────────────


def _retire(archive: Archive, begin: int, days: int) -> None:
    found = past.month(RETIRED, begin, days)
    for number in range(LONG_EACH, RETIRED + 1, LONG_EACH):
        found[number - 1] = _long(found[number - 1])
    archive.put(incidents=found)


def _long(one: ArchivedIncident) -> ArchivedIncident:
    at = decode(Incident, one.record).opened_at
    owned = {table.value: records for table, records in _owned(one.id, at).items()}
    return ArchivedIncident(one.id, one.number, one.record, owned, tuple(_moments(at)))


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
