"""One worker process: `python -m workers.child workers.serving:main QUEUE`."""

import contextlib
import os
import socket
import sys

import structlog
from redis.exceptions import RedisError

from ledger import catalogue, logs, pulse, sentry
from ledger.clock import now_ms
from ledger.collector import spare_the_collector
from ledger.connection import connect
from ledger.keys import Keys
from routing.errors import TocsinError
from workers import context, tasks
from workers.context import Context
from workers.queues import DISPATCH, QUEUES, REMEDIATE
from workers.settings import environment, from_env
from workers.worker import OneQueueWorker

log = structlog.get_logger(__name__)


def main() -> None:
    (queue,) = sys.argv[1:]
    logs.configure()
    sentry.start(environment())
    serve(queue)


def serve(queue: str) -> None:
    """Serve one queue until SIGTERM or SIGINT. Raises ValueError for a queue that is not ours."""
    if queue not in QUEUES:
        raise ValueError(f"no queue {queue!r}; there are {', '.join(QUEUES)}")
    settings, keys = from_env(), Keys()
    name = worker_name(queue)
    client = connect(settings.ledger)

    def show_alive() -> None:
        pulse.show(client, keys, name, now_ms())

    worker = OneQueueWorker(queue, client, name, show_alive)
    context.install(Context(client, keys, settings, environment(), name, lambda: worker.stopping))
    tasks.warm(queue)
    _warm_vendors(queue)
    spare_the_collector()
    worker.serve()


def worker_name(queue: str) -> str:
    """Unique among all machines; no spaces, as claims keep it between spaces."""
    return f"{queue.removeprefix('tocsin-')}.{socket.gethostname()}.{os.getpid()}"


def _warm_vendors(queue: str) -> None:
    """Compile the policy and import its vendors before the first page has to wait for it."""
    if queue == DISPATCH:
        return
    # Not there yet, or not now: then it happens with the first job.
    with contextlib.suppress(RedisError, TocsinError, LookupError):
        policy = context.current().policy()
        if queue == REMEDIATE:
            for family in policy.settings:
                catalogue.action(family)
        else:
            for channel in policy.channels.values():
                catalogue.channel(channel.vendor)
