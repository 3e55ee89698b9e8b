"""For containers: `python -m workers.alive` exits 0 when this machine's worker process showed life lately.

A worker shows life between its jobs, so one that hangs in a job longer than any job may take is dead too.
"""

import socket
import sys
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


def last_seen_at(client: Redis, keys: Keys, host: str) -> int:
    """When a worker of the host last showed life, ms; 0 for never. Raises redis.RedisError."""
    pulses: dict[bytes, bytes] = wire.call(client, "HGETALL", keys.pulse)
    seen = [int(at) for name, at in pulses.items() if _host(wire.text(name)) == host]
    return max(seen, default=0)


def _host(worker: str) -> str:
    """The host in "<queue>.<host>.<pid>"; a host's name may have dots."""
    return worker.partition(".")[2].rpartition(".")[0]


def main() -> int:
    try:
        seen = last_seen_at(connect(from_env().ledger), Keys(), socket.gethostname())
    except RedisError as error:
        print(f"Redis does not answer: {error}", file=sys.stderr)  # noqa: T201  # what the container's health shows
        return 1
    silent = now_ms() - seen
    if silent > SILENT_MS:
        print(f"no sign of life for {silent // 1000} s", file=sys.stderr)  # noqa: T201  # as above
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
