"""However much comes in, Redis keeps no more than its share of what is decided."""

from pathlib import Path

import pytest
import shipped
from redis import Redis

from ledger import log, policies, wire
from ledger.archive.moving import BATCH
from ledger.clock import now_ms
from ledger.keys import Keys
from ledger.settings import LedgerSettings
from routing.entry import Command, Lane, Verb
from routing.instant import DAY, HOUR
from routing.load import load
from workers.archiver import forgetter, keeping_of, sweeper

STAYS = 10


@pytest.fixture
def backlog(redis: Redis, keys: Keys) -> int:
    """Entries that were all decided."""
    many = 3 * BATCH + STAYS
    note = Command(at=1, incident="INC-1", verb=Verb.NOTE)
    last = log.append_many(redis, keys, [(Lane.CONTROL, note)] * many)[-1]
    redis.hset(keys.cursor, Lane.CONTROL, last)
    return many


def left(redis: Redis, keys: Keys) -> int:
    return int(wire.call(redis, "XLEN", keys.log(Lane.CONTROL)))


@pytest.mark.usefixtures("backlog")
def test_one_turn_moves_all_that_is_too_much(redis: Redis, keys: Keys, tmp_path: Path) -> None:
    sweeper(redis, keys, LedgerSettings(data_dir=tmp_path), max_entries=STAYS, budget_s=60)()
    assert left(redis, keys) == STAYS


def test_a_turn_ends_with_its_time_so_that_other_chores_are_done(
    redis: Redis, keys: Keys, tmp_path: Path, backlog: int
) -> None:
    work = sweeper(redis, keys, LedgerSettings(data_dir=tmp_path), max_entries=STAYS, budget_s=0)
    work()
    assert left(redis, keys) == backlog - BATCH
    work()
    assert left(redis, keys) == backlog - 2 * BATCH


def test_bodies_are_kept_as_long_as_the_configuration_says(redis: Redis, keys: Keys, tmp_path: Path) -> None:
    files = shipped.spoilt("tocsin.yaml", "retire_after: 7d", "retire_after: 7d\nkeep_bodies: 30d")
    key = "config/sources.yaml"
    files[key] = files[key].replace("  stripe:\n", "  stripe:\n    keep_bodies: 1h\n", 1)
    policy = load(files, shipped.vendors())
    keeping = keeping_of(policy)
    assert (keeping.others, dict(keeping.sources)) == (30 * DAY, {"stripe": HOUR})
    two_hours_old = f"{now_ms() - 2 * HOUR}-*"
    for at, source in ((two_hours_old, "stripe"), (two_hours_old, "vercel"), ("*", "stripe")):
        wire.call(redis, "XADD", keys.raw, at, "b", b"x", "h", b"{}", "s", source)
    forget = forgetter(redis, keys, LedgerSettings(data_dir=tmp_path))
    forget()
    assert redis.xlen(keys.raw) == 3, "before there is any policy nothing goes"
    policies.publish(redis, keys, files, shipped.vendors(), policy, "test")
    forget()
    assert redis.xlen(keys.raw) == 2
