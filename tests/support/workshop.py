"""What a deliver or remediate worker has at hand, with a policy made by hand and effects put into the outbox."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import small_policy
from notices import MESSAGE
from redis import Redis

from ledger import log, wire
from ledger.keys import Keys
from ledger.settings import LedgerSettings
from routing.delivery import Purpose
from routing.effect import AnyEffect, Deliver, Step
from routing.entry import AnyEntry, Claimed, Delivered, Lane, StepDone, decode_entry
from routing.policy import Channel, Policy, Setting
from routing.severity import Severity
from workers.context import Context
from workers.settings import WorkerSettings

LINK_SECRET = "a-link-secret"


@dataclass
class Bench(Context):
    """A context whose policy is given instead of published."""

    given: Policy = small_policy.POLICY

    def policy(self) -> Policy:
        return self.given

    def put(self, effect: AnyEffect) -> AnyEffect:
        """Into the outbox, as a commit does."""
        self.client.hset(self.keys.outbox, effect.id, msgspec.json.encode(effect))
        return effect

    def said(self) -> list[AnyEntry]:
        """What workers have appended to the control lane, oldest first."""
        found = log.read(self.client, self.keys, {Lane.CONTROL: ""}, 1000, 0)
        return [decode_entry(raw) for _, raw in found.get(Lane.CONTROL, [])]

    def counted(self) -> dict[str, int]:
        """What workers have counted for /metrics."""
        counters = self.client.hgetall(self.keys.metrics)
        return {wire.text(name): int(value) for name, value in counters.items()}

    def delivered(self) -> Delivered:
        claimed, answer = self.said()[-2:]
        assert isinstance(claimed, Claimed)
        assert isinstance(answer, Delivered)
        return answer

    def done(self) -> StepDone:
        claimed, answer = self.said()[-2:]
        assert isinstance(claimed, Claimed)
        assert isinstance(answer, StepDone)
        return answer


def bench(
    redis: Redis,
    *,
    channels: Mapping[str, tuple[str, Mapping[str, Setting]]] | None = None,
    actions: Mapping[str, Setting] | None = None,
    environ: Mapping[str, str] | None = None,
    **changes: Any,
) -> Bench:
    """`channels`: name -> (vendor, settings). `actions`: family -> settings."""
    made = {
        name: Channel(name, vendor, dict(settings), small_policy.HERE, timeout_ms=2_000)
        for name, (vendor, settings) in (channels or {}).items()
    }
    return Bench(
        client=redis,
        keys=Keys(),
        settings=WorkerSettings(ledger=LedgerSettings()),
        environ={"TOCSIN_LINK_SECRET": LINK_SECRET, **(environ or {})},
        worker="w1",
        given=replace(small_policy.POLICY, channels=made, settings=dict(actions or {}), **changes),
    )


def page(channel: str = "sms", **changes: Any) -> Deliver:
    fields: dict[str, Any] = {
        "id": "INC-1-d1",
        "attempt": 1,
        "incident": "INC-1",
        "contact": "anna",
        "channel": channel,
        "address": "+48500000001",
        "purpose": Purpose.PAGE,
        "severity": Severity.SEV0,
        "message": MESSAGE,
    }
    return Deliver(**{**fields, **changes})


def rollback(**changes: Any) -> Step:
    fields: dict[str, Any] = {
        "id": "INC-1-r1/rollback",
        "attempt": 1,
        "incident": "INC-1",
        "run": "INC-1-r1",
        "step": "rollback",
        "action": "vercel.rollback",
        "params": {"project": "prj_1", "to": "dpl_good"},
        "timeout_ms": 2_000,
        "mutates": True,
        "lock": "vercel:site",
    }
    return Step(**{**fields, **changes})
