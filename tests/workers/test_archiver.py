"""However much comes in, Redis keeps no more than its share of what is decided."""

from pathlib import Path

import pytest
from redis import Redis

from ledger import log, wire
from ledger.archive.moving import BATCH
from ledger.keys import Keys
from ledger.settings import LedgerSettings
from routing.entry import Command, Lane, Verb
from workers.archiver import sweeper

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
