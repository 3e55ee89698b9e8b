"""`make bench`: measures side by side in one run and writes benchmarks/RESULTS.md."""

import hashlib
import hmac
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import load
import machine
from redis import Redis

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/support"))

from stage import Stage, free_port, stage  # found by the line above

from ledger import catalogue, policies
from ledger.commit import commit
from ledger.keys import Keys
from ledger.lease import Lease
from routing.decide import decide
from routing.entry import Lane, Signal, decode_entry, encode_entry
from routing.event import Event, Status
from routing.load import load as load_policy
from routing.state import State
from workers.queues import Queues

HERE = Path(__file__).parent
ROUNDS = 3
SECONDS = 5.0
BATCH = 400
START = 1_764_000_000_000


def stripe_requests(secret: str, many: int) -> list[bytes]:
    """Signed events of about 3 KB, each with an id of its own."""
    now = int(time.time())
    made = []
    for number in range(many):
        body = json.dumps({
            "id": f"evt_{now}_{number}", "object": "event", "type": "payment_intent.succeeded", "created": now,
            "data": {"object": {"id": f"pi_{number}", "object": "payment_intent", "amount": 100,
                                "currency": "pln", "description": "x" * 2700}},
        }).encode()  # fmt: skip
        mac = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"Stripe-Signature": f"t={now},v1={mac}", "Content-Type": "application/json"}
        made.append(load.request("/hooks/stripe", headers, body))
    return made


def ingest(room: Path) -> list[str]:
    """One receiver process on its own core, fsync always, against a bare Starlette route."""
    ratios, ours, bares, tails = [], [], [], []
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "baseline:app", "--port", str(port), "--loop", "uvloop",
               "--http", "httptools", "--no-access-log", "--log-level", "warning"]  # fmt: skip
    bare = subprocess.Popen(command, cwd=HERE)
    try:
        with stage(room) as town:
            machine.pin(bare.pid, machine.CORES.server)
            machine.pin(town.children()["receiver"], machine.CORES.server)
            requests = room / "requests.bin"
            for _ in range(ROUNDS):
                load.write_requests(requests, stripe_requests(town.env["STRIPE_WEBHOOK_SECRET"], 120_000))
                plain = load.flood(port, requests, 64, SECONDS).sound()
                kept = load.flood(town.port, requests, 64, SECONDS).sound()
                ratios.append(kept.per_s / plain.per_s)
                ours.append(kept.per_s)
                bares.append(plain.per_s)
                tails.append(kept.p99_ms)
    finally:
        bare.terminate()
        bare.wait()
    rates = f"{middle(ours):.0f}/s : {middle(bares):.0f}/s; p99 {middle(tails):.0f} ms at full load"
    what = "ingest, fsync always, Stripe-signed 3 KB, against a bare route"
    return [f"| {what} | {middle(ratios):.2f} x ({rates}) | 0.5 x | 0.7 x |"]


def entry(key: str, service: str, number: int) -> bytes:
    event = Event(
        source="alertmanager", vendor="alertmanager", kind="HighLatency", status=Status.FIRING, key=key,
        title="Latency is high", starts_at=START, vendor_severity="critical",
        labels={"alertname": "HighLatency", "service": service, "instance": f"i{number}", "region": "eu"},
    )  # fmt: skip
    return encode_entry(Signal(at=START + number, event=event))


def fold(town: Stage, what: str, many: int, must: str, goal: str) -> str:
    """Decode, fold with the shipped policy and commit, in one process, in batches."""
    shapes = {"duplicates": ("k", "site"), "joins": ("k{}", "site"), "new": ("k{}", "s{}")}
    key, service = shapes[what]
    raws = [entry(key.format(n), service.format(n), n) for n in range(many)]
    policy = load_policy(policies.read_files(HERE.parent / "config"), catalogue.catalogue())
    client: Redis = town.redis
    keys = Keys(partition={"duplicates": 7, "joins": 8, "new": 9}[what])
    fence = Lease(client, keys, ttl_ms=600_000).acquire()
    assert fence is not None
    state, enqueue = State(), Queues(client).enqueue
    began = time.perf_counter()
    for start in range(0, many, BATCH):
        batch = []
        for n, raw in enumerate(raws[start : start + BATCH], start):
            position = f"b{START + n}-0"
            decision = decide(policy, state, decode_entry(raw), position, START + n)
            state.apply(decision)
            batch.append((Lane.BULK, position, decision))
        commit(client, keys, fence, batch, {Lane.BULK: batch[-1][1]}, enqueue, START + start)
    rate = many / (time.perf_counter() - began)
    return f"| fold + commit, shipped policy: {what} | {rate:,.0f}/s | {must} | {goal} |"


def middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        about = machine.describe(room)
        (room / "a").mkdir()
        rows = ingest(room / "a")
        (room / "b").mkdir()
        with stage(room / "b") as town:
            rows.append(fold(town, "joins", 40_000, "5,000/s", "10,000/s"))
            rows.append(fold(town, "duplicates", 40_000, "10,000/s", "20,000/s"))
            rows.append(fold(town, "new", 6_000, "1,500/s", "3,000/s"))
            memory = {name: machine.resident_mb(pid) for name, pid in town.children().items()}
    lines = [
        "# Results", "", "Written by `make bench`. Ratios are of one run on one machine; trust them more than rates.",
        "", *(f"- {line}" for line in about), f"- {machine.CORES}; load by {load.generator()}", "",
        "| what | measured | must | goal |", "|---|---|---|---|", *rows, "",
        "Memory when idle, MB: " + ", ".join(f"{name} {mb:.0f}" for name, mb in memory.items()), "",
    ]  # fmt: skip
    (HERE / "RESULTS.md").write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
