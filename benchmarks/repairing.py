"""What automation costs: a thousand runs that wait, and the rails that are asked before each change."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import load
import machine
import shapes
import whole
from guarding import guarded
from rows import Row, at_most
from stage import ROOT, Stage, stage, until
from vendor import Asked, Reply, serving

from ledger.connection import connect
from ledger.keys import Keys
from ledger.server import EmbeddedServer
from ledger.settings import LedgerSettings
from ledger.state import load_state
from routing.decision import Table
from routing.run import Run, RunPhase

RUNS = 1_000
MEANWHILE = 50
CHECKS = 2_000
MB = 1_024
RUNBOOK = """id: bench
version: 1
title: Repair and look again for an hour
match: ['kind="BenchOpen"']
target: "bench:{{ incident.service }}"
mode: auto
timeout: 6h
limits: {everywhere: {per_hour: 1000, per_day: 1000}}
diagnose:
  - {id: health, action: http.probe, params: {url: /health, count: 1}, timeout: 10s}
guards:
  - {require: health.ok, reason: it must answer}
remediate:
  - id: repair
    action: http.request
    params: {method: POST, path: "/repair/{{ incident.service }}"}
    timeout: 10s
    recover: self_healing
verify:
  action: http.probe
  params: {url: /health, count: 1}
  timeout: 10s
  until: ok
  every: 30m
  for: 1h
  deadline: 2h
tests:
  - name: it helps
    happens: [{at: 0s, event: {source: alertmanager, kind: BenchOpen}}]
    given: {health: {ok: true}, repair: {ok: true}, verify: {ok: true}}
    expect: {ends: succeeded, changes: [repair]}
  - name: it does not answer
    happens: [{at: 0s, event: {source: alertmanager, kind: BenchOpen}}]
    given: {health: {ok: false}}
    expect: {ends: stopped}
"""


def rows(room: Path) -> Iterator[Row]:
    yield guard_row(room / "rails")
    asked: dict[str, float] = {}

    def site(request: Asked) -> Reply:
        asked.setdefault(request.path, time.perf_counter())
        return Reply(200, {})

    text = (ROOT / "config/tocsin.yaml").read_text()
    budget = text.replace("max_running: 3 ", "max_running: 100\nruns: {per_hour: 1000, per_day: 1000} ", 1)
    with serving(site) as vendor:
        environ = {"TOCSIN_SITE_URL": vendor.url, "TOCSIN_ALLOW_PRIVATE": "true"}
        config = {"runbooks/bench.yaml": RUNBOOK, "tocsin.yaml": budget}
        with stage(room / "runs", environ, config) as town:
            yield from open_rows(town, asked)


def open_rows(town: Stage, asked: dict[str, float]) -> Iterator[Row]:
    began = time.perf_counter()
    for number in range(RUNS - MEANWHILE):
        whole.post(town, shapes.alert("BenchOpen", f"i{number}", f"run-{number}"))
    until(lambda: waiting(town) == RUNS - MEANWHILE, 900)
    took = time.perf_counter() - began
    late = []
    for number in range(RUNS - MEANWHILE, RUNS):
        whole.post(town, shapes.alert("BenchOpen", f"i{number}", f"run-{number}"))
        taken, path = time.perf_counter(), f"/repair/run-{number}"
        until(lambda: path in asked, 120)  # noqa: B023  # called before the loop goes on
        late.append(asked[path] - taken)
    until(lambda: waiting(town) == RUNS, 120)
    pids = town.pids()
    total = sum(machine.held_mb(pid) for pid in pids)
    more = f"{len(pids)} processes; opened in {took:.0f} s"
    what = f"{RUNS:,} open runs, all processes together"
    yield Row(what, f"{total:,.0f} MB ({more})", "1,024 MB", met=total < MB)
    yield Row(
        "... another alert meanwhile: 202 to its first change, p99",
        f"{load.percentile(late, 99):.0f} ms (p50 {load.percentile(late, 50):.0f} ms, {MEANWHILE} of them)",
    )
    yield Row("... memory, MB", whole.memory(town))


def waiting(town: Stage) -> int:
    """Runs that have changed something and wait until they look again."""
    runs = load_state(town.redis, town.keys).tables[Table.RUN].values()
    time.sleep(0.5)  # reading all of it is work for the machine that is measured
    return sum(isinstance(run, Run) and run.phase is RunPhase.VERIFY and run.verified > 0 for run in runs)


def guard_row(room: Path) -> Row:
    """All that is asked before one change: whether it may run, by the fold; lock and kill switch, by the worker."""
    server = EmbeddedServer(room / "var")
    server.start()
    machine.pin(server.pid, machine.CORES.others)
    machine.pin(os.getpid(), machine.CORES.server)
    try:
        with connect(LedgerSettings(data_dir=room / "var")) as client:
            took = [guarded(client, Keys(), number) for number in range(CHECKS)]
    finally:
        machine.pin(os.getpid(), machine.CORES.server | machine.CORES.others)
        server.stop()
    more = f"p99 {load.percentile(took, 99):.2f} ms; permit, kill switch, lock with one fsync, both once more"
    return at_most("the guard check of one change, p50", load.percentile(took, 50), " ms", 1, 0.5, more)
