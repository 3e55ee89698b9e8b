"""The receiver and `tocsin send` as people start them: real processes, the shipped configuration."""

import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import shipped
from click.testing import CliRunner, Result
from redis import Redis
from stage import PROGRAM, free_port

from console.main import tocsin
from ledger import policies
from ledger.connection import connect
from ledger.keys import Keys
from ledger.log import read
from ledger.server import EmbeddedServer
from ledger.settings import LedgerSettings
from routing.entry import Lane, Signal, decode_entry
from routing.errors import TocsinError
from routing.load import load

pytestmark = pytest.mark.xdist_group("receiver-process")

SECRETS = {name: f"secret-{name.lower()}" for name in shipped.SECRETS}


@dataclass
class Started:
    """A receiver's process, and what another terminal next to it would see."""

    process: subprocess.Popen[str]
    port: int
    environ: dict[str, str]
    room: Path

    def tocsin(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*PROGRAM, *arguments], cwd=self.room, env=self.environ, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip

    def send(self, *arguments: str) -> Result:
        """`tocsin send` in this process, where it is not the process that matters."""
        told = {**self.environ, "TOCSIN_ENV_FILE": str(self.room / ".env")}
        return CliRunner().invoke(tocsin, ["send", *arguments], env=told)


def ready(port: int) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False


@contextmanager
def running(redis_url: str, room: Path) -> Iterator[Started]:
    port = free_port()
    environ = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "TOCSIN_REDIS_URL": redis_url, "TOCSIN_RECEIVER_PORT": str(port),
    }  # fmt: skip
    process = subprocess.Popen(
        [*PROGRAM, "receiver"], cwd=room, env={**environ, **SECRETS}, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 30
        while not ready(port):
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield Started(process, port, environ, room)
    finally:
        process.kill()
        process.communicate()


def publish(redis: Redis, files: dict[str, str] | None = None) -> None:
    policy = load(files, shipped.vendors()) if files else shipped.policy()
    policies.publish(redis, Keys(), files or shipped.files(), shipped.vendors(), policy, "test")


@pytest.fixture(scope="module")
def shared(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """One process for all tests that leave it as it was."""
    with connect(LedgerSettings(redis_url=server.url)) as client:
        client.flushall()
        publish(client)
    with running(server.url, tmp_path_factory.mktemp("receiver")) as found:
        yield found


@pytest.fixture
def started(shared: Started, redis: Redis) -> Started:
    publish(redis)
    (shared.room / ".env").write_text("".join(f"{name}={value}\n" for name, value in SECRETS.items()))
    return shared


@pytest.fixture
def own(redis: Redis, redis_url: str, tmp_path: Path) -> Iterator[Started]:
    """One of its own, for a test that ends or changes it."""
    publish(redis)
    with running(redis_url, tmp_path) as found:
        yield found


def signals(redis: Redis) -> list[Signal]:
    found = read(redis, Keys(), dict.fromkeys((Lane.URGENT, Lane.BULK), "0-0"), 1000, 0)
    entries = [decode_entry(raw) for lane in found.values() for _, raw in lane]
    return [entry for entry in entries if isinstance(entry, Signal)]


def test_send_prints_the_id_of_what_was_kept(started: Started, redis: Redis) -> None:
    done = started.tocsin("send", "vercel", "deployment.succeeded")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.split()) == 2
    assert [signal.event.kind for signal in signals(redis)] == ["deployment.succeeded", "deployment.error"]


def test_send_sends_many_each_with_a_fresh_id(started: Started, redis: Redis) -> None:
    done = started.send("stripe", "payment_intent.payment_failed", "--count", "20")
    assert done.exit_code == 0
    assert len(set(done.stdout.split())) == 20
    assert len({signal.event.vendor_id for signal in signals(redis)}) == 20


def test_send_with_an_id_twice_is_one_event(started: Started, redis: Redis) -> None:
    told = ["stripe", "payout.failed", "--id", "evt_same", "--json"]
    one, other = (json.loads(started.send(*told).stdout) for _ in range(2))
    assert one == other
    assert len(signals(redis)) == 1


def test_send_changes_the_body(started: Started, redis: Redis) -> None:
    done = started.send("alertmanager", "firing", "--set", "alerts.0.labels.instance=db7")
    assert done.exit_code == 0
    assert signals(redis)[0].event.labels["instance"] == "db7"


def test_send_plays_a_prometheus_against_the_look_alike_api(started: Started, redis: Redis) -> None:
    assert started.send("alerts-api", "firing").exit_code == 0
    assert signals(redis)[0].event.source == "alerts-api"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["nobody", "firing"], 1, "there are: alertmanager, alerts-api, stripe, vercel"),
        (["stripe", "nothing"], 1, "there are: charge.dispute.closed"),
        (["stripe"], 2, "SAMPLE"),
        (["alertmanager", "firing", "--id", "x"], 2, "has no id to set"),
        (["stripe", "payout.failed", "--set", "data.object"], 2, "PATH=VALUE"),
        (["stripe", "payout.failed", "--set", "data.nowhere.amount=1"], 2, "nowhere"),
        (["stripe", "payout.failed", "--url", "http://127.0.0.1:9"], 1, "is the receiver running"),
        (["stripe", "payout.failed", "--url", "nonsense"], 1, "nonsense"),
    ],
)
def test_send_says_what_was_wrong(started: Started, arguments: list[str], status: int, said: str) -> None:
    done = started.send(*arguments)
    assert done.exit_code == status
    assert isinstance(done.exception, SystemExit | TocsinError), "it is told, and does not crash"
    assert said in f"{done.stderr}{done.exception}"


def test_a_refusal_is_shown_with_its_hint(started: Started) -> None:
    (started.room / ".env").write_text("STRIPE_WEBHOOK_SECRET=another\n")
    done = started.tocsin("send", "stripe", "payout.failed")
    assert done.returncode == 1
    assert "401: no v1 signature matches" in done.stderr
    assert "STRIPE_WEBHOOK_SECRET" in done.stderr


def test_send_without_a_secret_says_which(started: Started) -> None:
    (started.room / ".env").unlink()
    done = started.tocsin("send", "stripe", "payout.failed")
    assert done.returncode == 1
    assert "STRIPE_WEBHOOK_SECRET" in done.stderr
    assert "Traceback" not in done.stderr


def test_send_lists_samples_without_anything_running(tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "send", "--list"], cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert "tocsin send vercel deployment.succeeded" in done.stdout.splitlines()


def test_a_new_policy_is_in_force_within_seconds(own: Started, redis: Redis) -> None:
    (own.room / ".env").write_text(f"VERCEL_WEBHOOK_SECRET={SECRETS['VERCEL_WEBHOOK_SECRET']}\n")
    publish(redis, shipped.spoilt("sources.yaml", "  vercel:\n", "  hosting:\n"))
    deadline = time.monotonic() + 20
    while own.send("hosting", "deployment.created").exit_code != 0:
        assert time.monotonic() < deadline


def test_asked_to_stop_it_answers_what_it_took_and_ends_well(own: Started) -> None:
    before = time.monotonic()
    own.process.send_signal(signal.SIGTERM)
    assert own.process.wait(10) == 0
    assert time.monotonic() - before < 5


def test_a_port_in_use_is_said(started: Started) -> None:
    second = started.tocsin("receiver", "--port", str(started.port))
    assert second.returncode != 0
    assert "address already in use" in second.stderr
