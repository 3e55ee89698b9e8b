"""The rest of events: vendors are asked for what they only hinted at, and the whole is handed in at our front door.

What cannot be got after a few tries is said so, and the event is decided on what it has. Both are harmless twice.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import redis
import structlog

from ledger import catalogue, policies, tally, turns, wire
from ledger import log as ledger_log
from ledger.clock import now_ms
from ledger.handing import RETRIEVAL, Handed
from ledger.keys import Keys
from routing.alerts.hints import Hint
from routing.decision import Table
from routing.entry import Lane, Outcome, Unretrieved
from routing.errors import ActionError
from routing.policy import Policy
from routing.ports import Step
from routing.record import decode
from workers import credentials, handing_in

EVERY_S: Final = 0.5
TIMEOUT_S: Final = 10.0
WAITS_S: Final = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Between tries; after the last there is no other."""
HOLD_MS: Final = 30_000
_AT_ONCE: Final = 8
_MOST: Final = 64
"""Of one round; what is left follows."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Tries:
    """Of one event; `due` in the clock's seconds."""

    count: int = 0
    due: float = 0.0


class Retrieving:
    """`environ` holds the vendors' keys and what signs; `front_door` is the receiver's address."""

    def __init__(
        self, client: redis.Redis, keys: Keys, environ: Mapping[str, str], worker: str, front_door: str,
        clock: Callable[[], float] = time.monotonic, timeout_s: float = TIMEOUT_S,
    ) -> None:  # fmt: skip
        self._client = client
        self._keys = keys
        self._environ = environ
        self._worker = worker
        self._door = handing_in.Door(front_door, environ, timeout_s)
        self._clock = clock
        self._timeout_s = timeout_s
        self._tries: dict[str, _Tries] = {}

    def round(self) -> None:
        """Ask for the rest of whatever waits for it and is due. Raises redis.RedisError."""
        hints = dict(self._waiting())
        self._tries = {name: self._tries.get(name, _Tries()) for name in hints}
        if not hints or not turns.mine(self._client, self._keys.retrieving, self._worker, HOLD_MS):
            return
        policy = policies.current(self._client, self._keys)
        due = [name for name, tries in self._tries.items() if tries.due <= self._clock()][:_MOST]
        if policy is None or not due:
            return
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for name, failed in zip(
                due, pool.map(lambda each: self._ask(policy, each, hints[each]), due), strict=True
            ):
                if failed is not None:
                    self._failed(name, hints[name], failed)
                else:
                    self._tries[name].due = self._clock() + WAITS_S[-1]  # until its entry is folded
                    self._count(hints[name], "retrieved")

    def _waiting(self) -> Iterator[tuple[str, Hint]]:
        found: dict[bytes, bytes] = wire.call(self._client, "HGETALL", self._keys.state(Table.HINT))
        for name, raw in sorted(found.items()):
            yield wire.text(name), decode(Hint, raw)

    def _ask(self, policy: Policy, name: str, hint: Hint) -> ActionError | None:
        """What went wrong; None once the whole is in the log."""
        try:
            self._retrieve(policy, name, hint)
        except ActionError as error:
            return error
        except (KeyError, ValueError, TimeoutError) as error:
            return ActionError(f"{type(error).__name__}: {error}")
        return None

    def _retrieve(self, policy: Policy, name: str, hint: Hint) -> None:
        """Raises ActionError, KeyError, ValueError, TimeoutError."""
        source = policy.sources.get(hint.event.source)
        module: Any = catalogue.poller(hint.event.vendor)
        if source is None or not source.poll or not hasattr(module, "retrieve"):
            raise ActionError("its vendor is asked no more")
        resolved = credentials.resolve(source.poll, self._environ)
        if unset := resolved.missing or self._door.unset:
            raise ActionError(f"{', '.join(unset)} not set")
        settings = module.Settings.model_validate(dict(resolved.values))
        step = Step(credentials.as_text(resolved.values), self._timeout_s, "", now_ms())
        whole = module.retrieve(step, settings, hint.event)
        if not self._door.post(source.name, whole, Handed(RETRIEVAL, name)).taken:
            raise ActionError("our own receiver does not take it")

    def _failed(self, name: str, hint: Hint, error: ActionError) -> None:
        tries = self._tries[name]
        lasts = error.outcome is Outcome.PERMANENT or tries.count >= len(WAITS_S)
        if lasts or error.retry_after_ms / 1000 > WAITS_S[-1]:
            log.warning("the rest of an event cannot be retrieved", entry=name, reason=str(error))
            self._count(hint, "given_up")
            entry = Unretrieved(at=now_ms(), by=self._worker, event=name, why=str(error)[:500])
            ledger_log.append(self._client, self._keys, Lane.CONTROL, entry)
            tries.due = self._clock() + WAITS_S[-1]
            return
        tries.due = self._clock() + max(WAITS_S[tries.count], error.retry_after_ms / 1000)
        tries.count += 1

    def _count(self, hint: Hint, outcome: str) -> None:
        tally.count(
            self._client, self._keys, "tocsin_retrieved_total", source=hint.event.source, outcome=outcome
        )
