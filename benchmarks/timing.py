"""Latency when idle: from a 202 to the phone company; how late timers are, also after kill -9 of a dispatcher."""

import os
import random
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import load
import whole
from rows import Row, at_most
from stage import Stage, until
from vendor import Asked, Reply, serving

from ledger import wire
from ledger.clock import now_ms
from routing.entry import TimerDue, decode_entry

PAGES = 100
KILLS = 5
TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_API_KEY": "SK" + "1" * 32, "TWILIO_API_SECRET": "bench",
    "TWILIO_FROM_NUMBER": "+15005550006", "TWILIO_AUTH_TOKEN": "bench", "TWILIO_CALLS_PER_S": "1000",
    "TOCSIN_PUBLIC_URL": "https://bench.example",
}  # fmt: skip


def rows(room: Path) -> Iterator[Row]:
    rung: list[float] = []

    def twilio(_: Asked) -> Reply:
        rung.append(time.perf_counter())
        return Reply(201, {"sid": f"CA{len(rung):032x}", "status": "queued"})

    with serving(twilio) as vendor, whole.town(room, {**TWILIO, "TWILIO_BASE_URL": vendor.url}) as town:
        took = list(pages(town, rung))
        more = f"p50 {load.percentile(took, 50):.0f} ms, {len(took)} outages"
        yield at_most(
            "idle: 202 to first provider call, p99", load.percentile(took, 99), " ms", 100, 30, more
        )
        yield Row("memory after it, MB", whole.memory(town))
        timers = set_timers(town, 300, 10.0)
        late = lateness(town, timers)
        yield at_most("timers late when idle, p99", load.percentile(late, 99), " ms", 100, 20)
        worst = [takeover(town) for _ in range(KILLS)]
        yield at_most(
            "timers late after kill -9 of the dispatcher, worst", max(worst), " s", 10, 3, f"{KILLS} kills"
        )


def pages(town: Stage, rung: list[float]) -> Iterator[float]:
    """Seconds from each 202 to the first call for it."""
    for number in range(PAGES):
        before = len(rung)
        whole.outage(town, f"idle-{number}")
        taken = time.perf_counter()
        until(lambda: len(rung) > before, 20)  # noqa: B023  # called before the loop goes on
        yield rung[before] - taken
        time.sleep(0.1)


def set_timers(town: Stage, many: int, over_s: float) -> dict[str, int]:
    """Timers at random instants of the next seconds, of incidents nobody knows: they only ring."""
    now, chance = now_ms(), random.Random(7)  # noqa: S311  # no secret
    timers = {f"quiet:bench-{now}-{n}": now + 500 + chance.randrange(int(over_s * 1000)) for n in range(many)}
    town.redis.zadd(town.keys.timers, timers)
    return timers


def lateness(town: Stage, timers: dict[str, int]) -> list[float]:
    """Seconds each was late, by the instant the store gave its entry."""
    until(lambda: not any(town.redis.zmscore(town.keys.timers, list(timers))), 120)
    late = []
    for position, fields in wire.call(town.redis, "XRANGE", town.keys.log("control"), "-", "+"):
        found = decode_entry(fields[b"e"])
        if isinstance(found, TimerDue) and found.timer in timers:
            late.append((int(position.split(b"-")[0]) - found.due_at) / 1000)
    if len(late) < len(timers):
        raise RuntimeError(f"{len(timers) - len(late)} timers never rang")
    return late


def takeover(town: Stage) -> float:
    """Kill the dispatcher that holds the lease; seconds that the latest timer was late."""
    timers = set_timers(town, 200, 4.0)
    time.sleep(1.0)
    os.kill(town.children()[leader(town)], signal.SIGKILL)
    return max(lateness(town, timers))


def leader(town: Stage) -> str:
    """Name of the process that said last that it dispatches."""
    said = re.findall(r"^(dispatch-\d+) +\|.*dispatching", town.output(), re.MULTILINE)
    return str(said[-1])
