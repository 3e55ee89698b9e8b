"""Guard rails of automation: cooldown, budget and circuit breaker per runbook and target, budgets over all targets.

The lock on a target and the cap on how many change something at once are claimed in the ledger when a mutating step
starts.
"""

from collections.abc import Sequence

import msgspec

from routing.instant import DAY, HOUR, iso
from routing.policy import Budget, Limits
from routing.run import TargetRecord


class Purse(msgspec.Struct, frozen=True):
    """A budget over all targets: `whose` says of what, `record` what was spent of it."""

    whose: str
    budget: Budget
    record: TargetRecord


class Permit(msgspec.Struct, frozen=True):
    """`refusal` is "" when the run may start; then `records` are what to remember of its start."""

    refusal: str
    records: Sequence[TargetRecord] = ()


def permit(
    record: TargetRecord, limits: Limits, purses: Sequence[Purse], run: str, now: int, *, stopped: str
) -> Permit:
    """May this runbook run against this target now? Says why not. `stopped`: why nothing may, "" when it may."""
    refusal = stopped or _resting(record, limits, now)
    refusal = refusal or _spent(record, Budget(limits.per_hour, limits.per_day), "", now)
    for purse in purses:
        refusal = refusal or _spent(purse.record, purse.budget, f" of {purse.whose}, over all targets,", now)
    if refusal:
        return Permit(refusal)
    probing = run if record.open_until else ""
    started = msgspec.structs.replace(record, started=[*_recent(record, now), now], probing=probing)
    spent = [
        msgspec.structs.replace(purse.record, started=[*_recent(purse.record, now), now]) for purse in purses
    ]
    return Permit("", (started, *spent))


def _recent(record: TargetRecord, now: int) -> list[int]:
    return [at for at in record.started if at > now - DAY]


def _resting(record: TargetRecord, limits: Limits, now: int) -> str:
    if record.open_until > now:
        return f"breaker open until {iso(record.open_until)} after {record.failures} failed repairs"
    if record.open_until and record.probing:
        return f"breaker half open: {record.probing} is the probe under way"
    last = max(record.started, default=now - limits.cooldown_ms)
    if now - last < limits.cooldown_ms:
        return f"cooldown: it last ran at {iso(last)} and rests until {iso(last + limits.cooldown_ms)}"
    return ""


def _spent(record: TargetRecord, budget: Budget, whose: str, now: int) -> str:
    recent = _recent(record, now)
    if sum(at > now - HOUR for at in recent) >= budget.per_hour:
        return f"budget: {budget.per_hour} runs an hour{whose} are used up"
    if len(recent) >= budget.per_day:
        return f"budget: {budget.per_day} runs a day{whose} are used up"
    return ""


def says_nothing(record: TargetRecord, now: int) -> bool:
    """Without it everything would be allowed and refused as with it."""
    return not (_recent(record, now) or record.failures or record.open_until or record.probing)


def succeeded(record: TargetRecord) -> TargetRecord:
    """A verified repair closes the breaker."""
    return msgspec.structs.replace(record, failures=0, open_until=0, probing="")


def failed(record: TargetRecord, limits: Limits, now: int) -> TargetRecord:
    """A failed probe opens the breaker again at once; otherwise enough failures in a row do."""
    failures = record.failures + 1
    trips = bool(record.probing) or failures >= limits.breaker_failures
    open_until = now + limits.breaker_open_ms if trips else record.open_until
    return msgspec.structs.replace(record, failures=failures, open_until=open_until, probing="")


def ended(record: TargetRecord) -> TargetRecord:
    """It stopped without having tried: the breaker learns nothing, the probe's place is free again."""
    return msgspec.structs.replace(record, probing="")
