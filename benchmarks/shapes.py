"""What is sent: signed Stripe events, alerts, and the entries they become, each with an id of its own."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import load

from routing.entry import Signal, encode_entry
from routing.event import Event, Status

START = 1_764_000_000_000


def stripe_requests(secret: str, many: int) -> Iterator[bytes]:
    """Signed events of about 3 KB, indented by two as Stripe writes them."""
    now = int(time.time())  # Stripe's signature is over the real time
    for number in range(many):
        intent = {"id": f"pi_{number}", "object": "payment_intent", "amount": 100, "currency": "pln"}
        event = {
            "id": f"evt_{now}_{number}", "object": "event", "type": "payment_intent.succeeded", "created": now,
            "data": {"object": {**intent, "description": "x" * 2700}},
        }  # fmt: skip
        body = json.dumps(event, indent=2).encode()
        mac = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"Stripe-Signature": f"t={now},v1={mac}", "Content-Type": "application/json"}
        yield load.request("/hooks/stripe", headers, body)


def alert(name: str, instance: str, service: str, severity: str = "warning") -> dict[str, Any]:
    """About 600 bytes, as Prometheus sends it."""
    return {
        "labels": {"alertname": name, "instance": instance, "service": service, "severity": severity,
                   "job": "node", "region": "eu-central-1", "cluster": "production"},
        "annotations": {"summary": f"{name} on {instance}", "description": "d" * 250},
        "startsAt": "2025-11-24T12:00:00Z",
        "generatorURL": "http://prometheus.example/graph?g0.expr=up",
    }  # fmt: skip


def alert_request(body: dict[str, Any], token: str) -> bytes:
    """One alert in one request to `POST /api/v2/alerts`, without a space as Prometheus writes it."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return load.request("/api/v2/alerts", headers, json.dumps([body], separators=(",", ":")).encode())


def entry(key: str, service: str, number: int) -> bytes:
    """An alert as the log has it."""
    event = Event(
        source="alertmanager", vendor="alertmanager", kind="HighLatency", status=Status.FIRING, key=key,
        title="Latency is high", starts_at=START, vendor_severity="critical",
        labels={"alertname": "HighLatency", "service": service, "instance": f"i{number}", "region": "eu"},
    )  # fmt: skip
    return encode_entry(Signal(at=START + number, event=event))
