"""A policy made by hand: small enough to know by heart, complete enough for every path of the fold."""

from dataclasses import replace
from typing import Any

from routing.effect import AnyEffect, Deliver
from routing.entry import AnyEntry, Claimed, Delivered, Outcome, Signal, StepDone
from routing.event import Event, Status
from routing.instant import DAY, HOUR, MINUTE, SECOND
from routing.language import matchers
from routing.policy import (
    Channel,
    Contact,
    EscalationPolicy,
    EscalationStep,
    Guard,
    Layer,
    Limits,
    Method,
    Policy,
    Rotation,
    Route,
    Runbook,
    RunbookStep,
    Schedule,
    SeverityRule,
    Source,
    Threshold,
    Verify,
)
from routing.reason import Origin
from routing.severity import Level, Severity

START = 1_764_000_000_000
HERE = Origin("config/test.yaml", 7)


def _contact(name: str) -> Contact:
    voice, sms, mail = (
        Method("voice", f"+48500{len(name):06d}{ord(name[0]) % 10}"),
        Method("sms", f"+48500{len(name):06d}{ord(name[0]) % 10}"),
        Method("mail", f"{name}@example.com"),
    )
    return Contact(
        name=name,
        title=name.title(),
        timezone="Europe/Warsaw",
        methods=(voice, sms, mail),
        by_severity={
            Severity.SEV0: (voice, sms),
            Severity.SEV1: (voice, sms),
            Severity.SEV2: (sms,),
            Severity.SEV3: (mail,),
            Severity.SEV4: (mail,),
        },
        quiet=(sms, mail),
        origin=HERE,
    )


def _rule(name: str, match: str, severity: Severity, handling: str = "alert") -> SeverityRule:
    return SeverityRule(
        name=name,
        matchers=matchers.parse_all(match),
        origin=HERE,
        severity=severity,
        handling=handling,
        reason=name,
        service="site",
        team="platform",
    )


def _step(name: str, action: str, *, mutates: bool = False, **params: Any) -> RunbookStep:
    return RunbookStep(
        id=name, action=action, params=params, timeout_ms=10 * SECOND, mutates=mutates, origin=HERE
    )


ROLLBACK = Runbook(
    id="rollback",
    version=1,
    title="Roll back production",
    matchers=matchers.parse_all('kind=~"site-down|api-broken"'),
    target="vercel:{{ incident.service }}",
    mode="auto",
    limits=Limits(),
    timeout_ms=10 * MINUTE,
    diagnose=(
        _step("health", "http.probe", url="https://site.example", count=3),
        _step("deployments", "vercel.deployments", project="prj_1"),
    ),
    guards=(
        Guard("health.failures >= `3`", "the site must be failing three times", "stop", HERE),
        Guard("deployments.current.age_minutes < `60`", "a young deployment is needed", "stop", HERE),
    ),
    remediate=(_step("rollback", "vercel.rollback", mutates=True, to="{{ deployments.candidate.uid }}"),),
    verify=Verify(
        step=_step("verify", "http.probe", url="https://site.example", count=1),
        until="ok",
        every_ms=15 * SECOND,
        for_ms=60 * SECOND,
        timeout_ms=5 * MINUTE,
    ),
    origin=HERE,
    followups=(("promote a fixed deployment again", 24 * HOUR),),
    when_severity=(Severity.SEV0, Severity.SEV1),
)

POLICY = Policy(
    version="p1",
    levels={
        Severity.SEV0: Level(Severity.SEV0, "outage", 5 * MINUTE, HOUR, 0, 30 * MINUTE),
        Severity.SEV1: Level(Severity.SEV1, "major", 15 * MINUTE, 4 * HOUR, 5 * MINUTE, HOUR),
        Severity.SEV2: Level(Severity.SEV2, "partial", HOUR, 24 * HOUR, 5 * MINUTE, None),
        Severity.SEV3: Level(Severity.SEV3, "minor", 4 * HOUR, 72 * HOUR, 0, None),
        Severity.SEV4: Level(Severity.SEV4, "cosmetic", 24 * HOUR, None, 0, None),
    },
    sources={"am": Source("am", "alertmanager", (), HERE), "stripe": Source("stripe", "stripe", (), HERE)},
    rules=(
        _rule("outage", 'kind="site-down"', Severity.SEV0),
        _rule("major", 'kind=~"api-broken|worse"', Severity.SEV1),
        _rule("deploys", 'kind="deployment.succeeded"', Severity.SEV4, "deploy"),
        _rule("failed builds", 'kind="deployment.error"', Severity.SEV3),
        _rule("failed cards", 'kind="payment_intent.payment_failed"', Severity.SEV4, "record"),
    ),
    thresholds=(
        Threshold(
            name="payments-failing",
            matchers=matchers.parse_all('kind="payment_intent.payment_failed"'),
            count=20,
            window_ms=5 * MINUTE,
            quiet_ms=10 * MINUTE,
            severity=Severity.SEV1,
            title="Payments are failing",
            origin=HERE,
            service="checkout",
        ),
    ),
    route=Route(
        name="root",
        matchers=(),
        escalation="oncall",
        group_by=("service",),
        reopen_ms=30 * MINUTE,
        origin=HERE,
        inform=(("contact", "room"),),
        routes=(
            Route(
                name="quiet",
                matchers=matchers.parse_all('severity=~"SEV-3|SEV-4"'),
                escalation="room",
                group_by=("service", "kind"),
                reopen_ms=30 * MINUTE,
                origin=HERE,
                inform=(("contact", "room"),),
            ),
        ),
    ),
    escalations={
        "oncall": EscalationPolicy(
            "oncall",
            (
                EscalationStep((("schedule", "primary"),), 5 * MINUTE, HERE),
                EscalationStep((("contact", "bob"),), 10 * MINUTE, HERE),
            ),
            repeat=1,
            origin=HERE,
        ),
        "room": EscalationPolicy(
            "room", (EscalationStep((("contact", "room"),), 4 * HOUR, HERE),), repeat=0, origin=HERE
        ),
    },
    schedules={
        "primary": Schedule(
            "primary",
            "Europe/Warsaw",
            (
                Layer(
                    "rotation", Rotation((("anna",), ("carol",)), "2025-11-10T09:00"), "Europe/Warsaw", HERE
                ),
            ),
            HERE,
        )
    },
    contacts={
        **{name: _contact(name) for name in ("anna", "bob", "carol", "cto")},
        "room": replace(
            _contact("room"),
            methods=(Method("mail", "room@example.com"),),
            by_severity={},
            quiet=(Method("mail", "room@example.com"),),
        ),
    },
    channels={
        "voice": Channel("voice", "twilio_voice", {}, HERE, voice=True),
        "sms": Channel("sms", "twilio_sms", {}, HERE),
        "mail": Channel("mail", "email", {}, HERE),
    },
    runbooks=(ROLLBACK,),
    last_resort="cto",
    last_resort_every_ms=15 * MINUTE,
    public_url="https://tocsin.example",
    suspect_ms=HOUR,
    retire_ms=7 * DAY,
    max_running=3,
)


def firing(kind: str = "site-down", *, at: int = START, key: str = "k", **more: Any) -> Signal:
    event = Event(
        source="am", vendor="alertmanager", kind=kind, status=Status.FIRING, key=key, title=kind, **more
    )
    return Signal(at=at, event=event)


def resolved(kind: str = "site-down", *, at: int = START, key: str = "k", **more: Any) -> Signal:
    event = Event(
        source="am", vendor="alertmanager", kind=kind, status=Status.RESOLVED, key=key, title=kind, **more
    )
    return Signal(at=at, event=event)


def deploy(at: int = START, name: str = "dpl_bad") -> Signal:
    event = Event(
        source="vercel",
        vendor="vercel",
        kind="deployment.succeeded",
        status=Status.INFO,
        key="prj_1:production",
        title="deployed",
        labels={"project": "prj_1", "deployment": name, "author": "dora"},
    )
    return Signal(at=at, event=event)


def failed_card(number: int, at: int = START) -> Signal:
    event = Event(
        source="stripe",
        vendor="stripe",
        kind="payment_intent.payment_failed",
        status=Status.INFO,
        key=f"pi_{number}",
        title="A payment failed",
        vendor_id=f"evt_{number}",
    )
    return Signal(at=at, event=event)


class World:
    """A scripted world: providers take everything, unless told otherwise by channel, contact or step."""

    def __init__(self) -> None:
        self.site_is_up_after_rollback = True
        self.deployment_age = 12
        self.health_failures = 3
        self.refuses: dict[str, Outcome] = {}
        """Channel or action name -> how it fails."""
        self.dead: set[str] = set()
        """Channels and actions whose workers die after claiming."""
        self.asleep: set[str] = set()
        """Channels and actions nobody claims."""
        self.rolled_back = 0
        self.remark = ""
        """What workers have to say beside their answers."""

    def __call__(self, effect: AnyEffect, now: int) -> list[tuple[int, AnyEntry]]:
        name = effect.channel if isinstance(effect, Deliver) else effect.action
        if name in self.asleep:
            return []
        claimed = Claimed(at=now, effect=effect.id, attempt=effect.attempt, timeout_ms=15_000)
        if name in self.dead:
            return [(1, claimed)]
        return [(1, claimed), (30, self._answer(effect, name, now))]

    def _answer(self, effect: AnyEffect, name: str, now: int) -> AnyEntry:
        outcome = self.refuses.get(name, Outcome.OK)
        error = "" if outcome is Outcome.OK else f"{name} says no"
        if isinstance(effect, Deliver):
            return Delivered(
                at=now,
                delivery=effect.id,
                attempt=effect.attempt,
                outcome=outcome,
                error=error,
                provider_id=f"P-{effect.id}-{effect.attempt}" if outcome is Outcome.OK else "",
                remark=self.remark,
            )
        return StepDone(
            at=now,
            run=effect.run,
            step=effect.step,
            attempt=effect.attempt,
            outcome=outcome,
            error=error,
            output=self._output(effect.step) if outcome is Outcome.OK else None,
        )

    def _output(self, step: str) -> dict[str, Any]:
        if step == "health":
            return {"failures": self.health_failures, "ok": self.health_failures == 0}
        if step == "deployments":
            return {
                "current": {"uid": "dpl_bad", "age_minutes": self.deployment_age},
                "candidate": {"uid": "dpl_good"},
            }
        if step == "rollback":
            self.rolled_back += 1
            return {"requested": True}
        return {"ok": self.site_is_up_after_rollback}
