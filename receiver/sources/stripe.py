"""Stripe: snapshot events (`event`), and thin ones (`v2.core.event`), which our workers complete.

https://docs.stripe.com/webhooks, https://docs.stripe.com/api/events/object. What opens and closes a condition
is listed below. Every other type is information: kept, counted, and fit for threshold rules; one declined
card is no condition, many of them are. Nothing of a card is taken over.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from stripe import SignatureVerificationError, WebhookSignature

from receiver import hmacs, instants, money, strict_json
from routing.errors import BadSignature, Unreadable
from routing.event import Event, Status, whole_of
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "`Stripe-Signature`, HMAC-SHA256 over time and body; `tolerance`, past and future"
REPEAT = "the same event id: answered 202 with the first one's id"
TITLE = "Stripe"
SETUP = """\
1. Dashboard → Workbench → Webhooks → *Add destination*: `https://<tocsin>/hooks/stripe`, snapshot events.
2. Put its signing secret (`whsec_…`) into `STRIPE_WEBHOOK_SECRET`. While rolling it, list both in `secrets:`.
3. To find what it could not deliver, and to complete thin events: `poll`, with a restricted key that may read *Events*,
   *Webhook endpoints* and what thin events are about.
"""

_WHOLE = frozenset({"v2.core.event_destination.ping"})
"""Thin events of which there is no rest."""
OPENS = frozenset({
    "account.application.deauthorized",
    "charge.dispute.created",
    "invoice.finalization_failed",
    "payout.failed",
    "radar.early_fraud_warning.created",
    "refund.failed",
    "review.opened",
    "topup.failed",
})  # fmt: skip
CLOSES = frozenset({
    "account.application.authorized",
    "charge.dispute.closed",
    "invoice.finalized",
    "invoice.paid",
    "payout.paid",
    "review.closed",
    "topup.succeeded",
})  # fmt: skip

_SEVERITIES = {
    **dict.fromkeys(OPENS, "warning"),
    **dict.fromkeys(
        ("charge.failed", "checkout.session.async_payment_failed", "invoice.payment_failed",
         "payment_intent.payment_failed", "setup_intent.setup_failed"), "warning"),
    **dict.fromkeys(
        ("account.application.deauthorized", "account.updated", "capability.updated", "charge.dispute.created",
         "payout.failed", "radar.early_fraud_warning.created"), "critical"),
}  # fmt: skip
"""Stripe has no words for it; these are ours, for those that no rule of the configuration grades."""

_LABELS = (("object", "object"), ("currency", "currency"), ("status", "object_status"))
"""Member of the object -> label."""
_DETAILS = ("id", "customer", "payment_intent")
_LONGEST_HEADER = 4096
_FIRST_T = re.compile(r"(?:^|,)t(?:=([^,]*))?(?=,|$)")
"""The element whose time Stripe's routine signs. Another one that we would check instead could be any."""
_DIGITS = 15
_INSTANT = re.compile(rf"[0-9]{{1,{_DIGITS}}}")


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    """Any `v1` signature under any secret counts; `t` may be as old, or as far ahead, as `tolerance_ms`.

    The form that Stripe sends nearly always is checked here, byte by byte as its routine would. Whatever else
    comes, the routine itself is asked. It is not asked about the time: it reads the clock, and only looks back.
    """
    header = inbound.headers.get("stripe-signature", "")
    if len(header) > _LONGEST_HEADER or not header.isascii():
        raise _malformed(header)
    stamp, _, given = header[2:].partition(",v1=")
    if not (header.startswith("t=") and stamp.isdecimal() and len(stamp) <= _DIGITS):
        stamp, given = _signed_at(header), ""
    if not (given and hmacs.matches("sha256", b"%b.%b" % (stamp.encode(), inbound.body), given, secrets)):
        _ask_stripe(inbound.body, header, secrets)
    at = int(stamp)
    behind_ms = inbound.received_at - at * 1000
    if not -source.tolerance_ms <= behind_ms <= source.tolerance_ms:
        raise _untimely(behind_ms)


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    digest = hmacs.hexdigest("sha256", b"%d.%b" % (at // 1000, body), secret)
    return {
        "content-type": "application/json; charset=utf-8",
        "user-agent": "Stripe/1.0",
        "stripe-signature": f"t={at // 1000},v1={digest}",
    }


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    body = strict_json.object_of(strict_json.loads(inbound.body))
    kind = body.get("object")
    if kind == "event":
        return Parsed((_snapshot(body, source),))
    if kind == "v2.core.event":
        return Parsed((_thin(body, source),))
    raise Unreadable('expected "event" or "v2.core.event"', "object")


def _signed_at(header: str) -> str:
    """The time Stripe's routine signs, in digits of seconds since the epoch. Raises BadSignature."""
    found = _FIRST_T.search(header)
    if found is None or not _INSTANT.fullmatch(found[1] or ""):
        raise _malformed(header)
    return str(found[1])


def _malformed(header: str) -> BadSignature:
    if not header:
        hint = "is this really Stripe? `tocsin send stripe ...` signs as it does"
        return BadSignature("no Stripe-Signature header", hint)
    return BadSignature("the Stripe-Signature header is malformed", "it is t=<seconds>,v1=<64 hex digits>")


def _untimely(behind_ms: int) -> BadSignature:
    seconds = abs(behind_ms) // 1000
    side = f"{seconds} s old" if behind_ms > 0 else f"{seconds} s in the future"
    hint = "check this machine's clock; a stored request cannot be sent again"
    return BadSignature(f"the signature is {side}", hint)


def _ask_stripe(body: bytes, header: str, secrets: Sequence[str]) -> None:
    """Raises BadSignature unless Stripe's own routine accepts one of the secrets."""
    for secret in secrets:
        with suppress(SignatureVerificationError, UnicodeDecodeError):
            WebhookSignature.verify_header(body, header, secret)
            return
    hint = "check STRIPE_WEBHOOK_SECRET: each endpoint has its own whsec_ secret"
    raise BadSignature("no v1 signature matches the body", hint)


def _snapshot(body: dict[str, Any], source: Source) -> Event:
    """As plain as it is, with all it calls, because it runs for every event of a storm."""
    id_ = strict_json.text_of(body, "id")
    kind = strict_json.text_of(body, "type")
    about = strict_json.object_of(
        strict_json.object_of(body.get("data"), "data").get("object"), "data.object"
    )
    created = strict_json.whole_of(body, "created") if "created" in body else 0
    account = _text(body, "account") or _text(body, "context")
    live = body.get("livemode") is True
    amount = money.amount_of(about)
    reason, message = _reason(about)
    return Event(
        source=source.name,
        vendor="stripe",
        kind=kind[:200],
        status=_status(kind, about),
        key=_key(about, account),
        title=f"Stripe {kind}{amount and f', {amount}'}{reason and f', {reason}'}"[:200],
        summary=message,
        vendor_id=id_[:200],
        vendor_severity=_SEVERITIES.get(kind, ""),
        labels=_labels(about, account, reason, live=live),
        details=_details(body, about, amount),
        starts_at=created * 1000,
        link=_link(id_, account, live=live),
    )


def _thin(body: dict[str, Any], source: Source) -> Event:
    """Says only what it is about; until the object itself is fetched, what depends on it is information.

    An event of a v1 object has its old name behind "v1.", a health alert ends in ".firing" or ".resolved". What a
    worker has completed has `retrieved`: `data` of the event, and the related object as it is now.
    """
    id_, kind = strict_json.text_of(body, "id"), strict_json.text_of(body, "type")
    about = body.get("related_object")
    related = about if isinstance(about, dict) else {}
    data = body.get("data")
    told = data if isinstance(data, dict) else {}
    account, live = _text(body, "context"), body.get("livemode") is True
    labels = {"livemode": str(live).lower(), "account": account, "grouping": _text(told, "grouping_key")}
    whole = body.get("retrieved") is True
    thin = Event(
        source=source.name,
        vendor="stripe",
        kind=kind[:200],
        status=_thin_status(kind),
        key=_thin_key(kind, related, told, account) or f"event:{id_}"[:200],
        title=f"Stripe {kind}"[:200],
        summary=_text(told, "summary"),
        vendor_id=whole_of(id_[:200]) if whole else id_[:200],
        vendor_severity=_text(told, "severity") or _SEVERITIES.get(kind.removeprefix("v1."), ""),
        labels={name: value for name, value in labels.items() if value},
        starts_at=instants.rfc3339(body, "created"),
        link=_link(id_, account, live=live),
        partial=not whole and not told and kind not in _WHOLE,
    )
    object_ = related.get("object")
    return _completed(thin, object_, account, live=live) if whole and isinstance(object_, dict) else thin


def _completed(thin: Event, about: Mapping[str, Any], account: str, *, live: bool) -> Event:
    """With what a snapshot would have said of the object."""
    name = thin.kind.removeprefix("v1.")
    amount = money.amount_of(about)
    reason, message = _reason(about)
    judged = thin.kind.startswith("v1.")
    return msgspec.structs.replace(
        thin,
        status=_status(name, about) if judged else thin.status,
        key=(judged and _key(about, account)) or thin.key,
        title=f"Stripe {thin.kind}{amount and f', {amount}'}{reason and f', {reason}'}"[:200],
        summary=message or thin.summary,
        labels={**_labels(about, account, reason, live=live), **thin.labels},
        details=_details({}, about, amount),
    )


def _thin_status(kind: str) -> Status:
    name = kind.removeprefix("v1.")
    if name in OPENS or kind.endswith((".firing", "fraud_rate.increased")):
        return Status.FIRING
    return Status.RESOLVED if name in CLOSES or kind.endswith(".resolved") else Status.INFO


def _thin_key(kind: str, related: Mapping[str, Any], told: Mapping[str, Any], account: str) -> str:
    """As a snapshot's where there is an object; a health alert's is what it watches, of this account."""
    if _text(related, "id"):
        return f"{_text(related, 'type') or 'object'}:{_text(related, 'id')}"[:200]
    watched, _, state = kind.rpartition(".")
    if state not in {"firing", "resolved"}:
        return ""
    return ":".join(filter(None, ("health", watched, account, _text(told, "grouping_key"))))[:200]


def _status(kind: str, about: Mapping[str, Any]) -> Status:
    if kind in OPENS:
        return Status.FIRING
    if kind in CLOSES:
        return Status.RESOLVED
    if kind == "capability.updated":
        return {"active": Status.RESOLVED, "inactive": Status.FIRING}.get(_text(about, "status"), Status.INFO)
    if kind == "account.updated":
        requirements = about.get("requirements")
        needs = requirements if isinstance(requirements, dict) else {}
        return Status.FIRING if needs.get("disabled_reason") or needs.get("past_due") else Status.RESOLVED
    return Status.INFO


def _key(about: Mapping[str, Any], account: str) -> str:
    """The object the event is about. A capability's id is unique within its account only."""
    object_, id_ = _text(about, "object") or "object", _text(about, "id")
    if object_ == "capability":
        return f"capability:{_text(about, 'account') or account}:{id_}"[:200]
    return f"{object_}:{id_}"[:200] if id_ else ""


def _reason(about: Mapping[str, Any]) -> tuple[str, str]:
    """Code and words of what went wrong, wherever this object keeps them."""
    error = about.get("last_payment_error") or about.get("last_setup_error")
    if isinstance(error, dict):
        return _text(error, "decline_code") or _text(error, "code"), _text(error, "message")
    code = _text(about, "failure_code") or _text(about, "failure_reason") or _text(about, "reason")
    return code, _text(about, "failure_message")


def _labels(about: Mapping[str, Any], account: str, reason: str, *, live: bool) -> dict[str, str]:
    labels = {"livemode": "true" if live else "false"}
    for name, label in _LABELS:
        found = _text(about, name)
        if found:
            labels[label] = found
    if account:
        labels["account"] = account
    if reason:
        labels["reason"] = reason
    return labels


def _details(body: Mapping[str, Any], about: Mapping[str, Any], amount: str) -> dict[str, str]:
    details = {"amount": amount} if amount else {}
    for name in _DETAILS:
        found = _text(about, name)
        if found:
            details[name] = found
    request = body.get("request")
    if isinstance(request, dict) and _text(request, "id"):
        details["request"] = _text(request, "id")
    return details


def _link(event: str, account: str, *, live: bool) -> str:
    mode = "" if live else "test/"
    whose = f"{account}/" if account.startswith("acct_") else ""
    return f"https://dashboard.stripe.com/{whose}{mode}events/{event}"[:500]


def _text(holder: Mapping[str, Any], name: str) -> str:
    found = holder.get(name)
    return found[:500] if isinstance(found, str) else ""
