"""Small records to keep in the ledger: each with sensible defaults, any field to be overridden."""

import asyncio
from collections.abc import Sequence
from typing import Any

from msgspec import structs
from redis import Redis

from ledger import commit as ledger_commit
from ledger.connection import connect_async
from ledger.keys import Keys
from ledger.log import Kept, NewEvent, Request, append_requests
from ledger.settings import LedgerSettings
from routing.decision import Decision
from routing.delivery import Delivery, Message, Progress, Purpose
from routing.effect import Deliver
from routing.entry import Lane, Signal, encode_entry
from routing.event import Event, Status
from routing.incident import Alert, Incident, Phase
from routing.run import Run, RunPhase
from routing.severity import Severity
from routing.timer import Timer, Wake

HELLO = Message(title="Site is down", body="All checks fail")


def signal(number: int = 1, **changes: Any) -> Signal:
    event = Event(
        source="shop",
        vendor="stripe",
        kind="card.declined",
        status=Status.FIRING,
        key="k",
        title="Declined",
        vendor_id=f"evt_{number}",
    )
    return structs.replace(Signal(at=number, event=event), **changes)


def request(*vendor_ids: str, lane: Lane = Lane.BULK, **changes: Any) -> Request:
    events = [NewEvent(lane, each, encode_entry(signal(place))) for place, each in enumerate(vendor_ids)]
    plain = Request(source="shop", body=b'{"a": 1}', headers=b"{}", events=events, dedup_ms=60_000)
    return structs.replace(plain, **changes)


def keep(redis_url: str, keys: Keys, batch: Sequence[Request], *, replicas: int = 0) -> list[Kept]:
    """Append as the receiver does, from a loop of its own."""

    async def once() -> list[Kept]:
        async with connect_async(LedgerSettings(redis_url=redis_url)) as client:
            return await append_requests(client, keys, batch, replicas=replicas)

    return asyncio.run(once())


def incident(number: int = 1, **changes: Any) -> Incident:
    plain = Incident(
        id=f"INC-{number}",
        number=number,
        title="Site is down",
        severity=Severity.SEV1,
        phase=Phase.TRIGGERED,
        group=f"group-{number}",
        opened_at=number,
        changed_at=number,
    )
    return structs.replace(plain, **changes)


def alert(fingerprint: str = "fp", owner: str = "INC-1", **changes: Any) -> Alert:
    plain = Alert(
        fingerprint=fingerprint,
        incident=owner,
        source="shop",
        kind="site-down",
        title="Site is down",
        severity=Severity.SEV1,
        firing=True,
        count=1,
        first_seen_at=1,
        last_seen_at=1,
    )
    return structs.replace(plain, **changes)


def delivery(delivery_id: str = "INC-1-d1", owner: str = "INC-1", **changes: Any) -> Delivery:
    plain = Delivery(
        id=delivery_id,
        incident=owner,
        contact="ana",
        channel="voice",
        address="+43",
        purpose=Purpose.PAGE,
        severity=Severity.SEV1,
        message=HELLO,
        progress=Progress.PENDING,
        created_at=1,
        changed_at=1,
    )
    return structs.replace(plain, **changes)


def run(run_id: str = "INC-1-r1", owner: str = "INC-1", **changes: Any) -> Run:
    plain = Run(
        id=run_id,
        incident=owner,
        runbook="rollback",
        runbook_version=1,
        target="prj_1",
        mode="auto",
        phase=RunPhase.DIAGNOSE,
        started_at=1,
        deadline_at=2,
    )
    return structs.replace(plain, **changes)


def timer(subject: str = "INC-1", at: int = 100, *, wake: Wake = Wake.ESCALATE, owner: str = "") -> Timer:
    return Timer(id=f"{wake}:{subject}", wake=wake, subject=subject, at=at, incident=owner)


def deliver(delivery_id: str = "INC-1-d1", attempt: int = 1, **changes: Any) -> Deliver:
    plain = Deliver(
        id=delivery_id,
        attempt=attempt,
        incident="INC-1",
        contact="ana",
        channel="voice",
        address="+43",
        purpose=Purpose.PAGE,
        severity=Severity.SEV1,
        message=HELLO,
    )
    return structs.replace(plain, **changes)


def commit(
    client: Redis, keys: Keys, *decisions: Decision, fence: int = 0, now: int = 5, first: int = 1
) -> None:
    """Commit decisions of entries `b<n>-0` in the bulk lane, with nothing to enqueue."""
    batch = [(Lane.BULK, f"b{first + place}-0", decision) for place, decision in enumerate(decisions)]
    cursor = {Lane.BULK: batch[-1][1]} if batch else {}
    ledger_commit.commit(client, keys, fence, batch, cursor, lambda _pipe, _effects: None, now)
