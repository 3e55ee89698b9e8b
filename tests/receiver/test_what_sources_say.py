"""What the samples of each vendor become: kind, status, and what they are about."""

import json
from typing import Any

import pytest
import senders
from senders import events_of, source_of

from receiver import forms
from receiver.sources import cloudevents, heartbeat, slack, supabase, uptimerobot
from routing.errors import BadSignature
from routing.ports import Inbound

# Vendor and sample; what its event's status, kind and key are.
SAID = [
    ("grafana", "firing", "firing", "SlowCheckout", "c6eadffa33fcdf37"),
    ("grafana", "resolved", "resolved", "SlowCheckout", "c6eadffa33fcdf37"),
    ("sentry", "issue.created", "firing", "issue.created", "issue:1170820242"),
    ("sentry", "issue.resolved", "resolved", "issue.resolved", "issue:1170820242"),
    ("sentry", "issue.archived", "resolved", "issue.archived", "issue:1170820242"),
    ("sentry", "issue.assigned", "info", "issue.assigned", "issue:1170820242"),
    ("sentry", "event_alert", "firing", "event_alert.triggered", "issue:1170820242"),
    ("sentry", "error.created", "info", "error.created", "issue:1170820242"),
    ("sentry", "metric_alert.critical", "firing", "metric_alert", "metric_alert:5123"),
    ("sentry", "metric_alert.warning", "firing", "metric_alert", "metric_alert:5123"),
    ("sentry", "metric_alert.resolved", "resolved", "metric_alert", "metric_alert:5123"),
    ("github", "workflow_run.failure", "firing", "workflow_run", "workflow_run:shop/site:Deploy:main"),
    ("github", "workflow_run.success", "resolved", "workflow_run", "workflow_run:shop/site:Deploy:main"),
    ("github", "workflow_run.failure-branch", "info", "workflow_run", "workflow_run:shop/site:Deploy:anna/prices"),
    ("github", "check_suite.failure", "firing", "check_suite", "check_suite:shop/site:GitHub Actions:main"),
    ("github", "deployment_status.failure", "firing", "deployment_status", "deployment_status:shop/site:production"),
    ("github", "deployment_status.success", "resolved", "deployment_status", "deployment_status:shop/site:production"),
    ("github", "dependabot_alert.created", "firing", "dependabot_alert", "dependabot_alert:shop/site:12"),
    ("github", "dependabot_alert.fixed", "resolved", "dependabot_alert", "dependabot_alert:shop/site:12"),
    ("github", "code_scanning_alert.created", "firing", "code_scanning_alert", "code_scanning_alert:shop/site:7"),
    ("github", "secret_scanning_alert.resolved", "resolved", "secret_scanning_alert", "secret_scanning_alert:shop/site:3"),
    ("github", "ping", "info", "ping", "ping:shop/site:"),
    ("supabase", "auth.send_email", "info", "auth.send_email", "auth:send_email:8484b834-f29e-4af2-bf42-80644d154f76"),
    ("supabase", "database.update", "info", "database.update", "row:public.bookings:81"),
    ("cloudwatch", "alarm", "firing", "alarm", "alarm:123456789012:eu-central-1:orders-5xx"),
    ("cloudwatch", "ok", "resolved", "alarm", "alarm:123456789012:eu-central-1:orders-5xx"),
    ("cloudwatch", "insufficient-data", "info", "alarm", "alarm:123456789012:eu-central-1:orders-5xx"),
    ("cloudwatch", "unsubscribed", "firing", "UnsubscribeConfirmation", "subscription:arn:aws:sns:eu-central-1:123456789012:alarms"),
    ("standard_webhooks", "payment.failed", "firing", "payment.failed", "sub_4421"),
    ("standard_webhooks", "payment.recovered", "resolved", "payment.recovered", "sub_4421"),
    ("heartbeat", "success", "resolved", "heartbeat.success", "heartbeat:nightly-backup"),
    ("heartbeat", "fail", "firing", "heartbeat.fail", "heartbeat:nightly-backup"),
    ("vercel", "alerts.triggered", "firing", "alerts.triggered", "alerts.triggered:prj_mariiahub:grp_1"),
    ("vercel", "deployment-error", "firing", "deployment.error", "deployment:prj_mariiahub:production"),
    ("vercel", "firewall.system-rule-anomaly", "firing", "firewall.system-rule-anomaly", "firewall.system-rule-anomaly:prj_mariiahub"),
    ("vercel_drain", "edge", "info", "log.edge", "log:prj_mariiahub:/nowhere"),
    ("stripe", "health.api_error.firing", "firing", "v2.core.health.api_error.firing", "health:v2.core.health.api_error"),
    ("stripe", "health.api_error.resolved", "resolved", "v2.core.health.api_error.resolved", "health:v2.core.health.api_error"),
    ("stripe", "thin.payout.failed", "firing", "v1.payout.failed", "payout:po_1A2b3C4d5E6f"),
    ("stripe", "ping", "info", "v2.core.event_destination.ping", "v2.core.event_destination:ed_test_1"),
    ("stripe", "connect.payout.failed", "firing", "payout.failed", "payout:po_9Z8y"),
    ("datadog", "triggered", "firing", "monitor", "monitor:4012:host:web-1"),
    ("datadog", "no-data", "firing", "monitor", "monitor:4012:host:web-1"),
    ("datadog", "recovered", "resolved", "monitor", "monitor:4012:host:web-1"),
    ("newrelic", "activated", "firing", "issue", "issue:0a1b2c3d-issue"),
    ("newrelic", "acknowledged", "info", "issue", "issue:0a1b2c3d-issue"),
    ("newrelic", "closed", "resolved", "issue", "issue:0a1b2c3d-issue"),
    ("gcp", "open", "firing", "incident", "incident:0.opqiw61fsv7p"),
    ("gcp", "closed", "resolved", "incident", "incident:0.opqiw61fsv7p"),
    ("azure", "fired", "firing", "alert", "alert:b9569717-bc32-442f-add5-83a997729330"),
    ("azure", "resolved", "resolved", "alert", "alert:b9569717-bc32-442f-add5-83a997729330"),
    ("uptimerobot", "down", "firing", "monitor", "monitor:777712827"),
    ("uptimerobot", "up", "resolved", "monitor", "monitor:777712827"),
    ("uptimerobot", "expiry", "firing", "expiry", "expiry:777712827"),
    ("betterstack", "started", "firing", "incident", "incident:25"),
    ("betterstack", "acknowledged", "info", "incident", "incident:25"),
    ("betterstack", "resolved", "resolved", "incident", "incident:25"),
    ("pingdom", "down", "firing", "check.http", "check:12345"),
    ("pingdom", "up", "resolved", "check.http", "check:12345"),
    ("statuscake", "down", "firing", "test", "test:6735"),
    ("statuscake", "up", "resolved", "test", "test:6735"),
    ("healthchecks", "down", "firing", "check", "check:ad2d6f7e-5c0a-4e6c-a4c7-2c7a9f3f2d11"),
    ("healthchecks", "up", "resolved", "check", "check:ad2d6f7e-5c0a-4e6c-a4c7-2c7a9f3f2d11"),
    ("uptime_kuma", "down", "firing", "monitor", "monitor:4"),
    ("uptime_kuma", "up", "resolved", "monitor", "monitor:4"),
    ("uptime_kuma", "maintenance", "info", "monitor", "monitor:4"),
    ("uptime_kuma", "test", "info", "message", "monitor:"),
    ("statuspage", "incident", "firing", "incident", "incident:lbkhbwn21v5q"),
    ("statuspage", "resolved", "resolved", "incident", "incident:lbkhbwn21v5q"),
    ("statuspage", "maintenance", "info", "maintenance", "incident:lbkhbwn21v5q"),
    ("statuspage", "component-outage", "firing", "component", "component:c1"),
    ("statuspage", "component-operational", "resolved", "component", "component:c1"),
    ("gitlab", "pipeline.failed", "firing", "pipeline", "pipeline:shop/site:main"),
    ("gitlab", "pipeline.success", "resolved", "pipeline", "pipeline:shop/site:main"),
    ("gitlab", "deployment.failed", "firing", "deployment", "deployment:shop/site:production"),
    ("circleci", "failed", "firing", "workflow-completed", "workflow:github/shop/site:build-and-deploy:main"),
    ("circleci", "success", "resolved", "workflow-completed", "workflow:github/shop/site:build-and-deploy:main"),
    ("circleci", "failed-branch", "info", "workflow-completed", "workflow:github/shop/site:build-and-deploy:anna/prices"),
    ("pagerduty", "incident.triggered", "firing", "incident.triggered", "incident:PGR0VU2"),
    ("pagerduty", "incident.acknowledged", "info", "incident.acknowledged", "incident:PGR0VU2"),
    ("pagerduty", "incident.resolved", "resolved", "incident.resolved", "incident:PGR0VU2"),
    ("cloudevents", "order.failed", "firing", "order.failed", "/shop/orders:order-4711"),
    ("cloudevents", "order.recovered", "resolved", "order.recovered", "/shop/orders:order-4711"),
    ("twilio_debugger", "error", "info", "debugger.error", "error:11200"),
    ("lighthouse", "passed", "resolved", "assertion.error", "https://shop.example/:speed-index:maxNumericValue"),
    ("booksy", "created", "info", "appointment.created", "appointment:990121"),
    ("slack", "message", "info", "message", "message:C2147483705"),
    ("email", "down", "firing", "mail", "mail:nagios@host.example:host alert for web-1!"),
    ("email", "up", "resolved", "mail", "mail:nagios@host.example:host alert for web-1!"),
    ("generic", "firing", "firing", "QueueTooLong", "queue-orders"),
]  # fmt: skip


@pytest.mark.parametrize(("vendor", "name", "status", "kind", "key"), SAID)
def test_a_sample_says(vendor: str, name: str, status: str, kind: str, key: str) -> None:
    [event] = events_of(vendor, name)
    assert (event.status, event.kind, event.key) == (status, kind, key)


# (vendor, sample, what it also says)
TOLD: list[tuple[str, str, dict[str, str]]] = [
    ("github", "dependabot_alert.created", {"repository": "shop/site", "package": "left-pad", "action": "created"}),
    ("github", "workflow_run.failure", {"branch": "main", "workflow": "Deploy", "conclusion": "failure"}),
    ("sentry", "issue.created", {"project": "shop", "level": "error"}),
    ("sentry", "event_alert", {"rule": "Many people see it", "environment": "production"}),
    ("cloudwatch", "alarm", {"alarm": "orders-5xx", "namespace": "AWS/ApplicationELB", "dimension_LoadBalancer": "app/shop/1"}),
    ("supabase", "database.insert", {"table": "bookings", "schema": "public", "row_status": "paid"}),
    ("heartbeat", "fail", {"job": "nightly-backup"}),
]  # fmt: skip


@pytest.mark.parametrize(("vendor", "name", "labels"), TOLD)
def test_a_sample_is_labelled(vendor: str, name: str, labels: dict[str, str]) -> None:
    [event] = events_of(vendor, name)
    assert labels.items() <= event.labels.items()


@pytest.mark.parametrize(
    ("vendor", "name", "word"),
    [("github", "dependabot_alert.created", "high"), ("github", "code_scanning_alert.created", "critical"),
     ("sentry", "metric_alert.critical", "critical"), ("sentry", "issue.created", "error"),
     ("azure", "fired", "Sev1"), ("datadog", "triggered", "P2"), ("datadog", "no-data", "no data"), ("newrelic", "activated", "CRITICAL"),
     ("gcp", "open", "CRITICAL"), ("pingdom", "down", "HIGH"), ("statuspage", "incident", "major"), ("pagerduty", "incident.triggered", "P1"),
     ("grafana", "firing", "critical"), ("generic", "firing", "warning")],
)  # fmt: skip
def test_the_vendors_own_word_for_its_severity_is_kept(vendor: str, name: str, word: str) -> None:
    assert events_of(vendor, name)[0].vendor_severity == word


# ── GitHub ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_failure_on_a_branch_is_a_condition_where_the_source_says_so() -> None:
    [event] = events_of("github", "workflow_run.failure-branch", settings={"branches": ["main", "anna/*"]})
    assert event.status == "firing"


def test_a_preview_that_fails_is_its_authors_business() -> None:
    changes = ("deployment.transient_environment", "true")
    assert events_of("github", "deployment_status.failure", changes)[0].status == "info"


def test_githubs_repeat_is_told_by_the_body_that_is_signed() -> None:
    """Its delivery id is in a header that is not: a captured request could be sent under any."""
    body, source = senders.body_of("github", "workflow_run.failure"), source_of("github")
    ids = set()
    for delivery in ("a", "b"):
        headers = {**senders.headers_of(body, source), "x-github-delivery": delivery}
        ids.add(senders.admitted(source, body, headers).events[0].vendor_id)
    assert len(ids) == 1
    assert "" not in ids


def test_what_a_body_is_about_is_not_taken_from_a_header_that_is_not_signed() -> None:
    body, source = senders.body_of("github", "workflow_run.failure"), source_of("github")
    headers = {**senders.headers_of(body, source), "x-github-event": "ping"}
    assert b'"workflow_run"' in senders.admitted(source, body, headers).events[0].entry


# ── Sentry, Grafana ──────────────────────────────────────────────────────────────────────────────────────


def test_an_event_alert_belongs_to_its_issue() -> None:
    [alert], [issue] = events_of("sentry", "event_alert"), events_of("sentry", "issue.resolved")
    assert alert.key == issue.key
    assert alert.vendor_id.startswith("event_alert:")
    assert issue.vendor_id == "", "resolved, begun again and resolved again is three pieces of news"


def test_grafanas_own_facts_are_shown() -> None:
    [event] = events_of("grafana", "firing")
    assert event.link == "https://grafana.example/d/shop?viewPanel=2"
    assert event.details["values"] == "A=2.4, C=1"
    assert event.details["silence"].endswith("/silence/new")


# ── Supabase ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "word"),
    [("auth.send_email", {}), ("auth.password_verification_attempt", {"decision": "continue"}),
     ("auth.custom_access_token", {"claims": {"sub": "8484b834-f29e-4af2-bf42-80644d154f76", "role": "authenticated"}})],
)  # fmt: skip
def test_an_auth_hook_is_answered_as_it_must_be(name: str, word: dict[str, Any]) -> None:
    body, source = senders.body_of("supabase", name), source_of("supabase")
    found = supabase.answer(Inbound(body, senders.headers_of(body, source), {}, senders.NOW), source)
    assert found is not None
    assert (found.status, found.headers["content-type"], json.loads(found.body)) == (
        200,
        "application/json",
        word,
    )


def test_a_webhook_of_the_database_gets_our_own_answer() -> None:
    body, source = senders.body_of("supabase", "database.insert"), source_of("supabase")
    assert supabase.answer(Inbound(body, senders.headers_of(body, source), {}, senders.NOW), source) is None


def test_no_one_time_password_is_kept() -> None:
    body, source = senders.body_of("supabase", "auth.send_email"), source_of("supabase")
    request = senders.admitted(source, body, senders.headers_of(body, source))
    assert b"305805" in body
    assert b"305805" not in request.body + request.events[0].entry
    assert b"7d5b7b1964cf5d38" not in request.body


def test_a_drain_is_an_event_for_each_line_and_what_is_none_is_dead_alone() -> None:
    lines = [
        {"id": "1", "event_message": "one", "metadata": {"level": "error"}},
        7,
        {"id": "2", "event_message": "two"},
    ]
    body, source = json.dumps(lines).encode(), source_of("supabase")
    request = senders.admitted(source, body, senders.headers_of(body, source))
    assert [event.vendor_id for event in request.events] == ["1", "2#1"]
    assert [letter.raw for letter in request.dead] == [b"7"]
    ndjson = b'{"id":"1","event_message":"one"}\n{"id":"2"}\n{"id":"3","event_message":"three"}\n'
    found = senders.read(ndjson, source)
    assert [event.title for event in found.events] == ["one", "three"]
    assert [(one.where, one.raw) for one in found.unread] == [("event_message", b'{"id":"2"}')]


# ── Vercel ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_function_that_ended_without_an_answer_is_told_from_one_that_failed() -> None:
    failed, crashed = events_of("vercel_drain", "lambda")
    assert (failed.labels["status_class"], failed.vendor_severity, failed.title) == (
        "5xx",
        "error",
        "TypeError: price of undefined",
    )
    assert (crashed.labels["status_class"], crashed.vendor_severity) == ("crashed", "error")


def test_an_anomaly_says_what_was_measured() -> None:
    [event] = events_of("vercel", "alerts.triggered")
    assert (event.title, event.summary) == ("Many more errors than usual", "http_5xx: 412, usually 3")


# ── any JSON ─────────────────────────────────────────────────────────────────────────────────────────────

MAPPED = {
    "events": "items[]", "kind": "what", "status": "zustand", "key": "join('/', [host, what])", "title": "join(' ', [what, host])",
    "severity": "level", "id": "uid", "at": "when", "firing": ["kaputt"], "resolved": ["heil"], "labels": {"host": "host", "rack": "where.rack"},
}  # fmt: skip


def test_any_json_is_read_as_its_expressions_say() -> None:
    items = [
        {"what": "disk", "host": "db1", "zustand": "Kaputt", "level": 2, "uid": 11, "when": 1_764_000_000, "where": {"rack": "r7"}},
        {"what": "disk", "host": "db1", "zustand": "heil", "when": "2025-11-24T16:00:00Z"},
        "none",
    ]  # fmt: skip
    found = senders.read(json.dumps({"items": items}).encode(), source_of("generic", settings=MAPPED))
    begun, ended = found.events
    assert (begun.status, ended.status) == ("firing", "resolved")
    assert begun.key == ended.key == "db1/disk"
    assert (begun.title, begun.vendor_id, begun.vendor_severity) == ("disk db1", "11", "2")
    assert begun.labels == {"host": "db1", "rack": "r7"}
    assert begun.starts_at == ended.starts_at == senders.NOW
    assert [one.raw for one in found.unread] == [b'"none"']


# ── heartbeats ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("state", "kind"),
    [("0", "heartbeat.success"), ("1", "heartbeat.fail"), ("137", "heartbeat.fail"), ("start", "heartbeat.start"), ("", "heartbeat.success")],
)  # fmt: skip
def test_a_jobs_address_says_how_it_went(state: str, kind: str) -> None:
    source = source_of("heartbeat")
    query = {
        "job": "nightly-backup",
        "key": heartbeat.key_of("nightly-backup", senders.SECRET),
        "state": state,
    }
    inbound = Inbound(b"disk full", {}, query, senders.NOW)
    heartbeat.verify(inbound, ["older", senders.SECRET], source)
    [event] = heartbeat.parse(inbound, source).events
    assert (event.kind, event.labels["job"], event.summary) == (kind, "nightly-backup", "disk full")


def test_a_jobs_address_opens_nothing_else() -> None:
    key = heartbeat.key_of("nightly-backup", senders.SECRET)
    for query in ({"job": "payroll", "key": key}, {"job": "nightly-backup", "key": key[:-1]}, {"job": "nightly-backup", "key": "é"},
                  {"key": key}, {"job": "nightly-backup", "key": ""}, {"job": "nightly-backup"}):  # fmt: skip
        with pytest.raises(BadSignature):
            heartbeat.verify(Inbound(b"", {}, query, senders.NOW), [senders.SECRET], source_of("heartbeat"))


# ── what is not kept ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("vendor", "name", "secrets"),
    [("uptime_kuma", "down", [b"secret-of-the-shop"]), ("statuspage", "incident", [b"unsubscribe-secret"]),
     ("booksy", "created", [b"Zofia", b"+48600700800"]), ("slack", "message", [b"old-token"])],
)  # fmt: skip
def test_what_nobody_should_find_is_not_kept(vendor: str, name: str, secrets: list[bytes]) -> None:
    body, source = senders.body_of(vendor, name), source_of(vendor)
    request = senders.admitted(source, body, senders.headers_of(body, source))
    for secret in secrets:
        assert secret in body
        assert secret not in request.body + request.events[0].entry


# ── the others' ways to send ─────────────────────────────────────────────────────────────────────────────


def test_cloudevents_come_in_three_ways_and_are_the_same() -> None:
    source = source_of("cloudevents")
    body = senders.body_of("cloudevents", "order.failed", id_="A1")
    [structured] = senders.read(body, source).events
    told = json.loads(body)
    named = {
        f"ce-{name}": str(value) for name, value in told.items() if name not in {"data", "datacontenttype"}
    }
    data = json.dumps(told["data"]).encode()
    [binary] = cloudevents.parse(
        Inbound(data, {"content-type": "application/json", **named}, {}, senders.NOW), source
    ).events
    batch = senders.read(b"[" + body + b',{"specversion":"1.0"}]', source)
    assert structured == binary == batch.events[0]
    assert [one.where for one in batch.unread] == ["id"]
    assert structured.vendor_id == "/shop/orders:A1"


@pytest.mark.parametrize(
    ("headers", "settings", "allowed"),
    [({"webhook-request-origin": "eventgrid.example"}, {}, "*"), ({"webhook-request-origin": "eventgrid.example"}, {"rate": 120}, "120"),
     ({"webhook-request-origin": "eventgrid.example"}, {"origins": ["*.example"]}, "*"), ({"webhook-request-origin": "evil.test"}, {"origins": ["*.example"]}, ""),
     ({}, {}, ""), ({"webhook-request-origin": "a\r\nset-cookie: x"}, {}, "")],
)  # fmt: skip
def test_a_sender_of_cloudevents_asks_first(
    headers: dict[str, str], settings: dict[str, Any], allowed: str
) -> None:
    found = cloudevents.handshake("OPTIONS", headers, {}, source_of("cloudevents", settings=settings))
    assert (found.headers["webhook-allowed-rate"] if found else "") == allowed
    assert found is None or found.headers["webhook-allowed-origin"] == headers["webhook-request-origin"]


def test_slack_gets_its_challenge_back_and_nothing_else() -> None:
    for name, said in (
        ("challenge", b"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"),
        ("message", b""),
    ):
        body = senders.body_of("slack", name)
        found = slack.answer(Inbound(body, {}, {}, senders.NOW), source_of("slack"))
        assert found is not None
        assert (found.status, found.body) == (200, said)


def test_uptimerobot_may_put_everything_into_the_address_or_a_form() -> None:
    fields = {
        "monitorID": "7",
        "monitorFriendlyName": "Shop",
        "alertType": "1",
        "alertDateTime": "1764000000",
    }
    source = source_of("uptimerobot")
    by_query = uptimerobot.parse(Inbound(b"", {}, {**fields, "token": "x"}, senders.NOW), source).events
    by_form = uptimerobot.parse(Inbound(forms.dumps(fields), {}, {}, senders.NOW), source).events
    assert by_query == by_form
    assert by_query[0].starts_at == senders.NOW
    assert "token" not in by_query[0].labels


def test_mail_of_somebody_else_is_information() -> None:
    settings = {"opens": ["*DOWN*"], "closes": ["*UP*"], "senders": ["*@other.example"]}
    assert events_of("email", "down", settings=settings)[0].status == "info"
    assert events_of("email", "something-new")[0].status == "info"


def test_a_datadog_variable_that_has_no_value_is_none() -> None:
    [event] = events_of("datadog", "triggered", ("link", "$LINK"), ("id", "$ID"), ("group", "$AGGREG_KEY"))
    assert (event.link, event.vendor_id, event.key) == ("", "", "monitor:4012:host:web-1")
    assert event.labels["env"] == "production"
