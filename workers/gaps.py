"""What we missed is found: vendors are asked for it, and what they tell goes in at our own front door.

There it is read, known again by its vendor's id and kept as if the vendor had posted it; so what had come after all
changes nothing, and a look that is repeated, by two processes or after a death, does no harm.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import redis
import structlog
from msgspec.structs import replace

from ledger import catalogue, gaps, policies, tally, turns
from ledger import log as ledger_log
from ledger.clock import now_ms
from ledger.gaps import Gap
from ledger.keys import Keys
from routing.entry import Lane, Outcome, Signal
from routing.errors import ActionError
from routing.instant import MINUTE, SECOND
from routing.policy import Source
from routing.ports import Missed, PollerModule, Step, Window
from workers import credentials, handing_in, way_in
from workers.polling import Polling

EVERY_S: Final = 2.0
TIMEOUT_S: Final = 20.0
HOLD_MS: Final = 120_000
"""So long after its death another process asks."""
SOON_MS: Final = 10 * SECOND
"""When a look goes on that did not come to its end."""
_AGAIN_MS: Final = 15 * SECOND
_LONGEST_MS: Final = 15 * MINUTE
_REMEMBERED: Final = 5_000

log = structlog.get_logger(__name__)


class Gaps:
    """`environ` holds the vendors' keys and what signs; `front_door` is the receiver's address; `clock` counts ms."""

    def __init__(
        self, client: redis.Redis, keys: Keys, environ: Mapping[str, str], worker: str, front_door: str,
        clock: Callable[[], int] = now_ms, timeout_s: float = TIMEOUT_S,
    ) -> None:  # fmt: skip
        self._client = client
        self._keys = keys
        self._environ = environ
        self._worker = worker
        self._door = handing_in.Door(front_door, environ, timeout_s)
        self._clock = clock
        self._timeout_s = timeout_s
        self._known: dict[str, dict[str, None]] = {}

    def round(self) -> None:
        """Ask every vendor that is due. Raises redis.RedisError."""
        policy = policies.current(self._client, self._keys)
        if policy is None:
            return
        asked = {source.name: source for source in policy.sources.values() if source.poll}
        wanted = gaps.wanted(self._client, self._keys)
        for source in asked.values():
            self._turn(source, wanted=source.name in wanted)
        for name, gap in gaps.all_of(self._client, self._keys).items():
            if name not in asked:
                self._say(name, gap.troubles, {})
                gaps.forget(self._client, self._keys, name)

    def _turn(self, source: Source, *, wanted: bool) -> None:
        gap = gaps.of(self._client, self._keys, source.name)
        if not wanted and self._clock() < gap.next_at:
            return
        key = self._keys.polling(source.name)
        if not turns.mine(self._client, key, self._worker, HOLD_MS):
            return
        try:
            gap = gaps.of(self._client, self._keys, source.name)
            if wanted or self._clock() >= gap.next_at:  # nobody did it meanwhile
                gaps.begun(self._client, self._keys, source.name)
                self._look(source, gap)
        finally:
            turns.give_back(self._client, key, self._worker)

    def _look(self, source: Source, gap: Gap) -> None:
        module = catalogue.poller(source.vendor)
        resolved = credentials.resolve(source.poll, self._environ)
        unset = resolved.missing or self._door.unset
        try:
            settings = None if unset else module.Settings.model_validate(dict(resolved.values))
        except ValueError as error:
            self._failed(source, gap, ActionError(str(error)), Polling())
            return
        if not isinstance(settings, Polling):
            off = f"{', '.join(unset)} not set"
            # Looked at again soon: a new process has what the last one had not.
            self._keep(
                source, replace(gap, off=off, reason="", failing_since=0, next_at=self._clock() + SOON_MS)
            )
            return
        step = Step(credentials.as_text(resolved.values), self._timeout_s, "", self._clock())
        try:
            self._ask(source, replace(gap, off=""), module, settings, step)
        except (ActionError, TimeoutError) as error:
            failed = (
                error
                if isinstance(error, ActionError)
                else ActionError(str(error), outcome=Outcome.TEMPORARY)
            )
            self._failed(source, gaps.of(self._client, self._keys, source.name), failed, settings)

    def _ask(self, source: Source, gap: Gap, module: PollerModule, settings: Polling, step: Step) -> None:
        """Raises ActionError; what was handed in by then is not asked for again."""
        window = self._window(gap, module, settings)
        gap = replace(gap, looked_at=self._clock(), from_at=window.since_at, until_at=window.until_at)
        known = self._known.setdefault(source.name, {})
        for _ in range(settings.pages):
            page = module.page(step, settings, window, known)
            gap = self._hand_in(source, gap, [each for each in reversed(page.missed) if each.id not in known])
            window = window._replace(after=page.after)
            gap = replace(gap, after=page.after)
            self._keep(source, gap)
            if not page.after:
                break
        if window.after:
            self._keep(source, self._well(source, gap, min(SOON_MS, settings.every)))
            return
        troubles = self._troubles(source, gap, module, settings, step)
        self._say(source.name, gap.troubles, troubles)
        done = replace(gap, since_at=window.until_at, from_at=0, until_at=0, missed=0, troubles=troubles)
        self._keep(source, self._well(source, done, settings.every))

    def _window(self, gap: Gap, module: PollerModule, settings: Polling) -> Window:
        if gap.after:
            return Window(gap.from_at, gap.until_at, gap.after)
        until = self._clock() - module.GRACE_MS
        first = module.FIRST_MS if settings.first is None else settings.first
        since = gap.since_at - module.OVERLAP_MS if gap.since_at else until - first
        return Window(min(since, until), until)

    def _hand_in(self, source: Source, gap: Gap, missed: list[Missed]) -> Gap:
        """Oldest first. Raises ActionError."""
        known = self._known[source.name]
        for each in missed:
            if not turns.mine(self._client, self._keys.polling(source.name), self._worker, HOLD_MS):
                raise ActionError("another process asks now", outcome=Outcome.TEMPORARY)
            before = self._server_ms()
            kept = self._door.post(source.name, each)
            new = kept.new(before)
            known[each.id] = None
            gap = replace(
                gap, found=gap.found + new, missed=gap.missed + new, refused=gap.refused + (not kept.taken)
            )
            if new:
                gap = replace(gap, found_at=self._clock())
                self._count(source, "found")
            else:
                self._count(source, "known" if kept.taken else "refused")
        for old in list(known)[:-_REMEMBERED]:
            del known[old]
        return gap

    def _server_ms(self) -> int:
        """By the clock that gives entries their ids."""
        seconds, micros = self._client.time()
        return int(seconds) * 1000 + int(micros) // 1000

    def _troubles(
        self, source: Source, gap: Gap, module: PollerModule, settings: Polling, step: Step
    ) -> dict[str, str]:
        """Raises ActionError."""
        ask: Any = getattr(module, "troubles", None)
        found = (
            {f"endpoint:{name}": why for name, why in ask(step, settings, source.name).items()} if ask else {}
        )
        if gap.missed:
            events = "1 event" if gap.missed == 1 else f"{gap.missed} events"
            found["missed"] = f"{module.TITLE} did not bring {events}; found by asking, and taken in now"
        return found

    def _say(self, source: str, before: Mapping[str, str], now: Mapping[str, str]) -> None:
        """What was said twice is the same alert. Raises redis.RedisError."""
        for event in way_in.events(source, before, now, self._clock()):
            signal = Signal(at=now_ms(), by=self._worker, event=event)
            ledger_log.append(self._client, self._keys, Lane.BULK, signal)

    def _well(self, source: Source, gap: Gap, again_ms: int) -> Gap:
        if gap.failing_since:
            log.info("the vendor can be asked again", source=source.name)
        next_at = self._clock() + again_ms
        return replace(gap, next_at=next_at, failures=0, failing_since=0, reason="")

    def _failed(self, source: Source, gap: Gap, error: ActionError, settings: Polling) -> None:
        """Ever more rarely, and no sooner than it was asked for."""
        if gap.reason != str(error):
            log.warning("the vendor cannot be asked what we missed", source=source.name, reason=str(error))
        now, failures = self._clock(), gap.failures + 1
        wait = min(_AGAIN_MS * 2 ** min(gap.failures, 10), _LONGEST_MS)
        if error.outcome is Outcome.PERMANENT:
            wait = max(wait, settings.every)
            gap = replace(
                gap, after=""
            )  # should the place in its list be what it refuses, the list begins anew
        self._count(source, "failed")
        self._keep(source, replace(
            gap, looked_at=now, next_at=now + max(wait, error.retry_after_ms), failures=failures,
            failing_since=gap.failing_since or now, reason=str(error)[:500], off="",
        ))  # fmt: skip

    def _keep(self, source: Source, gap: Gap) -> None:
        gaps.keep(self._client, self._keys, source.name, gap)

    def _count(self, source: Source, outcome: str) -> None:
        tally.count(self._client, self._keys, "tocsin_polled_total", source=source.name, outcome=outcome)
