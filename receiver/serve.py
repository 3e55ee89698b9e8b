"""Running the receiver: one process, one event loop, until it is asked to stop."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog
import uvicorn

from ledger import catalogue, http_server, policies
from ledger.clock import now_ms
from ledger.collector import spare_the_collector
from ledger.connection import connect, connect_async, durability
from ledger.faults import reach
from ledger.keys import Keys
from ledger.log import Kept, Request, append_requests
from ledger.views.store import Store
from receiver.app import build
from receiver.body import Room
from receiver.counts import Counts
from receiver.documents import Documents
from receiver.durable import Durable
from receiver.gates import Gates
from receiver.keep import Keep
from receiver.post import fetch_document
from receiver.settings import ReceiverSettings
from receiver.site import Site
from receiver.straight import Straight
from routing.policy import Policy

_log = structlog.get_logger(__name__)

GRACE_S = 4
"""For requests under way when it is asked to stop."""
IDLE_S = 75
"""Connections are kept longer than vendors' clients keep theirs, so that none is closed under a request."""


def serve(settings: ReceiverSettings, environ: Mapping[str, str], *, host: str, port: int) -> int:
    """Until SIGTERM or SIGINT; then what was taken is written first. Returns the exit status."""
    app = build(site(replace(settings, host=host, port=port), environ, Keys()))
    more: dict[str, Any] = {"http": Straight, "timeout_keep_alive": IDLE_S, "backlog": 4096}
    server = uvicorn.Server(http_server.configured(app, host=host, port=port, grace_s=GRACE_S, **more))
    spare_the_collector(50_000)
    _log.info("receiver starts", address=f"http://{host}:{port}")
    return http_server.run(server)


def site(settings: ReceiverSettings, environ: Mapping[str, str], keys: Keys) -> Site:
    """Everything as it is outside of tests."""
    client, reading, inspecting, showing = (
        connect_async(settings.ledger),
        *(connect(settings.ledger) for _ in range(3)),
    )
    replicas = settings.ledger.wait_replicas

    async def append(batch: Sequence[Request]) -> list[Kept]:
        reach("append.before")
        kept = await append_requests(client, keys, batch, replicas=replicas)
        reach("append.after")
        return kept

    def fetch(have: str) -> Policy | None:
        version = policies.current_version(reading, keys)
        return policies.by_version(reading, keys, version) if version and version != have else None

    kept = Keep(append, pending=settings.pending)
    return Site(
        settings=settings,
        client=client,
        keys=keys,
        gates=Gates(fetch, catalogue.source, environ),
        keep=kept,
        durable=Durable(
            lambda: durability(inspecting, wait_replicas=replicas), kept, settings.ledger.allow_weak
        ),
        room=Room(settings.room_bytes),
        counts=Counts(),
        now=now_ms,
        documents=Documents(fetch_document, now_ms),
        store=Store(showing, keys, settings.ledger.archive),
    )
