"""Running the console: one process, one event loop, until it is asked to stop."""

import os
import sys
import threading
from contextlib import suppress

import click
import structlog
import uvicorn
from redis.exceptions import RedisError

from console.serving import navigation
from console.serving.app import build
from console.serving.rendering import templates
from console.serving.settings import ConsoleSettings
from console.serving.site import LiveContext, Site
from console.trust import welcoming
from ledger import http_server
from ledger.collector import spare_the_collector
from ledger.connection import connect
from ledger.keys import Keys
from routing.errors import TocsinError

_log = structlog.get_logger(__name__)

WAY = 5
"""Pages are made in the time that deciding and paging leave, where there is not enough for all."""
SWITCH_S = 0.001
"""So long a thread that makes a page, or reads for a report, keeps the others from theirs."""
WARM_S = 3.0
"""So long at most it does not listen yet, but reads what its first page needs."""
GRACE_S = 2
"""For requests under way when it is asked to stop. LiveContext updates are ended at once: browsers come back."""


def serve(settings: ConsoleSettings) -> int:
    """Until SIGTERM or SIGINT. Returns the exit status."""
    sys.setswitchinterval(SWITCH_S)
    os.nice(WAY)  # before there are threads: each has a priority of its own
    site = site_of(settings)
    server = _Server(served(site), site)
    warming = threading.Thread(target=warm, args=(site,), daemon=True)
    warming.start()
    warming.join(WARM_S)
    _log.info("console starts", address=settings.origin)
    threading.Thread(target=welcoming.greet_in_time, args=(site,), daemon=True).start()
    return http_server.run(server)


def warm(site: Site) -> None:
    """Read beforehand what the first who looks would wait for: templates, and the policy that decides."""
    for name in templates().list_templates():
        templates().get_template(name)
    navigation.known()
    with suppress(
        RedisError, OSError, TocsinError, ValueError, click.ClickException
    ):  # who looks is told of it
        _log.debug("the policy is read", version=site.context.policy.version)
    spare_the_collector()


def served(site: Site) -> uvicorn.Config:
    """How its app is served, wherever it listens."""
    host, port = site.settings.host, site.settings.port
    return http_server.configured(build(site), host=host, port=port, grace_s=GRACE_S, date_header=False)


def site_of(settings: ConsoleSettings) -> Site:
    """Everything as it is outside of tests."""
    return Site(settings, LiveContext(settings.ledger, connect(settings.ledger), Keys()))


class _Server(uvicorn.Server):
    """Tells the live updates to end when it is asked to stop: it waits for no request that never ends."""

    def __init__(self, config: uvicorn.Config, site: Site) -> None:
        super().__init__(config)
        self._site = site

    def handle_exit(self, sig: int, frame: object) -> None:
        self._site.live.close()
        super().handle_exit(sig, frame)  # type: ignore[arg-type]  # a frame, or None
