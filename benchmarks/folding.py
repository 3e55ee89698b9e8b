"""Fold and commit with the shipped policy, in one process; and what a plain RQ job per event does instead."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import baseline
import machine
import shapes
from redis import Redis
from rows import Row, at_least

from ledger import catalogue, policies
from ledger.collector import spare_the_collector
from ledger.commit import Writer
from ledger.connection import connect
from ledger.keys import Keys
from ledger.lease import Lease
from ledger.server import EmbeddedServer
from ledger.settings import LedgerSettings
from routing.decide import decide
from routing.entry import Lane, decode_entry
from routing.load import load as load_policy
from routing.state import State
from workers.queues import Queues

CONFIG = Path(__file__).parents[1] / "config"
BATCH = 400
JOBS = 1_000
SHAPES = {
    "alerts joining an open incident": ("k{}", "site", 40_000, 5_000, 10_000),
    "duplicates of a firing alert": ("k", "site", 40_000, 10_000, 20_000),
    "new incident with page": ("k{}", "s{}", 6_000, 1_500, 3_000),
}
"""Name -> key, service, how many, must, goal."""


def rows(room: Path) -> Iterator[Row]:
    server = EmbeddedServer(room / "var")
    server.start()
    machine.pin(server.pid, machine.CORES.others)
    machine.pin(os.getpid(), machine.CORES.server)
    client = connect(LedgerSettings(data_dir=room / "var"))
    spare_the_collector()  # as in every worker process
    try:
        plain = plain_rq(client)
        yield Row("a plain RQ job per event (stock SimpleWorker, empty job, fsync always)", f"{plain:,.0f}/s")
        for number, what in enumerate(SHAPES):
            rate = fold(client, what, Keys(partition=number + 1))
            _, _, _, must, goal = SHAPES[what]
            ratio = f"{rate / plain:,.0f} x plain RQ"
            yield at_least(f"fold + commit, full policy, one process: {what}", rate, "/s", must, goal, ratio)
    finally:
        machine.pin(os.getpid(), machine.CORES.server | machine.CORES.others)
        client.close()
        server.stop()


def fold(client: Redis, what: str, keys: Keys) -> float:
    """Entries a second: decode, decide, apply, commit, in batches as the dispatcher does it: while one is being
    written the next is decided.
    """
    key, service, many, _, _ = SHAPES[what]
    raws = [shapes.entry(key.format(n), service.format(n), n) for n in range(many)]
    policy = load_policy(policies.read_files(CONFIG), catalogue.catalogue())
    fence = Lease(client, keys, ttl_ms=600_000).acquire()
    if fence is None:
        raise RuntimeError("somebody else holds the lease")
    state, writer = State(), Writer(client, keys, fence, Queues(client).enqueue)
    began = time.perf_counter()
    for start in range(0, many, BATCH):
        batch = []
        for n, raw in enumerate(raws[start : start + BATCH], start):
            position = f"b{shapes.START + n}-0"
            decision = decide(policy, state, decode_entry(raw), position, shapes.START + n)
            state.apply(decision)
            batch.append((Lane.BULK, position, decision))
        writer.begin(batch, {Lane.BULK: batch[-1][1]}, shapes.START + start)
    writer.settle()
    return many / (time.perf_counter() - began)


def plain_rq(client: Redis) -> float:
    """Jobs a second through stock RQ: enqueued in hundreds, one job per event."""
    baseline.enqueue(client, [f"e{n}" for n in range(JOBS)])
    worker = baseline.plain_worker(client)
    began = time.perf_counter()
    worker.work(burst=True, logging_level="ERROR")
    return JOBS / (time.perf_counter() - began)
