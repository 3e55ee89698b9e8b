"""One delivery: claimed, said over its channel, and what the provider answered put into the log."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import sentry_sdk
import structlog
from rq.timeouts import BaseTimeoutException

from ledger import catalogue, faults, links, outbox, records, sandbox
from ledger.clock import now_ms
from routing.decision import Table
from routing.delivery import Purpose
from routing.effect import Deliver
from routing.entry import Delivered, Outcome
from routing.errors import DeliveryError
from routing.incident import Incident
from routing.instant import DAY
from routing.policy import Channel, Policy
from routing.ports import ChannelModule, Notification, Pace
from routing.public import Public
from routing.run import Run
from routing.templates import wording
from workers import credentials, pacing, redaction, status_folders
from workers.context import Context
from workers.report import count, report

MARGIN_MS = 5_000
"""Beyond the call's own timeout: time to connect, to answer and to write the answer down."""
LINK_MS = 3 * DAY
DEFAULT_TIMEOUT_MS = 10_000

logger = structlog.get_logger(__name__)


def carry_out(context: Context, effect_id: str, attempt: int) -> None:
    """Deliver, unless somebody else does, it is no longer wanted, or it is not its turn yet."""
    policy = context.policy()
    effect = _unclaimed(context, effect_id, attempt)
    if effect is None:
        return
    channel = policy.channels.get(effect.channel)
    way = _way(context, channel, effect)
    bound = _bound(context, policy, effect, way)
    if later := pacing.wait(context, effect, bound):
        report(context, later)
        count(context, "tocsin_deferrals_total", channel=effect.channel)
        return
    timeout = (channel.timeout_ms if channel else DEFAULT_TIMEOUT_MS) + MARGIN_MS
    claimed = outbox.claim(
        context.client, context.keys, effect_id, attempt, context.worker, timeout, now_ms()
    )
    if not isinstance(claimed, Deliver):
        return
    faults.reach("deliver.claimed")
    answer = _deliver(context, policy, claimed, way, bound)
    faults.reach("deliver.answered")
    report(context, answer)
    outcome = "sandbox" if answer.sandbox else answer.outcome
    count(context, "tocsin_deliveries_total", channel=effect.channel, outcome=outcome)


def _unclaimed(context: Context, effect_id: str, attempt: int) -> Deliver | None:
    """What nobody wants or somebody has takes no turn from others."""
    pending = outbox.find(context.client, context.keys, effect_id)
    if pending is None or pending.claimed_at or not isinstance(pending.effect, Deliver):
        return None
    return pending.effect if pending.effect.attempt == attempt else None


def _bound(context: Context, policy: Policy, effect: Deliver, way: "_Way | DeliveryError") -> Sequence[Pace]:
    """By which pace it is bound; what stays here, or fails before it is sent, by none."""
    if isinstance(way, DeliveryError) or not way.sends or not hasattr(way.module, "limits"):
        return ()
    return pacing.paces(way.module, _notification(context, policy, effect), way.settings)


def _deliver(
    context: Context, policy: Policy, effect: Deliver, way: "_Way | DeliveryError", bound: Sequence[Pace]
) -> Delivered:
    """Whatever happens becomes an answer: the fold decides what is done about it."""
    if isinstance(way, DeliveryError):
        return _failed(context, effect, way)
    try:
        worded = _worded(context, policy, effect)
        notification = worded.notification
        if not way.sends:
            kept = _to_sandbox(context, effect, way, notification)
            return msgspec.structs.replace(kept, remark=worded.remark)
        sent = way.module.send(notification, way.settings, way.timeout_s)
    except DeliveryError as error:
        pacing.heard(context, bound, error)
        return _failed(context, effect, error)
    except BaseTimeoutException:
        late = DeliveryError("no answer before the job's own time limit", outcome=Outcome.UNKNOWN)
        return _failed(context, effect, late)
    except Exception as error:  # a page must not die of a fault in a channel
        sentry_sdk.capture_exception(error)
        logger.exception("channel failed", channel=effect.channel, delivery=effect.id)
        return _failed(context, effect, DeliveryError(redaction.error(error), outcome=Outcome.UNKNOWN))
    return Delivered(
        at=now_ms(),
        by=context.worker,
        delivery=effect.id,
        attempt=effect.attempt,
        outcome=Outcome.OK,
        provider_id=str(sent.provider_id),
        answer=sent.answer,
        remark=worded.remark,
        thread=sent.thread,
    )


@dataclass(frozen=True, slots=True)
class _Way:
    """A channel ready for use; with credentials `missing` it can only show what it would send."""

    vendor: str
    module: ChannelModule
    settings: Any
    missing: tuple[str, ...]
    timeout_s: float

    @property
    def sends(self) -> bool:
        return not self.missing and bool(getattr(self.module, "SENDS", True))


def _way(context: Context, channel: Channel | None, effect: Deliver) -> _Way | DeliveryError:
    """Repeating cannot help where there is none; said at once, the person's next method gets its turn at once."""
    if channel is None:
        gone = f"channel {effect.channel} is no longer configured"
        return DeliveryError(gone, outcome=Outcome.PERMANENT)
    resolved = credentials.resolve(channel.settings, context.environ)
    try:
        module = catalogue.channel(channel.vendor)
        settings = credentials.build(module.Settings, resolved)
    except (KeyError, ValueError) as error:
        return DeliveryError(f"channel {channel.name} ({channel.origin}): {error}", outcome=Outcome.PERMANENT)
    return _Way(channel.vendor, module, settings, resolved.missing, channel.timeout_ms / 1000)


@dataclass(frozen=True, slots=True)
class _Worded:
    """The notification as its templates word it; `remark` says which of them failed, and left it plain."""

    notification: Notification
    remark: str


def _worded(context: Context, policy: Policy, effect: Deliver) -> _Worded:
    plain = _notification(context, policy, effect)
    found = wording.word(policy.templates, plain, effect.channel, now_ms())
    for failure in found.failures:
        logger.error("template failed", template=failure.template, delivery=effect.id, why=failure.why)
        count(context, "tocsin_template_failures_total", template=failure.template)
    whys = "; ".join(redaction.text(each.why) for each in found.failures)
    remark = f"its plain words were used, for a template failed: {whys}" if whys else ""
    return _Worded(replace(plain, message=found.message), remark)


def _notification(context: Context, policy: Policy, effect: Deliver) -> Notification:
    public = (context.environ.get("TOCSIN_PUBLIC_URL", "").strip() or policy.public_url).rstrip("/")
    secret = context.environ.get("TOCSIN_LINK_SECRET", "")
    ack_url = ""
    if public and secret and effect.purpose in {Purpose.PAGE, Purpose.APPROVAL, Purpose.TEST}:
        ack_url = f"{public}/a/{links.make(secret, effect.id, now_ms() + LINK_MS)}"
    # What is for everybody is told nothing of what is not.
    standing = None if effect.purpose is Purpose.PUBLIC else _standing(context, effect.incident)
    return Notification(
        delivery=effect.id,
        incident=effect.incident,
        to=effect.address,
        purpose=effect.purpose,
        severity=effect.severity,
        message=effect.message,
        attempt=effect.attempt,
        repeat=effect.repeat,
        ack_url=ack_url,
        callback_url=f"{public}/callbacks" if public else "",
        standing=standing,
        person=policy.contacts.get(effect.contact),
        urgent=effect.urgent,
        channel=effect.channel,
        run=effect.run,
        recalls=effect.recalls,
        together=effect.together,
        asked=_asked(context, effect),
        thread=effect.thread,
        involved=_involved(policy, standing, effect.channel),
        **_publicity(context, policy, effect),
    )


def _involved(policy: Policy, incident: Incident | None, channel: str) -> tuple[str, ...]:
    if incident is None:
        return ()
    roles = incident.course.roles.values() if incident.course else ()
    names = dict.fromkeys((incident.acknowledged_by, *roles, *incident.paged))
    people = [policy.contacts[name] for name in names if name in policy.contacts]
    return tuple(each.address for person in people for each in person.methods if each.channel == channel)


def _publicity(context: Context, policy: Policy, effect: Deliver) -> dict[str, Any]:
    """The latest that was said, whichever word this message was made for: a later one may have overtaken it."""
    page = policy.process.status_page if policy.process else None
    if effect.purpose is not Purpose.PUBLIC or page is None:
        return {}
    return {
        "public": records.read(context.client, context.keys.state(Table.PUBLIC), effect.incident, Public),
        "documents": lambda: status_folders.documents(context.client, context.keys, page),
    }


def _standing(context: Context, incident: str) -> Incident | None:
    return records.read(context.client, context.keys.state(Table.INCIDENT), incident, Incident)


def _asked(context: Context, effect: Deliver) -> Run | None:
    runs = context.keys.owned(effect.incident, Table.RUN)
    return records.read(context.client, runs, effect.run, Run) if effect.run else None


def _to_sandbox(context: Context, effect: Deliver, way: _Way, notification: Notification) -> Delivered:
    """No credentials: kept in the built-in outbox exactly as it would have been sent."""
    kept = sandbox.keep(
        context.client,
        context.keys,
        sandbox.Unsent(
            at=now_ms(),
            delivery=effect.id,
            attempt=effect.attempt,
            incident=effect.incident,
            contact=effect.contact,
            channel=effect.channel,
            vendor=way.vendor,
            to=effect.address,
            purpose=effect.purpose,
            severity=effect.severity,
            fields=way.module.preview(notification, way.settings),
            missing=list(way.missing),
            repeat=effect.repeat,
        ),
    )
    return Delivered(
        at=now_ms(),
        by=context.worker,
        delivery=effect.id,
        attempt=effect.attempt,
        outcome=Outcome.OK,
        provider_id=f"sandbox {kept}",
        answer=f"not sent: {', '.join(way.missing)} not set" if way.missing else "not sent",
        sandbox=True,
    )


def _failed(context: Context, effect: Deliver, error: DeliveryError) -> Delivered:
    return Delivered(
        at=now_ms(),
        by=context.worker,
        delivery=effect.id,
        attempt=effect.attempt,
        outcome=error.outcome,
        error=redaction.text(str(error)),
        answer=redaction.text(error.answer),
        retry_after_ms=error.retry_after_ms,
        opted_out=error.opted_out,
    )
