"""`tocsin up`: starts the server and every process, starts again what dies, and ends all of it together."""

import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from types import FrameType
from typing import Final

import redis
from redis.exceptions import RedisError

from ledger import lease
from ledger.clock import now_ms
from ledger.connection import connect, durability
from ledger.env_file import joined
from ledger.keys import Keys
from ledger.server import EmbeddedServer
from routing.errors import TocsinError
from workers import env_file, http
from workers.answer import Call, HttpError
from workers.database import Database
from workers.environment import Role
from workers.eviction import evict
from workers.family import SPECS, Family, fork_server
from workers.forking import ForkServer
from workers.instance import only_instance
from workers.policy_files import PolicyFiles
from workers.printing import say
from workers.settings import WorkerSettings

TURN_S: Final = 0.1
PROBE_S: Final = 0.25
CHILDREN_S: Final = 3.0
"""How long the children may take to end when asked; the rest of five seconds is the server's."""


class WeakServer(TocsinError):
    """The server's settings would break the promise that what was answered is on disk."""


class Supervisor:
    """One run of all of it."""

    def __init__(self, settings: WorkerSettings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._given = environ
        self._stopping = False
        self._reload = False
        self._ready = False
        self._probed_at = float("-inf")
        self._client: redis.Redis = connect(settings.ledger)
        self._keys = Keys()

    def run(self) -> None:
        """Until SIGINT or SIGTERM. Raises TocsinError, redis.RedisError or OSError when it cannot start."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._ask_to_stop)
        signal.signal(signal.SIGHUP, self._ask_to_reload)
        ledger = self._settings.ledger
        with only_instance(ledger.data_dir, now_ms()):
            environ = self._secrets()
            with fork_server(environ, self._settings.ledger.config_dir) as forking:
                if ledger.embedded:
                    self._supervise_on_its_own(forking, environ)
                else:
                    self._supervise(forking, environ)

    def _secrets(self) -> dict[str, str]:
        file = self._settings.env_file
        made = env_file.make(file, self._given)
        if made:
            self._tell(f"made development secrets in {file}: {', '.join(made)}")
        return joined(file, self._given)

    def _supervise_on_its_own(self, forking: ForkServer, environ: Mapping[str, str]) -> None:
        ledger = self._settings.ledger
        server = EmbeddedServer(ledger.data_dir, max_memory=ledger.max_memory)
        database = Database(server, lambda line: say("database", line))
        database.start()
        try:
            self._supervise(forking, environ)
        finally:
            database.stop()

    def _supervise(self, forking: ForkServer, environ: Mapping[str, str]) -> None:
        self._inspect()
        files = PolicyFiles(self._client, self._keys, self._settings.ledger.config_dir, environ, self._tell)
        policy = files.settle()
        specs = [spec for spec in SPECS if self._settings.console or spec.role is not Role.CONSOLE]
        family = Family(
            forking, environ, say, lambda spec, pid: evict(self._client, self._keys, spec, pid), specs
        )
        try:
            while not self._stopping:
                family.turn(policy, TURN_S)
                now, self._reload = self._reload, False
                policy = files.look(now=now) or policy
                self._greet(family)
        finally:
            self._tell("stopping")
            family.stop(CHILDREN_S)

    def _inspect(self) -> None:
        ledger = self._settings.ledger
        findings = durability(self._client, wait_replicas=ledger.wait_replicas)
        for finding in findings:
            self._tell(str(finding))
        if any(finding.level == "refuse" for finding in findings) and not ledger.allow_weak:
            raise WeakServer(
                "this server may lose what was acknowledged, see above; "
                "to start all the same set TOCSIN_ALLOW_WEAK_DURABILITY=1"
            )

    # ── what is said ─────────────────────────────────────────────────────────────────────────────────

    def _greet(self, family: Family) -> None:
        """Once, when events are taken in and somebody decides them."""
        if self._ready or time.monotonic() - self._probed_at < PROBE_S:
            return
        self._probed_at = time.monotonic()
        self._ready = family.complete() and self._dispatching() and self._receiving()
        if self._ready:
            self._tell(
                f"ready, pid {os.getpid()}: webhooks at {self._url}/hooks/<source>, health at {self._url}/readyz"
            )
            if self._settings.console:
                self._tell(f"console at {self._settings.console_url}")
            self._tell("try it in another terminal: tocsin send --list; tocsin status; tocsin outbox")

    def _dispatching(self) -> bool:
        with suppress(RedisError):
            return bool(lease.holder(self._client, self._keys))
        return False

    def _receiving(self) -> bool:
        try:
            return http.call(Call("GET", f"{self._url}/readyz", mutates=False, timeout_s=1.0)).ok
        except HttpError:
            return False

    @property
    def _url(self) -> str:
        host = self._settings.receiver_host
        reached = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104  # asked here, not bound
        return f"http://{reached}:{self._settings.receiver_port}"

    def _tell(self, line: str) -> None:
        say("tocsin", line)

    def _ask_to_stop(self, _signum: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _ask_to_reload(self, _signum: int, _frame: FrameType | None) -> None:
        self._reload = True
