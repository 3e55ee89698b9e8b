"""The watchdog: judges whether work moves, not whether somebody says so, and needs nothing but local disk."""

import signal
import threading
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Final

import redis
import structlog
from redis.exceptions import RedisError

from ledger import lease, outbox, policies, probes, timers, wire
from ledger.clock import now_ms
from ledger.connection import connect
from ledger.keys import Keys
from ledger.position import START, stream_id
from ledger.state import cursor
from routing.effect import AnyEffect, Deliver
from routing.entry import Lane
from routing.errors import TocsinError
from workers import alive, http
from workers.answer import Call, HttpError
from workers.last_resort import LastResort
from workers.settings import WorkerSettings

LOOK_S: Final = 3.0
OVERDUE_MS: Final = 30_000
UNCLAIMED_S: Final = 45.0
"""With a look every `LOOK_S`, and one slow answer, somebody is told within the promised 60 s."""
URGENT_UNCLAIMED_S: Final = 30.0
"""A page nobody takes up, though it is offered again every few seconds: who pages is dead."""
ANSWER_S: Final = 3.0

Troubles = dict[str, str]
"""Kind -> what to tell a person."""

logger = structlog.get_logger(__name__)


def _patience_s(effect: AnyEffect) -> float:
    """How long an effect may wait to be claimed."""
    return URGENT_UNCLAIMED_S if isinstance(effect, Deliver) and effect.urgent else UNCLAIMED_S


class Judge:
    """Looks again and again; what must last before it counts is remembered here, in monotonic seconds."""

    def __init__(
        self,
        client: redis.Redis,
        keys: Keys,
        stall_ms: int,
        patience_s: Callable[[AnyEffect], float] = _patience_s,
        *,
        looks: bool = False,
    ) -> None:
        """`looks`: probes are on, so somebody has to carry them out."""
        self._client = client
        self._keys = keys
        self._patience_s = patience_s
        self._stall_s = stall_ms / 1000
        self._silent_since: float | None = None
        self._moved_at = time.monotonic()
        self._held_at = self._looked_at = self._moved_at
        self._looks = looks
        self._decided = -1
        self._overdue_seen = False
        self._unclaimed: dict[tuple[str, int], float] = {}

    def look(self) -> Troubles | None:
        """Everything wrong now; None while it cannot be known. Never raises RedisError: silence is a finding."""
        try:
            found = self._undecided() | self._stalled() | self._overdue() | self._unclaimed_effects()
            found |= self._unlooked() if self._looks else {}
        except (RedisError, OSError) as error:
            return self._silent(error)
        self._silent_since = None
        return found

    def _silent(self, error: Exception) -> Troubles | None:
        now = time.monotonic()
        self._silent_since = self._silent_since or now
        self._moved_at = self._held_at = self._looked_at = (
            now  # nothing can move meanwhile; that is one trouble, not two
        )
        lasts = now - self._silent_since
        if lasts < self._stall_s:
            return None
        return {
            "redis": f"Redis has not answered for {lasts:.0f} s ({type(error).__name__}): nothing is taken in"
        }

    def _undecided(self) -> Troubles:
        """Found before anything waits; a takeover takes a moment, and is none of it."""
        now = time.monotonic()
        if lease.holder(self._client, self._keys):
            self._held_at = now
            return {}
        lasts = now - self._held_at
        if lasts < self._stall_s:
            return {}
        return {"dispatch": f"no worker decides, for {lasts:.0f} s: nobody would be paged"}

    def _stalled(self) -> Troubles:
        """Entries wait, and the cursor stands. The same trouble as no worker at all: it is said once."""
        found, now = cursor(self._client, self._keys), time.monotonic()
        waiting = [lane for lane in Lane if self._behind(lane, found.positions[lane])]
        if not waiting or found.decided != self._decided:
            self._moved_at, self._decided = now, found.decided
        if not waiting or now - self._moved_at < self._stall_s:
            return {}
        lanes = ", ".join(waiting)
        return {"dispatch": f"dispatch stands still for {now - self._moved_at:.0f} s, events wait ({lanes})"}

    def _behind(self, lane: Lane, at: str) -> bool:
        last = wire.call(self._client, "XREVRANGE", self._keys.log(lane), "+", "-", "COUNT", 1)
        return bool(last) and _order(wire.text(last[0][0])) > _order(stream_id(at) if at else START)

    def _overdue(self) -> Troubles:
        """Twice in a row, so that a step of the clock is no alarm."""
        due = timers.next_due(self._client, self._keys)
        late_ms = now_ms() - due if due is not None else 0
        before, self._overdue_seen = self._overdue_seen, late_ms > OVERDUE_MS
        if not (before and self._overdue_seen):
            return {}
        return {"timers": f"a timer is {late_ms // 1000} s overdue: escalations do not happen"}

    def _unclaimed_effects(self) -> Troubles:
        now = time.monotonic()
        waiting = {
            (each.effect.id, each.effect.attempt): self._patience_s(each.effect)
            for each in outbox.pending(self._client, self._keys)
            if not each.claimed_at
        }
        self._unclaimed = {each: self._unclaimed.get(each, now) for each in waiting}
        old = sorted(key[0] for key, since in self._unclaimed.items() if now - since >= waiting[key])
        if not old:
            return {}
        return {"outbox": f"{len(old)} pages, messages or repairs find no worker, first {old[0]}"}

    def _unlooked(self) -> Troubles:
        """Nobody carries the probes out, or who should does not get to them: what breaks would go unseen."""
        now = time.monotonic()
        seen = probes.shown(self._client, self._keys)
        late = sorted(name for name, each in seen.items() if 0 < each.due_by < now_ms())
        if not late and self._client.exists(self._keys.prober):
            self._looked_at = now
            return {}
        lasts = now - self._looked_at
        if lasts < self._stall_s:
            return {}
        which = f", first {late[0]}" if late else ""
        return {
            "probes": f"probes are not carried out, for {lasts:.0f} s{which}: nobody looks whether all is well"
        }


def _order(stream: str) -> tuple[int, int]:
    first, _, second = stream.partition("-")
    return int(first), int(second)


class Watchdog:
    def __init__(
        self, client: redis.Redis, keys: Keys, settings: WorkerSettings, last_resort: LastResort
    ) -> None:
        self._client = client
        self._keys = keys
        self._judge = Judge(client, keys, settings.stall_ms, looks=settings.probes)
        self._last_resort = last_resort
        self._data_dir = settings.ledger.data_dir
        self._heartbeat_url = settings.heartbeat_url
        self._heartbeat_s = settings.heartbeat_ms / 1000
        self._pinged_at = float("-inf")
        self._version = ""
        self._stop = threading.Event()

    def serve(self, every_s: float = LOOK_S) -> None:
        """Until SIGTERM or SIGINT."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._ask_to_stop)
        alive.show_watchdog(self._data_dir)
        while not self._stop.wait(every_s):
            self.turn()
            alive.show_watchdog(self._data_dir)

    def turn(self) -> None:
        troubles = self._judge.look()
        if troubles is None:
            return  # neither well nor, so far, in trouble
        if "redis" not in troubles:
            self._learn()
        self._last_resort.tell(troubles, now_ms())
        if not troubles:
            self._ping()

    def _learn(self) -> None:
        try:
            version = policies.current_version(self._client, self._keys)
            if version and version != self._version:
                self._last_resort.learn(policies.by_version(self._client, self._keys, version))
                self._version = version
        except (RedisError, OSError, KeyError, TocsinError) as error:
            logger.warning("the policy cannot be read; the last one known stays", error=str(error))

    def _ping(self) -> None:
        if not self._heartbeat_url or time.monotonic() - self._pinged_at < self._heartbeat_s:
            return
        self._pinged_at = time.monotonic()
        try:
            answer = http.call(Call("GET", self._heartbeat_url, mutates=False, timeout_s=5.0))
        except HttpError as error:
            logger.warning("the outside heartbeat was not reached", error=str(error))
            return
        if not answer.ok:
            logger.warning("the outside heartbeat refused", answer=str(answer))

    def _ask_to_stop(self, _signum: int, _frame: FrameType | None) -> None:
        self._stop.set()


def start(settings: WorkerSettings, environ: Mapping[str, str]) -> None:
    """Watch until SIGTERM or SIGINT. `environ` holds what its channels need."""
    last_resort = LastResort(settings.ledger.data_dir, environ, settings.again_ms)
    client = connect(settings.ledger, answer_timeout_s=ANSWER_S)
    Watchdog(client, Keys(), settings, last_resort).serve()
