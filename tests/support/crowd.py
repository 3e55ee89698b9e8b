"""A store with very many incidents and dead letters, written as commits write them."""

from desk import Desk
from redis.client import Pipeline

from ledger import dead, phases
from ledger.dead import DeadLetter, Kind
from routing.decision import Table
from routing.delivery import Delivery, Message, Progress, Purpose
from routing.incident import Alert, Incident, Moment, NextAction, Phase
from routing.record import encode
from routing.severity import Severity
from routing.state import Fact

AT_ONCE = 2_000
START = 1_764_000_000_000
BODY = b'{"type": "charge.failed", "padding": "' + b"x" * 700 + b'"}'


def incidents(
    desk: Desk, count: int, opened: int, *, after: int = 0, start: int = START, every: int = 1_000
) -> None:
    """Up to INC-`count`, from the one `after` that number on, one `every` ms from `start` on; the newest `opened` of
    them are open.
    """
    for begin in range(after + 1, count + 1, AT_ONCE):
        pipe = desk.client.pipeline(transaction=False)
        for number in range(begin, min(begin + AT_ONCE, count + 1)):
            at = start + number * every
            _incident(pipe, desk, number, at, is_open=number > count - opened)
        pipe.execute()
    last = Fact(value=str(count))
    desk.client.hset(desk.keys.state(Table.FACT), "incidents", encode(last))


def _incident(pipe: Pipeline, desk: Desk, number: int, at: int, *, is_open: bool) -> None:
    name = f"INC-{number}"
    one = Incident(
        id=name, number=number, title=f"Checkout answers slowly for the {number}th time", severity=Severity(number % 5),
        phase=(Phase.TRIGGERED, Phase.ACKNOWLEDGED)[number % 2] if is_open else Phase.RESOLVED, group=f"g{number}",
        opened_at=at, changed_at=at, summary="p95 is over 2 s", team=("payments", "platform")[number % 2],
        service="checkout", labels={"service": "checkout", "region": "eu-central", "kind": "ApiSlow"}, route="root",
        respond_by=at + 60_000, resolve_by=at + 3_600_000, resolved_at=0 if is_open else at + 900_000,
        next_action=NextAction(at=at + 60_000, what="page the next step") if is_open else None, paged=["anna", "ben"],
        alerts=1, events=4, deliveries=2,
    )  # fmt: skip
    pipe.hset(desk.keys.state(Table.INCIDENT), name, encode(one))
    phases.move(pipe, desk.keys, [one])
    alert = Alert(
        fingerprint=f"f{number}", incident=name, source="stripe", kind="ApiSlow", title=one.title, severity=one.severity,
        firing=is_open, count=4, first_seen_at=at, last_seen_at=at, labels=one.labels,
    )  # fmt: skip
    pipe.hset(desk.keys.owned(name, Table.ALERT), alert.fingerprint, encode(alert))
    for index in (1, 2):
        sent = Delivery(
            id=f"{name}-d{index}", incident=name, contact="anna", channel="sms", address="+48500000001",
            purpose=Purpose.PAGE, severity=one.severity, message=Message(title=one.title, body=one.summary),
            progress=Progress.DELIVERED, created_at=at, changed_at=at,
        )  # fmt: skip
        pipe.hset(desk.keys.owned(name, Table.DELIVERY), sent.id, encode(sent))
    told = [encode(Moment(at=at + step, what=f"step {step} of the story", by="anna")) for step in range(12)]
    pipe.rpush(desk.keys.timeline(name), *told)


def letters(desk: Desk, count: int, *, start: int = START, every: int = 1) -> None:
    """`count` that wait, one `every` ms; one in a hundred of another source."""
    for first in range(count):
        if first % AT_ONCE:
            continue
        pipe = desk.client.pipeline(transaction=False)
        for number in range(first, min(first + AT_ONCE, count)):
            dead.bury(pipe, desk.keys, _letter(number, start + number * every))
        pipe.execute()


def _letter(number: int, at: int) -> DeadLetter:
    return DeadLetter(
        id=f"dl-{number:016x}", kind=Kind.REFUSED if number % 3 else Kind.UNDELIVERED, at=at,
        why=f"data.object: expected an object ({number})", source="stripe" if number % 100 else "vercel", raw=BODY,
        headers={"content-type": "application/json"}, traceback="Traceback (most recent call last):\n" * 10,
    )  # fmt: skip
