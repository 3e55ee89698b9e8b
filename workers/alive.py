"""For containers: `python -m workers.alive` exits 0 when this machine's worker process showed life lately.

A worker shows life between its jobs, so one that hangs in a job longer than any job may take is dead too.
`python -m workers.alive watchdog` asks the file that the watchdog touches: it must live on when Redis does not.
"""

import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from redis import Redis
from redis.exceptions import RedisError

from ledger import wire
from ledger.clock import now_ms
from ledger.connection import connect
from ledger.keys import Keys
from workers.queues import DISPATCH_TIMEOUT_S
from workers.settings import from_env

SILENT_MS: Final = DISPATCH_TIMEOUT_S * 1000
"""The longest that a job may keep a worker busy."""
WATCHDOG_SILENT_MS: Final = 120_000
"""Telling somebody over every way, none of which answers, takes less."""
_FILE: Final = "watchdog.alive"


def show_watchdog(data_dir: Path) -> None:
    """A full disk is no reason for it to stop."""
    with suppress(OSError):
        (data_dir / _FILE).touch()


def watchdog_seen_at(data_dir: Path) -> int:
    """When the watchdog of this machine last had looked, ms; 0 for never."""
    with suppress(OSError):
        return int((data_dir / _FILE).stat().st_mtime * 1000)
    return 0


def last_seen_at(client: Redis, keys: Keys, host: str) -> int:
    """When a worker of the host last showed life, ms; 0 for never. Raises redis.RedisError."""
    pulses: dict[bytes, bytes] = wire.call(client, "HGETALL", keys.pulse)
    seen = [int(at) for name, at in pulses.items() if _host(wire.text(name)) == host]
    return max(seen, default=0)


def _host(worker: str) -> str:
    """The host in "<queue>.<host>.<pid>"; a host's name may have dots."""
    return worker.partition(".")[2].rpartition(".")[0]


def main() -> int:
    ledger = from_env().ledger
    if sys.argv[1:] == ["watchdog"]:
        return _judge(watchdog_seen_at(ledger.data_dir), WATCHDOG_SILENT_MS)
    try:
        seen = last_seen_at(connect(ledger), Keys(), socket.gethostname())
    except RedisError as error:
        return _ill(f"Redis does not answer: {error}")
    return _judge(seen, SILENT_MS)


def _judge(seen_at: int, patience_ms: int) -> int:
    silent = now_ms() - seen_at
    return _ill(f"no sign of life for {silent // 1000} s") if silent > patience_ms else 0


def _ill(why: str) -> int:
    print(why, file=sys.stderr)  # noqa: T201  # what the container's health shows
    return 1


if __name__ == "__main__":
    sys.exit(main())
