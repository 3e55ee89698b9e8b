"""A desk for one operator: a real server, a policy, entries decided by the real fold, and nothing sent.

What workers would answer is appended by the test itself, so that every record is one the fold made.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import shipped
from click.testing import Result
from redis import Redis
from redis.client import Pipeline

from ledger import log, policies
from ledger.clock import now_ms
from ledger.commit import commit
from ledger.connection import connect
from ledger.keys import Keys
from ledger.lease import Lease
from ledger.settings import LedgerSettings
from ledger.state import cursor, load_state
from ledger.views import Store
from routing.decide import decide
from routing.decision import Decision
from routing.effect import AnyEffect
from routing.entry import AnyEntry, Lane, Signal, decode_entry, encode_entry
from routing.event import Event, Status
from routing.policy import Policy

Run = Callable[..., Result]
"""Runs `tocsin ...`; fixture `run` of tests/console."""
Ask = Callable[..., Any]
"""The same with --json, read; fixture `ask`."""

_ASLEEP_MS = 25
"""How long the log is waited for before it is seen that nobody needs it any more."""
CONFIG = Path(__file__).parents[2] / "config"


def nothing(_pipe: Pipeline, _effects: list[AnyEffect]) -> None:
    """No worker is there to do anything."""


class Desk:
    """`fold()` decides what was appended; `folding()` does so in the background until it is left."""

    def __init__(self, url: str, data: Path, policy: Policy) -> None:
        self.settings = LedgerSettings(redis_url=url, data_dir=data)
        self.client: Redis = connect(self.settings)
        self.keys = Keys()
        self.policy = policy
        self.store = Store(self.client, self.keys, data / "archive.db")
        self._lease = Lease(self.client, self.keys, ttl_ms=60_000)
        self.turn = threading.Lock()
        """Held while somebody decides in the background: hold it to change what they would have loaded."""

    @property
    def archive(self) -> Path:
        return self.store.archive_path

    def publish(self) -> None:
        """Put the shipped configuration into force."""
        self.policy = shipped.policy()
        policies.publish(self.client, self.keys, shipped.files(), shipped.vendors(), self.policy, "test")
        self.fold()

    def append(self, entry: AnyEntry, lane: Lane = Lane.CONTROL) -> str:
        entry_id = log.append(self.client, self.keys, lane, entry)
        self.fold()
        return entry_id

    def receive(self, event: Event, body: bytes, headers: bytes = b'{"x-signature": "[redacted]"}') -> str:
        """An event as the receiver keeps it, with the body it came in; decided."""
        raw = self.client.xadd(self.keys.raw, {"b": body, "h": headers, "s": event.source})
        entry = encode_entry(Signal(at=now_ms(), by="receiver", event=event))
        at = self.client.xadd(self.keys.log(Lane.URGENT), {"e": entry, "r": raw})
        position = f"u{at.decode()}" if isinstance(at, bytes) else f"u{at}"
        if event.vendor_id:
            self.client.set(self.keys.seen(event.source, event.vendor_id), position)
        self.fold()
        return position

    def fold(self) -> None:
        """Decide all there is."""
        fence = self._lease.acquire()
        assert fence is not None
        state, places = load_state(self.client, self.keys), cursor(self.client, self.keys).positions
        while found := log.read(self.client, self.keys, places, 100, 0):
            for lane in Lane:
                for position, raw in found.get(lane, ()):
                    now = now_ms()
                    decision: Decision = decide(self.policy, state, decode_entry(raw), position, now)
                    state.apply(decision)
                    places[lane] = position
                    moved = {lane: position}
                    commit(self.client, self.keys, fence, [(lane, position, decision)], moved, nothing, now,
                           policy=self.policy.version)  # fmt: skip

    @contextmanager
    def folding(self) -> Iterator[None]:
        """Somebody decides in the background."""
        other, stop = (
            Desk(str(self.settings.redis_url), self.settings.data_dir, self.policy),
            threading.Event(),
        )

        def work() -> None:
            while not stop.is_set():
                with self.turn:
                    other.fold()
                    decided = cursor(other.client, other.keys).positions
                log.read(other.client, other.keys, decided, 1, _ASLEEP_MS)

        self.leave()
        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            other.leave()

    def leave(self) -> None:
        """Give the lease back."""
        self._lease.release()


def outage(*, key: str = "site", vendor_id: str = "", status: Status = Status.FIRING) -> Event:
    """An event the small policy takes for a complete outage."""
    return Event(
        source="am", vendor="alertmanager", kind="site-down", status=status, key=key,
        title="The site is down", summary="3 probes failed", vendor_id=vendor_id, labels={"instance": "web-1"},
    )  # fmt: skip
