"""Upkeep: a spare dispatch job in the queue at all times, RQ's rubbish removed, what is closed archived, feeds read,
what we missed, and mail that came back.

One small process beside the archive; several at once do no harm.
"""

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

import structlog
from redis.exceptions import RedisError

from ledger import pulse, sentry
from ledger.clock import now_ms
from ledger.connection import connect
from ledger.keys import Keys
from workers import archiver
from workers.bounces import EVERY_S as BOUNCES_S
from workers.bounces import Bounces
from workers.feeds import EVERY_S as FEEDS_S
from workers.feeds import Feeds
from workers.gaps import EVERY_S as GAPS_S
from workers.gaps import Gaps
from workers.orphans import Orphans
from workers.queues import Queues
from workers.quietness import EVERY_S as QUIET_S
from workers.quietness import Quietness
from workers.reaper import EVERY_S as REAP_S
from workers.reaper import Reaper
from workers.retrieving import EVERY_S as RETRIEVING_S
from workers.retrieving import Retrieving
from workers.serving import worker_name
from workers.settings import WorkerSettings, environment, from_env
from workers.status_folders import EVERY_S as FOLDERS_S
from workers.status_folders import StatusFolders

SPARE_S: Final = 1.0
PULSE_S: Final = 5.0
FORGET_S: Final = 60.0
LOOK_S: Final = 0.2

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Chore:
    """Something done every `every_s`. What fails is said once, and tried again."""

    name: str
    every_s: float
    do: Callable[[], object]
    due: float = 0.0
    failed: bool = field(default=False)

    def turn(self) -> None:
        if time.monotonic() < self.due:
            return
        try:
            self.do()
            self.failed = False
        except RedisError as error:
            if not self.failed:
                log.warning("Redis does not answer, trying again", chore=self.name, error=str(error))
            self.failed = True
        except Exception:  # one chore's fault must not keep the others from being done
            log.exception("chore failed", chore=self.name)
        self.due = time.monotonic() + self.every_s


def main() -> None:
    """As the supervisor's child."""
    sentry.start(environment())
    serve(from_env())


def serve(settings: WorkerSettings) -> None:
    """Until SIGTERM or SIGINT. What is over moves to the archive in this machine's data directory."""
    keys = Keys()
    client = connect(settings.ledger)
    name = worker_name("upkeep")
    chores = [
        Chore("spare", SPARE_S, Queues(client).keep_spare),
        Chore("pulse", PULSE_S, lambda: pulse.show(client, keys, name, now_ms())),
        Chore("forget", FORGET_S, lambda: pulse.forget(client, keys, now_ms())),
        Chore("reap", REAP_S, Reaper(client, keys).round),
        Chore("orphans", REAP_S, Orphans(client).round),
        Chore("quiet", QUIET_S, Quietness(client, keys, name).round),
        Chore("archive", archiver.EVERY_S, archiver.sweeper(client, keys, settings.ledger)),
    ]
    # Another's server may take its time, and a spare job may not wait for it; nor for a large archive.
    forget = Chore("bodies", archiver.FORGET_S, archiver.forgetter(client, keys, settings.ledger))
    feeds = Chore("feeds", FEEDS_S, Feeds(client, keys, environment()).round)
    missed = Gaps(client, keys, environment(), name, settings.receiver)
    gaps = Chore("gaps", GAPS_S, missed.round)
    rest = Retrieving(client, keys, environment(), name, settings.receiver)
    retrieving = Chore("retrieving", RETRIEVING_S, rest.round)
    bounces = Chore("bounces", BOUNCES_S, Bounces(client, keys, environment()).round)
    folders = Chore("status folders", FOLDERS_S, StatusFolders(client, keys, environment()).round)
    for chore in (forget, feeds, gaps, retrieving, bounces, folders):
        threading.Thread(target=_turn, args=(chore,), name=chore.name, daemon=True).start()
    run(chores)


def _turn(chore: Chore) -> None:
    """For ever."""
    while True:
        chore.turn()
        time.sleep(LOOK_S)


def run(chores: list[Chore]) -> None:
    """Until SIGTERM or SIGINT."""
    stopping: list[int] = []

    def stop(signum: int, _frame: FrameType | None) -> None:
        stopping.append(signum)

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, stop)
    while not stopping:
        for chore in chores:
            if not stopping:
                chore.turn()
        time.sleep(LOOK_S)
