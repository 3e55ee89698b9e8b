"""A receiver for tests: the real application on a real port, with a policy and secrets made up here."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import gateway_standin
import httpx2
import signing
import small_policy
import uvicorn
from prompt import PromptServer
from redis import Redis

from ledger import catalogue
from ledger.clock import now_ms
from ledger.connection import Finding, connect, connect_async
from ledger.http_server import BoundedHeads
from ledger.keys import Keys
from ledger.log import append_requests, read
from ledger.settings import LedgerSettings
from ledger.views.store import Store
from receiver.app import build
from receiver.body import Room
from receiver.counts import Counts
from receiver.documents import Documents, Fetch
from receiver.durable import Durable
from receiver.gates import Gates
from receiver.keep import Append, Keep
from receiver.post import fetch_document
from receiver.settings import ReceiverSettings
from receiver.site import Site
from receiver.straight import Straight
from routing.entry import AnyEntry, Lane, decode_entry
from routing.language import matchers
from routing.policy import Policy, Secret, Source
from routing.reason import Origin

HERE = Origin("config/sources.yaml", 3)
SECRETS = {
    "STRIPE_WEBHOOK_SECRET": "whsec_test_secret",
    "STRIPE_OLD_SECRET": "whsec_rolled_away",
    "VERCEL_WEBHOOK_SECRET": "vercel_secret",
    "GITHUB_WEBHOOK_SECRET": "github-secret",
    "ALERTMANAGER_TOKEN": "am-token",
    "TOCSIN_ALERTS_TOKEN": "prom-token",
    "TOCSIN_DOOR_SECRET": "door-secret,the-one-before",
}
OPERATOR = "operator-token"


def source(name: str, vendor: str, *secrets: str, urgent: str = "", **more: Any) -> Source:
    named = tuple(Secret(secret) for secret in secrets)
    kinds = tuple(matchers.parse_all(urgent)) if urgent else ()
    return Source(name, vendor, named, HERE, urgent_kinds=kinds, **more)


POLICY = replace(
    small_policy.POLICY,
    sources={
        one.name: one
        for one in (
            source("stripe", "stripe", "STRIPE_WEBHOOK_SECRET", "STRIPE_OLD_SECRET"),
            source("vercel", "vercel", "VERCEL_WEBHOOK_SECRET"),
            source("alertmanager", "alertmanager", "ALERTMANAGER_TOKEN", urgent='severity="critical"'),
            source("prometheus", "prometheus", "TOCSIN_ALERTS_TOKEN"),
            source("tocsin", "tocsin"),
            source("unarmed", "stripe", "NOBODY_SET_THIS"),
        )
    },
)


def _client() -> httpx2.Client:
    """Without certificates, which take longer to load than a test: there is no TLS here."""
    return httpx2.Client(trust_env=False, timeout=10, verify=False)


@dataclass
class Reception:
    """A running receiver, and the Redis behind it."""

    url: str
    site: Site
    redis: Redis
    keys: Keys
    http: httpx2.Client = field(default_factory=_client)

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> httpx2.Response:
        return self.http.post(self.url + path, content=body, headers=dict(headers or {}))

    def get(self, path: str) -> httpx2.Response:
        return self.http.get(self.url + path)

    def entries(self, *lanes: Lane) -> list[AnyEntry]:
        """What was appended, in order, of these lanes or of all."""
        found = read(self.redis, self.keys, dict.fromkeys(lanes or tuple(Lane), "0-0"), 1000, 0)
        return [decode_entry(raw) for entries in found.values() for _, raw in entries]


@contextmanager
def running(
    redis: Redis,
    redis_url: str,
    *,
    policy: Policy | None = POLICY,
    settings: ReceiverSettings | None = None,
    append: Append | None = None,
    findings: Sequence[Finding] = (),
    fetch: Fetch | None = None,
    certificate: str = "",
    http: type[BoundedHeads] = Straight,
    **keeping: Any,
) -> Iterator[Reception]:
    """`certificate`: a file with one, its `.key` beside it, for clients that insist on TLS. `keeping` goes to Keep; `append` stands in for the ledger's where a test wants it slow or broken."""
    settings = settings or ReceiverSettings(
        ledger=LedgerSettings(redis_url=redis_url),
        public_url="https://tocsin.example",
        link_secret="link-secret",
        operator_tokens=(OPERATOR, "rolled-away"),
        callback_secrets={
            "TWILIO_AUTH_TOKEN": ("12345", "67890"),
            "SLACK_SIGNING_SECRET": ("standin-signing-secret", "the-one-before"),
            "RESEND_WEBHOOK_SECRET": ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",),
            "SENDGRID_WEBHOOK_PUBLIC_KEY": (signing.public(),),
            "TELEGRAM_WEBHOOK_SECRET": ("standin-telegram-secret",),
            "TOCSIN_PROVIDER_SECRET": (gateway_standin.SECRET, "rolled-away"),
        },
    )
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        settings = replace(settings, port=listening.getsockname()[1])
        site = site_of(settings, policy, append, lambda: findings, keeping, fetch)
        config = uvicorn.Config(
            build(site), lifespan="on", log_level="error", access_log=False, loop="uvloop", proxy_headers=False,
            http=http, timeout_graceful_shutdown=2, ssl_certfile=certificate or None,
            ssl_keyfile=certificate.replace(".pem", ".key") or None,
        )  # fmt: skip
        server = PromptServer(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        until(lambda: server.started and (policy is None or bool(site.gates.version)))
        scheme = "https" if certificate else "http"
        reception = Reception(f"{scheme}://127.0.0.1:{listening.getsockname()[1]}", site, redis, site.keys)
        try:
            with reception.http:
                yield reception
        finally:
            server.should_exit = True
            thread.join(10)


def site_of(
    settings: ReceiverSettings,
    policy: Policy | None,
    append: Append | None,
    inspect: Callable[[], Sequence[Finding]],
    keeping: dict[str, Any],
    fetch: Fetch | None,
) -> Site:
    client, keys = connect_async(settings.ledger), Keys()

    async def to_ledger(batch: Any) -> Any:
        return await append_requests(client, keys, batch)

    keep = Keep(append or to_ledger, **keeping)
    return Site(
        settings=settings,
        client=client,
        keys=keys,
        gates=Gates(
            lambda have: policy if policy and policy.version != have else None, catalogue.source, SECRETS
        ),
        keep=keep,
        durable=Durable(inspect, keep, settings.ledger.allow_weak),
        room=Room(settings.room_bytes),
        counts=Counts(),
        now=now_ms,
        documents=Documents(fetch or fetch_document, now_ms),
        store=Store(connect(settings.ledger), keys, settings.ledger.archive),
    )


def until(holds: Any, within_s: float = 10) -> None:
    """Wait until it holds. Raises AssertionError when it does not in time."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.005)
