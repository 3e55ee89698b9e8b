"""The health check of a worker's container."""

import socket
import subprocess
import sys

from redis import Redis

from ledger.clock import now_ms
from ledger.keys import Keys
from workers.alive import SILENT_MS, last_seen_at
from workers.serving import worker_name


def check(redis_url: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "workers.alive"],
        env={"TOCSIN_REDIS_URL": redis_url},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_a_worker_that_showed_life_lately_is_healthy(redis_url: str, redis: Redis, keys: Keys) -> None:
    redis.hset(keys.pulse, worker_name("tocsin-deliver"), now_ms())
    assert check(redis_url).returncode == 0


def test_a_worker_that_fell_silent_is_not(redis_url: str, redis: Redis, keys: Keys) -> None:
    redis.hset(keys.pulse, worker_name("tocsin-deliver"), now_ms() - SILENT_MS - 5_000)
    result = check(redis_url)
    assert result.returncode == 1
    assert "no sign of life" in result.stderr


def test_another_machines_life_does_not_count(redis: Redis, keys: Keys) -> None:
    redis.hset(keys.pulse, f"deliver.other.{socket.gethostname()}.1", now_ms())
    assert last_seen_at(redis, keys, socket.gethostname()) == 0


def test_without_redis_it_is_not_healthy() -> None:
    assert check("redis://127.0.0.1:1/0").returncode == 1
