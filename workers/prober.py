"""The prober: carries the configured probes out, and says what changed as events like any other.

One process does it at a time. What it remembers of a probe is only its last looks: after a death they are had anew,
and an end is said once more, which changes nothing where nothing fires.
"""

import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

import structlog
from msgspec.structs import replace
from redis.exceptions import RedisError

from ledger import log as event_log
from ledger import logs, probes, pulse, sentry
from ledger.clock import now_ms
from ledger.connection import connect
from ledger.keys import Keys
from ledger.probes import Seen
from routing.entry import Lane, Signal
from routing.event import Event, Status
from routing.policy import Policy, Probe
from routing.probing import Look, Turn, Watched, seen
from routing.schema.sources import OURSELVES, PROBES
from workers import looking
from workers.context import Context, NoPolicy
from workers.looking import Sight
from workers.serving import worker_name
from workers.settings import WorkerSettings, environment, from_env

TURN_S: Final = 0.1
HOLD_MS: Final = 10_000
"""So long after its death another takes over."""
AGAIN_MS: Final = 300_000
"""What lasts is said again after so long, so that a sender that fell silent can be told from one that is well."""
PULSE_S: Final = 5.0
AT_ONCE: Final = 8
_MISSED: Final = 3
"""Without a look for so many times its interval, nobody looks."""

_USUAL: Final = 20
"""What a look usually takes follows the last so many that were well, the latest most."""

logger = structlog.get_logger(__name__)


class _Looking(threading.Thread):
    """One look under way. A daemon: whoever asks the prober to end does not wait for a slow site."""

    def __init__(self, context: Context, policy: Policy, probe: Probe) -> None:
        super().__init__(name=f"probe {probe.name}", daemon=True)
        self._asked = context, policy, probe
        self.sight: Sight | None = None
        self.took_ms = 0
        self.start()

    def run(self) -> None:
        began = time.monotonic()
        sight = looking.look(*self._asked)
        self.took_ms = round((time.monotonic() - began) * 1000)
        self.sight = sight


@dataclass(slots=True)
class _Watch:
    """A probe and what is known of it; instants of `due` are monotonic seconds, the others ms."""

    probe: Probe
    due: float = 0.0
    running: _Looking | None = None
    watched: Watched = field(default_factory=Watched)
    since_at: int = 0
    said_at: int = 0
    blind: bool = False
    usual_ms: float = 0.0


class Prober:
    """`turn` again and again, until it is stopped."""

    def __init__(self, context: Context, again_ms: int = AGAIN_MS) -> None:
        self._context = context
        self._again_ms = again_ms
        self._configured: tuple[Probe, ...] | None = None
        self._watches: dict[str, _Watch] = {}
        self._unsaid: list[Event] = []

    def turn(self) -> None:
        """Judge the looks that are done, begin those that are due. Raises redis.RedisError or NoPolicy."""
        context = self._context
        self._say()
        if not probes.mine(context.client, context.keys, context.worker, HOLD_MS):
            self._watches.clear()
            self._configured = None
            return
        policy = context.policy()
        self._follow(policy.probes if context.settings.probes else ())
        for watch in self._watches.values():
            if watch.running is not None and (sight := watch.running.sight) is not None:
                took_ms, watch.running = watch.running.took_ms, None
                self._unsaid += self._judge(watch, sight)
                self._show(watch, sight, took_ms)
            if watch.running is None and watch.due <= time.monotonic() and self._under_way() < AT_ONCE:
                watch.due = time.monotonic() + watch.probe.every_ms / 1000
                watch.running = _Looking(context, policy, watch.probe)
        self._say()

    def _under_way(self) -> int:
        return sum(watch.running is not None for watch in self._watches.values())

    def stop(self) -> None:
        probes.give_back(self._context.client, self._context.keys, self._context.worker)

    def _follow(self, configured: tuple[Probe, ...]) -> None:
        """A probe that was changed is watched anew; one that is gone is over, and forgotten."""
        if configured == self._configured:
            return
        wanted = {probe.name: probe for probe in configured}
        for name in [name for name, watch in self._watches.items() if wanted.get(name) != watch.probe]:
            watch = self._watches.pop(name)
            if watch.watched.firing and name not in wanted:
                self._unsaid.append(_event(watch.probe, Status.RESOLVED, now_ms(), "it is looked at no more"))
        known = probes.shown(self._context.client, self._context.keys)
        for name in known.keys() - wanted.keys():
            probes.forget(self._context.client, self._context.keys, name)
        for name in wanted.keys() - self._watches.keys():
            self._begin(wanted[name], known.get(name, Seen(at=0, look="", what="")))
        self._configured = configured

    def _begin(self, probe: Probe, known: Seen) -> None:
        """The first look has its time too, however long nobody has looked; one that hangs is missed after it."""
        renewed = replace(known, due_by=_due_by(probe, now_ms()))
        probes.show(self._context.client, self._context.keys, probe.name, renewed)
        self._watches[probe.name] = _Watch(probe, usual_ms=known.usual_ms)

    def _judge(self, watch: _Watch, sight: Sight) -> Iterator[Event]:
        now, probe = now_ms(), watch.probe
        watch.watched, turn = seen(probe, watch.watched, sight.look)
        lasts = watch.watched.firing and sight.look is Look.ILL and now - watch.said_at >= self._again_ms
        if turn is not Turn.NOTHING:
            watch.since_at = now
        if turn is Turn.FIRES or (turn is Turn.NOTHING and lasts):
            watch.said_at = now
            yield _event(probe, Status.FIRING, watch.since_at, sight.what)
        elif turn is Turn.ENDS:
            yield _event(probe, Status.RESOLVED, now, sight.what)
        blind = watch.watched.blind and not sight.unset
        if len(watch.watched.looks) >= probe.of and blind != watch.blind:
            watch.blind = blind
            yield _blindness(probe, now, sight.what, over=not watch.blind)

    def _say(self) -> None:
        """What could not be said is said next time. Raises redis.RedisError."""
        context = self._context
        while self._unsaid:
            signal_ = Signal(at=now_ms(), by=context.worker, event=self._unsaid[0])
            event_log.append(context.client, context.keys, Lane.URGENT, signal_)
            self._unsaid.pop(0)

    def _show(self, watch: _Watch, sight: Sight, took_ms: int) -> None:
        now, probe = now_ms(), watch.probe
        if sight.look is Look.WELL:
            watch.usual_ms += (took_ms - watch.usual_ms) / _USUAL if watch.usual_ms else took_ms
        found = Seen(
            at=now, look=sight.look.value, what=sight.what, firing=watch.watched.firing, since_at=watch.since_at,
            due_by=_due_by(probe, now), unset=sight.unset, took_ms=took_ms, usual_ms=round(watch.usual_ms),
        )  # fmt: skip
        probes.show(self._context.client, self._context.keys, watch.probe.name, found)


def _due_by(probe: Probe, now: int) -> int:
    return now + _MISSED * probe.every_ms + probe.timeout_ms


def _event(probe: Probe, status: Status, at: int, what: str) -> Event:
    firing = status is Status.FIRING
    return Event(
        source=PROBES,
        vendor=OURSELVES,
        kind=probe.kind,
        status=status,
        key=f"probe:{probe.name}",
        title=probe.title,
        summary=what,
        vendor_severity=probe.severity,
        labels={"probe": probe.name, **probe.labels},
        starts_at=at if firing else 0,
        ends_at=0 if firing else at,
    )


def _blindness(probe: Probe, at: int, why: str, *, over: bool) -> Event:
    return Event(
        source=OURSELVES,
        vendor=OURSELVES,
        kind="probe.blind",
        status=Status.RESOLVED if over else Status.FIRING,
        key=f"probe.blind:{probe.name}",
        title=f"Probe {probe.name} can see nothing",
        summary=why,
        labels={"probe": probe.name},
        starts_at=0 if over else at,
        ends_at=at if over else 0,
    )


def main() -> None:
    """As the supervisor's child."""
    logs.configure()
    sentry.start(environment())
    serve(from_env())


def serve(settings: WorkerSettings) -> None:
    """Until SIGTERM or SIGINT."""
    stopping: list[int] = []

    def stop(signum: int, _frame: FrameType | None) -> None:
        stopping.append(signum)

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, stop)
    if not settings.probes:
        logger.info("probes are off: nothing is looked at; TOCSIN_PROBES=on looks")
    keys, client, name = Keys(), connect(settings.ledger), worker_name("prober")
    context = Context(client, keys, settings, environment(), name, lambda: bool(stopping))
    _run(Prober(context), context)


def _run(prober: Prober, context: Context) -> None:
    failed, alive_at = "", float("-inf")
    while not context.stopping():
        try:
            if time.monotonic() - alive_at >= PULSE_S:
                pulse.show(context.client, context.keys, context.worker, now_ms())
                alive_at = time.monotonic()
            prober.turn()
            failed = ""
        except (RedisError, NoPolicy) as error:
            if failed != str(error):
                logger.warning("probes wait", error=str(error))
            failed = str(error)
        time.sleep(TURN_S)
    try:
        prober.stop()
    except RedisError as error:
        logger.warning("another prober has to wait", error=str(error))
