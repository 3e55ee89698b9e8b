"""A storm of one condition: what Redis holds grows by the entry, its body and its verdict, and by nothing else."""

from dataclasses import dataclass

import kept
import pytest
import shipped
from redis import Redis

from ledger import log, wire
from ledger.commit import commit
from ledger.keys import Keys
from ledger.lease import Lease
from ledger.log import NewEvent, Request
from routing.decide import decide
from routing.entry import Lane, Signal, decode_entry, encode_entry
from routing.event import Event, Status
from routing.state import State
from workers.queues import Queues

HALF = 2_000
BATCH = 400
START = 1_764_000_000_000
BODY = b'[{"labels": {"alertname": "HighLatency"}}]'


@dataclass
class Storm:
    """The real fold and commit, in batches as the dispatcher makes them."""

    redis: Redis
    url: str
    keys: Keys
    state: State
    fence: int
    sent: int = 0
    reached: str = "0-0"

    def half(self) -> None:
        for _ in range(HALF // BATCH):
            kept.keep(self.url, self.keys, [self._request(self.sent + n) for n in range(BATCH)])
            self._decide()
            self.sent += BATCH

    def _request(self, number: int) -> Request:
        event = Event(
            source="alertmanager", vendor="alertmanager", kind="HighLatency", status=Status.FIRING, key="k",
            title="Latency is high", starts_at=START, vendor_severity="critical", labels={"service": "search"},
        )  # fmt: skip
        entry = encode_entry(Signal(at=START + number, event=event))
        return Request("alertmanager", BODY, b"{}", [NewEvent(Lane.BULK, "", entry)], [], 60_000)

    def _decide(self) -> None:
        batch, now = [], START + self.sent
        for position, raw in log.read(self.redis, self.keys, {Lane.BULK: self.reached}, BATCH, 0)[Lane.BULK]:
            decision = decide(shipped.policy(), self.state, decode_entry(raw), position, now)
            self.state.apply(decision)
            batch.append((Lane.BULK, position, decision))
            self.reached = position
        enqueue = Queues(self.redis).enqueue
        commit(self.redis, self.keys, self.fence, batch, {Lane.BULK: self.reached}, enqueue, now)

    def sizes(self) -> tuple[int, int]:
        """Bytes of what is kept for each event until the archive has it; and of all else."""
        per_event = (self.keys.log(Lane.BULK), self.keys.raw)
        events = others = 0
        for key in self.redis.scan_iter(count=1000):
            size = int(wire.call(self.redis, "MEMORY", "USAGE", key, "SAMPLES", 0))
            if key.decode() in per_event or b":verdicts:" in key:
                events += size
            else:
                others += size
        return events, others


@pytest.fixture
def storm(redis: Redis, redis_url: str, keys: Keys) -> Storm:
    fence = Lease(redis, keys, ttl_ms=600_000).acquire()
    assert fence is not None
    return Storm(redis, redis_url, keys, State(), fence)


def test_its_second_half_adds_events_and_nothing_to_what_is_known(storm: Storm) -> None:
    storm.half()
    first_events, first_others = storm.sizes()
    storm.half()
    events, others = storm.sizes()
    assert others - first_others < HALF, "not a byte an event"
    assert events < 2.5 * first_events, "twice as many events, and the room that a hash grows ahead"
    assert events / storm.sent < 2_000
