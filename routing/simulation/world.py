"""The world of a scenario: providers, workers and people who answer as it says."""

from routing.delivery import Purpose
from routing.effect import AnyEffect, Deliver, Step
from routing.entry import Answer, AnyEntry, Claimed, Delivered, Outcome, StepDone
from routing.instant import MINUTE
from routing.simulation.scenario import Answering, Behaviour

# Named once, as in `routing.draft`: asked for again and again.
_NO_WORKER, _DIES, _OK = Answering.NO_WORKER, Answering.DIES, Answering.OK
_OUTCOME_OK = Outcome.OK

CLAIM_MS = 5
ANSWER_MS = 1_000
"""A provider's usual answer."""

_ASKING = frozenset({Purpose.PAGE, Purpose.APPROVAL, Purpose.NOTICE})
"""What people answer; they do not reply to what they are only told."""


class World:
    """Answers each effect by the first behaviour that fits; without one, messages arrive and nobody reacts.

    A runbook step that nothing is said about fails for good: inventing its facts would prove nothing.
    """

    def __init__(self, start_at: int, behaviours: tuple[Behaviour, ...]) -> None:
        self._start_at = start_at
        self._behaviours = behaviours

    def __call__(self, effect: AnyEffect, now: int) -> list[tuple[int, AnyEntry]]:
        """Entries, each with its delay in ms."""
        found = self._behaviour(effect, now - self._start_at)
        answering = found.answers if found else _OK
        if answering is _NO_WORKER:
            return []
        timeout = effect.timeout_ms if isinstance(effect, Step) else MINUTE // 4
        claimed = Claimed(at=now + CLAIM_MS, effect=effect.id, attempt=effect.attempt, timeout_ms=timeout)
        if answering is _DIES:
            return [(CLAIM_MS, claimed)]
        outcome = Outcome(answering.value)
        if isinstance(effect, Deliver):
            return _delivered(effect, found, outcome, now, claimed)
        return [(CLAIM_MS, claimed), _stepped(effect, found, outcome, now)]

    def _behaviour(self, effect: AnyEffect, after_ms: int) -> Behaviour | None:
        for each in self._behaviours:
            if _fits(each, effect, after_ms):
                return each
        return None


def _fits(behaviour: Behaviour, effect: AnyEffect, after_ms: int) -> bool:
    if not behaviour.from_ms <= after_ms < behaviour.until_ms:
        return False
    of_step = bool(behaviour.action or behaviour.step)
    if isinstance(effect, Deliver):
        fitting = behaviour.channel in ("", effect.channel) and behaviour.contact in ("", effect.contact)
        return fitting and not of_step
    return of_step and behaviour.action in {"", effect.action} and behaviour.step in {"", effect.step}


def _delivered(
    effect: Deliver, found: Behaviour | None, outcome: Outcome, now: int, claimed: Claimed
) -> list[tuple[int, AnyEntry]]:
    ok = outcome is _OUTCOME_OK
    delivered = Delivered(
        at=now + ANSWER_MS, delivery=effect.id, attempt=effect.attempt, outcome=outcome,
        error="" if ok else f"{effect.channel}: {outcome} in this scenario",
        provider_id=f"{effect.channel}-{effect.id}-{effect.attempt}" if ok else "",
    )  # fmt: skip
    told: list[tuple[int, AnyEntry]] = [(CLAIM_MS, claimed), (ANSWER_MS, delivered)]
    if ok and found and found.says and effect.purpose in _ASKING:
        after = ANSWER_MS + found.after_ms
        answer = Answer(at=now + after, channel=effect.channel, text=found.says, delivery=effect.id)
        told.append((after, answer))
    return told


def _stepped(effect: Step, found: Behaviour | None, outcome: Outcome, now: int) -> tuple[int, AnyEntry]:
    if found is None and not effect.dry_run:
        outcome = Outcome.PERMANENT
    error = (
        f"{effect.action}: {outcome} in this scenario" if found else "the scenario does not say what it gives"
    )
    return ANSWER_MS, StepDone(
        at=now + ANSWER_MS, run=effect.run, step=effect.step, attempt=effect.attempt, outcome=outcome,
        output=found.gives if found and outcome is _OUTCOME_OK else None,
        error="" if outcome is _OUTCOME_OK else error,
    )  # fmt: skip
