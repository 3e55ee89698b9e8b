"""The fold of the log into the state, entry by entry; one that cannot be folded stops no other."""

import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog
from redis import RedisError

from routing.decision import Bury, Decision
from routing.entry import AnyEntry, Lane, PolicySet, decode_entry
from routing.incident import Verdict
from routing.policy import Policy
from routing.reason import Reason
from routing.state import State
from workers.patience import TooSlow, patience

BATCH_S: Final = 0.05
"""A batch ends after this long, so that what is urgent waits no longer."""
BATCH: Final = 400
ENTRY_S: Final = 5.0
"""A fold that takes longer than this is taken to be endless."""

Decide = Callable[[Policy, State, AnyEntry, str, int], Decision]
Found = Mapping[Lane, Sequence[tuple[str, bytes]]]

log = structlog.get_logger(__name__)


class Policies(Protocol):
    """Compiled policies by version. Raises ConfigError or KeyError for one that is not there."""

    def by_version(self, version: str) -> Policy: ...


class Spoiled(Exception):
    """The cached state may be half changed: it must be loaded again. `entry` is to be set aside."""

    def __init__(self, entry: str, why: str) -> None:
        super().__init__(f"{entry}: {why}")
        self.entry = entry
        self.why = why


@dataclass(slots=True)
class Batch:
    """What one commit writes."""

    decided: list[tuple[Lane, str, Decision]] = field(default_factory=list)
    cursor: dict[Lane, str] = field(default_factory=dict)
    full: bool = False
    """It ended before what was read did."""

    def __len__(self) -> int:
        return len(self.decided)

    @property
    def effects(self) -> list[str]:
        """Ids of what it hands out."""
        return [effect.id for _, _, decision in self.decided for effect in decision.effects]


class Fold:
    """The state and the policy that decides now. `aside`: entries that spoiled an earlier try, with why."""

    def __init__(
        self,
        state: State,
        policy: Policy,
        policies: Policies,
        decide: Decide,
        aside: Mapping[str, str],
        entry_s: float = ENTRY_S,
    ) -> None:
        self.state = state
        self.policy = policy
        self._policies = policies
        self._decide = decide
        self._aside = aside
        self._entry_s = entry_s
        self._under_way = ""

    def batch(self, found: Found, now: int, *, most: int = BATCH) -> Batch:
        """Fold what was read, by priority, until the batch is full or its time is over.

        `now` (ms) is the instant everything in it is decided at. Raises Spoiled.
        """
        batch = Batch()
        try:
            with patience(self._entry_s):
                self._fill(batch, found, now, most)
        except TooSlow as error:
            raise Spoiled(self._under_way, str(error)) from error
        return batch

    def _fill(self, batch: Batch, found: Found, now: int, most: int) -> None:
        until = time.monotonic() + BATCH_S
        for lane in Lane:
            for entry_id, raw in found.get(lane, ()):
                batch.decided.append((lane, entry_id, self._one(entry_id, raw, now)))
                batch.cursor[lane] = entry_id
                if len(batch) >= most or time.monotonic() > until:
                    batch.full = True
                    return

    def _one(self, entry_id: str, raw: bytes, now: int) -> Decision:
        self._under_way = entry_id
        if entry_id in self._aside:
            return undecidable(entry_id, raw, self._aside[entry_id], now)
        try:
            entry = decode_entry(raw)
            policy = self._policy_for(entry)
            decision = self._decide(policy, self.state, entry, entry_id, now)
        except (RedisError, TooSlow):
            raise
        except Exception:  # any fault of one entry is that entry's alone
            log.exception("entry set aside as undecidable", entry=entry_id)
            return undecidable(entry_id, raw, traceback.format_exc(), now)
        self._apply(entry_id, decision)
        self.policy = policy
        return decision

    def _policy_for(self, entry: AnyEntry) -> Policy:
        return self._policies.by_version(entry.version) if isinstance(entry, PolicySet) else self.policy

    def _apply(self, entry_id: str, decision: Decision) -> None:
        try:
            self.state.apply(decision)
        except Exception as error:
            raise Spoiled(entry_id, traceback.format_exc()) from error


def undecidable(entry_id: str, raw: bytes, why: str, now: int) -> Decision:
    """The entry becomes a dead letter, and the cursor moves past it."""
    said = why.strip().rsplit("\n", maxsplit=1)[-1]
    return Decision(
        changes=(Bury(kind="undecidable", subject=entry_id, incident="", error=why, raw=raw),),
        verdict=Verdict(at=now, did="undecidable", reasons=[Reason(text=f"its fold failed: {said}")]),
    )
