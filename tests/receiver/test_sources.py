"""What each vendor's events become: one table a vendor, from the samples it ships with."""

import json
import re
from typing import Any, get_args

import pytest
import stripe as stripe_package
from examples import examples
from hypothesis import assume, given
from hypothesis import strategies as st
from reception import source

from ledger import catalogue
from ledger.clock import now_ms
from receiver import hmacs, labels, money, samples
from receiver.samples import Wanted
from receiver.sources import alertmanager, prometheus, stripe, vercel
from routing.errors import BadSignature
from routing.event import Event
from routing.ports import Inbound

NOW = 1_764_000_000_000


def inbound(body: bytes, **headers: str) -> Inbound:
    return Inbound(body, {name.replace("_", "-"): value for name, value in headers.items()}, {}, NOW)


def parsed(vendor: str, name: str, *changes: tuple[str, str]) -> list[Event]:
    body = samples.make(vendor, name, Wanted(changes=changes), NOW)
    return list(catalogue.source(vendor).parse(inbound(body), source(vendor, vendor)).events)


# ── signatures ───────────────────────────────────────────────────────────────────────────────────────


def test_a_stripe_signature_known_to_be_right_verifies() -> None:
    body, at = b'{"id":"evt_test_webhook","object":"event"}', 1_614_265_330
    header = f"t={at},v1=3c5817089d739023dd6190f70a3757e04f7a2fd8b5dab12c2e000f51970dccff"
    one = Inbound(body, {"stripe-signature": header}, {}, at * 1000)
    stripe.verify(one, ["whsec_test_secret"], source("stripe", "stripe"))
    with pytest.raises(BadSignature):
        stripe.verify(one, ["whsec_other"], source("stripe", "stripe"))
    with pytest.raises(BadSignature):
        stripe.verify(one, [""], source("stripe", "stripe"))


def test_a_vercel_signature_known_to_be_right_verifies() -> None:
    body = b'{"id":"evt_1","type":"deployment.error"}'
    one = inbound(body, x_vercel_signature="f47e440889e6a03e6361fb5c36852de505c6d1da")
    vercel.verify(one, ["old", "vercel_secret"], source("vercel", "vercel"))
    for wrong in (
        "f47e440889e6a03e6361fb5c36852de505c6d1db",
        "é",
        "",
        "F47E440889E6A03E6361FB5C36852DE505C6D1DA",
    ):
        with pytest.raises(BadSignature):
            vercel.verify(
                inbound(body, x_vercel_signature=wrong), ["vercel_secret"], source("vercel", "vercel")
            )


TOLERANCE_S = 300
BODIES = st.text(alphabet=st.characters(codec="utf-8"), max_size=200).map(str.encode)
ASCII = st.text(alphabet=st.characters(codec="ascii"), max_size=20)
KEYS = st.text(alphabet=st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ["a", "whsec_a", " ", "\t"]
)


def stripes(body: bytes, header: str, secret: str, tolerance: int | None = None) -> bool:
    """The verdict of Stripe's own routine."""
    try:
        stripe_package.WebhookSignature.verify_header(body, header, secret, tolerance)
    except stripe_package.SignatureVerificationError:
        return False
    return True


def ours(body: bytes, header: str, secret: str, now: int, tolerance_s: int = 10**13) -> bool:
    one = Inbound(body, {"stripe-signature": header}, {}, now)
    try:
        stripe.verify(one, [secret], source("stripe", "stripe", tolerance_ms=tolerance_s * 1000))
    except BadSignature:
        return False
    return True


@st.composite
def requests(draw: st.DrawFn) -> tuple[bytes, str, str]:
    """A body, a header about it in whatever order and form, and the secret it is checked with."""
    body, signer = draw(BODIES), draw(KEYS)
    instants = st.integers(0, 10**11)
    first, second = draw(instants), draw(instants)
    signed = [hmacs.hexdigest("sha256", b"%d.%b" % (at, body), signer) for at in (first, second)]
    times = st.sampled_from([first, second]).flatmap(
        lambda at: st.sampled_from(
            ["t={}", "t={}", "t={}", "t=+{}", "t= {}", "t=0{}", "t={}=1", " t={}", "T={}"]
        ).map(lambda form: form.format(at))
    )
    signatures = st.sampled_from([*signed, signed[0].upper(), signed[1][:-1], "00", ""]).flatmap(
        lambda one: st.sampled_from([f"v1={one}", f"v1={one}", f"v0={one}", f"v1= {one}", f"v1={one}=1"])
    )
    parts = times | signatures | st.sampled_from(["t", "t=", "v1", "x", "", "v0=1"]) | ASCII
    usual = st.sampled_from([[f"t={first}", f"v1={signed[0]}"], [f"t={second}", f"v1={signed[0]}"]])
    header = ",".join(draw(usual | st.lists(parts, max_size=6)))
    return body, header, draw(st.just(signer) | KEYS)


@given(request=requests())
@examples(400)
def test_our_verdict_on_a_signature_is_stripes(request: tuple[bytes, str, str]) -> None:
    """Ours is stricter in one thing: what Python would read as a number, and Stripe never writes, is no time."""
    body, header, secret = request
    first = next((part for part in header.split(",") if part.split("=")[0] == "t"), "")
    plain = re.fullmatch(r"t=[0-9]{1,15}", first) is not None
    assert ours(body, header, secret, NOW) == (plain and stripes(body, header, secret))


@pytest.mark.parametrize(
    "form", ["t={old}=x,t={now}", "t=+{old},t={now}", "t= {old},t={now}", "t=0{old},t={now}"]
)
def test_a_captured_signature_is_not_made_young_by_another_time_beside_it(form: str) -> None:
    body, now = b'{"id":"evt_captured"}', NOW // 1000
    signature = hmacs.hexdigest("sha256", b"%d.%b" % (now - 7200, body), "whsec_a")
    header = f"{form.format(old=now - 7200, now=now)},v1={signature}"
    assert stripes(body, header, "whsec_a"), "what was signed is right, and two hours old"
    assert not ours(body, header, "whsec_a", NOW, TOLERANCE_S)


@given(request=requests(), age=st.integers(-10 * TOLERANCE_S, 10 * TOLERANCE_S), other=st.integers(0, 10**10))
@examples(200)
def test_the_time_that_is_checked_is_the_time_that_is_signed(
    request: tuple[bytes, str, str], age: int, other: int
) -> None:
    """Old and new times in one header, one of them signed: what Stripe's routine finds too old is too old."""
    body, _, secret = request
    assume(secret.strip() and abs(abs(age) - TOLERANCE_S) > 5)
    now = now_ms()
    at = now // 1000 - age
    signature = hmacs.hexdigest("sha256", b"%d.%b" % (at, body), secret)
    for header in (
        f"t={at},v1={signature}",
        f"t={at}=x,t={now // 1000},v1={signature}",
        f"t=+{at},t={now // 1000},v1={signature}",
        f"t={at},t={now // 1000},v1={signature}",
        f"t={now // 1000},t={at},v1={signature}",
        f"t={other},v1={signature},t={at}",
    ):
        if ours(body, header, secret, now, TOLERANCE_S):
            assert stripes(body, header, secret, TOLERANCE_S)
            assert age >= -TOLERANCE_S, "Stripe's routine does not look ahead"
    assert ours(body, f"t={at},v1={signature}", secret, now, TOLERANCE_S) == (abs(age) < TOLERANCE_S)


# ── what events say ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "status", "key"),
    [
        ("payment_intent.payment_failed", "info", "payment_intent:pi_"),
        ("payment_intent.succeeded", "info", "payment_intent:pi_"),
        ("charge.dispute.created", "firing", "dispute:dp_1Q2w3E4r5T6y"),
        ("charge.dispute.closed", "resolved", "dispute:dp_1Q2w3E4r5T6y"),
        ("payout.failed", "firing", "payout:po_1A2b3C4d5E6f"),
        ("payout.paid", "resolved", "payout:po_1A2b3C4d5E6f"),
        ("invoice.payment_failed", "info", "invoice:in_1Z9y8X7w6V5u"),
        ("invoice.paid", "resolved", "invoice:in_1Z9y8X7w6V5u"),
        ("radar.early_fraud_warning.created", "firing", "radar.early_fraud_warning:issfr_"),
    ],
)
def test_stripe_types_open_close_or_inform(name: str, status: str, key: str) -> None:
    [event] = parsed("stripe", name)
    assert (event.kind, event.status) == (name, status)
    assert event.key.startswith(key)
    assert event.vendor_id.startswith("evt_")


def test_a_declined_card_says_how_much_and_why_and_nothing_of_the_card() -> None:
    [event] = parsed("stripe", "payment_intent.payment_failed")
    assert event.labels["reason"] == "insufficient_funds"
    assert event.labels["currency"] == "pln"
    assert event.labels["livemode"] == "true"
    assert event.details["amount"] == "249.00 PLN"
    assert "249.00 PLN" in event.title
    assert event.link.endswith(event.vendor_id)
    assert "visa" not in repr(event)


@pytest.mark.parametrize(
    ("type_", "object_", "status", "key"),
    [
        ("capability.updated", {"object": "capability", "id": "card_payments", "account": "acct_1", "status": "inactive"}, "firing", "capability:acct_1:card_payments"),
        ("capability.updated", {"object": "capability", "id": "card_payments", "account": "acct_1", "status": "active"}, "resolved", "capability:acct_1:card_payments"),
        ("capability.updated", {"object": "capability", "id": "card_payments", "account": "acct_1", "status": "pending"}, "info", "capability:acct_1:card_payments"),
        ("account.updated", {"object": "account", "id": "acct_1", "requirements": {"past_due": ["x"]}}, "firing", "account:acct_1"),
        ("account.updated", {"object": "account", "id": "acct_1", "requirements": {"past_due": []}}, "resolved", "account:acct_1"),
        ("balance.available", {"object": "balance"}, "info", ""),
    ],
)  # fmt: skip
def test_stripe_states_open_and_close_too(type_: str, object_: dict[str, Any], status: str, key: str) -> None:
    changes = (("type", type_), ("data.object", json.dumps(object_)))
    [event] = parsed("stripe", "payout.failed", *changes)
    assert (event.status, event.key) == (status, key)


def test_a_thin_stripe_event_is_information_about_its_object() -> None:
    body = {
        "id": "evt_2", "object": "v2.core.event", "type": "v1.billing.meter.error_report_triggered", "livemode": False,
        "created": "2025-11-24T16:00:00.000Z", "related_object": {"id": "mtr_1", "type": "billing.meter", "url": "/x"},
    }  # fmt: skip
    [event] = stripe.parse(inbound(json.dumps(body).encode()), source("stripe", "stripe")).events
    assert (event.status, event.key, event.starts_at) == ("info", "billing.meter:mtr_1", 1_764_000_000_000)


def test_a_connected_account_is_a_label_and_in_the_link() -> None:
    [event] = parsed("stripe", "payout.failed", ("account", '"acct_9"'), ("livemode", "false"))
    assert event.labels["account"] == "acct_9"
    assert "/acct_9/test/events/" in event.link


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [(24900, "pln", "249.00 PLN"), (5, "usd", "0.05 USD"), (-150, "eur", "-1.50 EUR"), (500, "jpy", "500 JPY"), (12345, "kwd", "12.345 KWD")],
)  # fmt: skip
def test_money_is_written_as_people_do(amount: int, currency: str, text: str) -> None:
    assert money.written(amount, currency) == text


@pytest.mark.parametrize(
    ("name", "status", "key"),
    [
        ("deployment.created", "info", "deployment:dpl_"),
        ("deployment.error", "firing", "deployment:prj_mariiahub:production"),
        ("deployment.error-preview", "firing", "deployment:prj_mariiahub:preview:dpl_"),
        ("deployment.canceled", "info", "deployment:dpl_"),
        ("deployment.promoted", "info", "deployment:dpl_"),
        ("deployment.rollback", "info", "deployment:dpl_"),
        ("deployment.checks.failed", "firing", "deployment:prj_mariiahub:production"),
        ("firewall.attack", "firing", "firewall.attack:prj_mariiahub"),
        ("domain.certificate.renew.failed", "firing", "domain.certificate.renew.failed:mariaborysevych.com"),
    ],
)
def test_vercel_types_open_or_inform(name: str, status: str, key: str) -> None:
    [event] = parsed("vercel", name)
    assert (event.kind, event.status) == (name.removesuffix("-preview"), status)
    assert event.key.startswith(key)


def test_a_production_success_is_a_deployment_and_the_end_of_a_failed_build() -> None:
    [failed] = parsed("vercel", "deployment.error")
    live, healed = parsed("vercel", "deployment.succeeded")
    assert (live.kind, live.status) == ("deployment.succeeded", "info")
    assert (healed.kind, healed.status, healed.key) == ("deployment.error", "resolved", failed.key)
    assert live.labels["target"] == "production"
    assert live.labels["project"] == "prj_mariiahub"
    assert live.labels["deployment"].startswith("dpl_")
    assert (live.labels["author"], live.labels["branch"]) == ("anna", "main")


def test_a_preview_success_ends_nothing() -> None:
    [event] = parsed("vercel", "deployment.succeeded", ("payload.target", "null"))
    assert event.labels["target"] == "preview"


def test_a_renewed_certificate_ends_what_its_failure_began() -> None:
    [failed] = parsed("vercel", "domain.certificate.renew.failed")
    [renewed] = parsed("vercel", "domain.certificate.renew.failed", ("type", "domain.certificate.renew"))
    assert (renewed.status, renewed.key) == ("resolved", failed.key)


@pytest.mark.parametrize(
    ("given_", "kind"),
    [
        ("deployment-error", "deployment.error"),
        ("deployment-checks-failed", "deployment.checks.failed"),
        ("project-created", "project.created"),
        ("deployment", "deployment.created"),
        ("deployment-check-rerequested", "deployment.check-rerequested"),
        ("integration-configuration-removed", "integration-configuration.removed"),
        ("deployment-checks-completed", "deployment.checks.completed"),
        ("firewall.system-rule-anomaly", "firewall.system-rule-anomaly"),
        ("test-webhook", "test-webhook"),
    ],
)
def test_old_vercel_names_are_read_as_the_new_ones(given_: str, kind: str) -> None:
    assert parsed("vercel", "deployment.error", ("type", given_))[0].kind == kind


def test_the_delivery_id_of_vercel_is_not_trusted_alone() -> None:
    one, other = (parsed("vercel", "deployment.promoted", ("id", "same"))[0] for _ in range(2))
    assert one.vendor_id != other.vendor_id
    assert one.vendor_id.startswith("same:deployment.promoted:dpl_")
    assert parsed("vercel", "deployment.promoted", ("id", '""'))[0].vendor_id == ""


def test_what_comes_once_to_a_deployment_of_vercels_is_known_by_that() -> None:
    told = ("payload.deployment.id", "dpl_1")
    one, other = (parsed("vercel", "deployment.error", ("id", id_), told)[0] for id_ in ("a", "b"))
    assert one.vendor_id == other.vendor_id == "deployment.error:dpl_1"


def test_one_event_for_each_alert_of_a_group() -> None:
    body = json.loads(samples.make("alertmanager", "firing", Wanted(), NOW))
    body["alerts"] += [{**body["alerts"][0], "status": "resolved", "endsAt": "2025-11-24T16:00:00Z"}]
    events = alertmanager.parse(inbound(json.dumps(body).encode()), source("am", "alertmanager")).events
    assert [event.status for event in events] == ["firing", "resolved"]
    assert events[0].key == events[1].key
    assert [event.ends_at for event in events] == [0, 1_764_000_000_000]
    assert events[0].vendor_id == ""
    assert events[0].vendor_severity == "warning"


def test_the_end_of_a_firing_alert_is_not_believed() -> None:
    [event] = parsed("alertmanager", "firing", ("alerts.0.endsAt", "2020-01-01T00:00:00Z"))
    assert (event.status, event.ends_at) == ("firing", 0)


def test_a_missing_fingerprint_is_computed_as_alertmanager_would() -> None:
    # The second is from the tests of github.com/prometheus/common, model/signature_test.go.
    assert labels.prometheus_fingerprint({}) == "cbf29ce484222325"
    assert labels.prometheus_fingerprint({"a": "1", "b": "2"}) == labels.prometheus_fingerprint(
        {"b": "2", "a": "1"}
    )
    [event] = parsed("alertmanager", "firing")
    assert event.key == labels.prometheus_fingerprint(event.labels)
    [named] = parsed("alertmanager", "firing", ("alerts.0.fingerprint", "0123456789abcdef"))
    assert named.key == "0123456789abcdef"


def test_names_and_values_cannot_be_confused_in_an_identity() -> None:
    assert labels.identity({"a": "bc"}) != labels.identity({"ab": "c"})
    assert labels.identity({"a": "1\xffb"}) != labels.identity({"a": "1", "b": ""})


def test_an_alert_with_endless_labels_is_cut_but_keeps_its_identity() -> None:
    def one(tail: str) -> Event:
        body = [
            {"labels": {"alertname": "Big", "long": "x" * 5000 + tail, **{f"l{n}": "v" for n in range(200)}}}
        ]
        [event] = prometheus.parse(inbound(json.dumps(body).encode()), source("p", "prometheus")).events
        return event

    assert len(one("a").labels) == 64
    assert max(map(len, one("a").labels.values())) <= 2048
    assert one("a").key != one("b").key


# ── all of a vendor's types ──────────────────────────────────────────────────────────────────────────────

VERCELS = [
    "budget.reached",
    "domain.created",
    "domain.dns.records.changed",
    "domain.transfer-in.started",
    "domain.transfer-in.completed",
    "domain.transfer-in.failed",
    "domain.certificate.add",
    "domain.certificate.add.failed",
    "domain.certificate.renew",
    "domain.certificate.renew.failed",
    "domain.certificate.deleted",
    "domain.renewal",
    "domain.renewal.failed",
    "domain.auto-renew.changed",
    "deployment.created",
    "deployment.build-requested",
    "deployment.cleanup",
    "deployment.error",
    "deployment.blocked",
    "deployment.canceled",
    "deployment.succeeded",
    "deployment.ready",
    "deployment.check-rerequested",
    "deployment.promoted",
    "deployment.rollback",
    "deployment.integration.action.start",
    "deployment.checkrun.start",
    "firewall.attack",
    "firewall.system-rule-anomaly",
    "firewall.custom-rule-anomaly",
    "function.archival-required",
    "function.removal-required",
    "alerts.triggered",
    "integration-configuration.removed",
    "project.created",
    "project.removed",
    "project.env-variable.updated",
    "project.domain.verified",
    "project.domain.unverified",
    "project.domain.moved",
    "project.rolling-release.started",
    "project.rolling-release.aborted",
    "project.rolling-release.completed",
    "deployment.checks.failed",
    "deployment.checks.succeeded",
    "ai-gateway.balance-depleted",
    "ai-gateway.auto-reload.limit-reached",
    "observability.anomaly",
    "observability.anomaly-error",
    "observability.usage-anomaly",
    "observability.error-anomaly",
    "botid.anomaly",
    "test-webhook",
    "marketplace.invoice.notpaid",
    "flag.updated",
    "edge-config.items.updated",
]


def test_every_type_that_opens_or_closes_at_vercel_is_one_of_theirs() -> None:
    known = {*VERCELS, "observability.anomaly-botId"}
    assert known >= vercel.OPENS
    assert vercel.CLOSES.keys() <= known
    assert set(vercel.CLOSES.values()) <= vercel.OPENS


def test_every_type_that_opens_or_closes_at_stripe_is_one_of_theirs() -> None:
    known = set(get_args(stripe_package.Event.__annotations__["type"]))
    assert len(known) > 200
    assert known | {"radar.early_fraud_warning.created"} >= stripe.OPENS | stripe.CLOSES
    for kind in sorted(known):
        body = {
            "id": "evt_1",
            "object": "event",
            "type": kind,
            "created": NOW // 1000,
            "data": {"object": {"id": "x_1", "object": "x"}},
        }
        [event] = stripe.parse(inbound(json.dumps(body).encode()), source("stripe", "stripe")).events
        assert (event.kind, event.key) == (kind, "x:x_1")


@pytest.mark.parametrize(
    ("kind", "word"),
    [("charge.dispute.created", "critical"), ("payout.failed", "critical"), ("review.opened", "warning"), ("payment_intent.payment_failed", "warning"), ("invoice.paid", "")],
)  # fmt: skip
def test_stripes_types_have_a_severity_where_no_rule_says_one(kind: str, word: str) -> None:
    assert parsed("stripe", "payout.failed", ("type", kind))[0].vendor_severity == word
