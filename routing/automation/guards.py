"""Guard rails of automation, per runbook and target: cooldown, budgets, circuit breaker.

The lock on a target and the global cap are claimed in the ledger when a mutating step starts.
"""

from dataclasses import dataclass

import msgspec

from routing.instant import DAY, HOUR, iso
from routing.policy import Limits
from routing.run import TargetRecord


@dataclass(frozen=True, slots=True)
class Permit:
    """`refusal` is "" when the run may start; then `record` is what to remember of its start."""

    refusal: str
    record: TargetRecord


def permit(record: TargetRecord, limits: Limits, run: str, now: int, *, stopped: str) -> Permit:
    """May this runbook run against this target now? Says why not. `stopped`: why nothing may, "" when it may."""
    recent = [at for at in record.started if at > now - DAY]
    refusal = stopped or _refusal(record, recent, limits, now)
    if refusal:
        return Permit(refusal, record)
    probing = run if record.open_until else ""
    return Permit("", msgspec.structs.replace(record, started=[*recent, now], probing=probing))


def _refusal(record: TargetRecord, recent: list[int], limits: Limits, now: int) -> str:
    if record.open_until > now:
        return f"breaker open until {iso(record.open_until)} after {record.failures} failed repairs"
    if record.open_until and record.probing:
        return f"breaker half open: {record.probing} is the probe under way"
    if recent and now - recent[-1] < limits.cooldown_ms:
        rests = iso(recent[-1] + limits.cooldown_ms)
        return f"cooldown: it last ran at {iso(recent[-1])} and rests until {rests}"
    if len([at for at in recent if at > now - HOUR]) >= limits.per_hour:
        return f"budget: {limits.per_hour} runs an hour are used up"
    if len(recent) >= limits.per_day:
        return f"budget: {limits.per_day} runs a day are used up"
    return ""


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
