"""Kill -9 loses nothing: every process, at any instant, while events come in. The senders' logs are the truth."""

import hashlib
import hmac
import json
import os
import random
import signal
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
from stage import Stage, stage, until

from ledger.clock import now_ms
from ledger.state import load_state
from routing.audit import audit
from routing.decision import Table
from routing.incident import Alert, Verdict
from routing.record import decode

pytestmark = [pytest.mark.kill, pytest.mark.timeout(300), pytest.mark.xdist_group("kill")]

ROUNDS = int(os.environ.get("TOCSIN_CHAOS_ROUNDS", "1"))  # how long the test runs is no setting of ours
VICTIMS = ("receiver", "dispatch-1", "dispatch-2", "urgent", "deliver", "watchdog", "upkeep", "database")
POINTS = (
    "append.before", "append.after", "commit.before", "commit.after", "deliver.claimed", "deliver.answered",
)  # fmt: skip
SENDERS = 4
GIVE_UP_S = 90.0
ENOUGH = 40


class Sender(threading.Thread):
    """Sends disputes one after the other, as Stripe would: again and again until it is answered 2xx."""

    def __init__(self, town: Stage, name: str, stop: threading.Event) -> None:
        super().__init__(name=name)
        self._town, self._stop_asked = town, stop
        self._secret = town.env["STRIPE_WEBHOOK_SECRET"]
        self.accepted: dict[str, set[str]] = {}
        """Dispute -> ids it was answered with."""

    def run(self) -> None:
        number = 0
        while not self._stop_asked.is_set():
            number += 1
            dispute = f"dp_{self.name}_{number}"
            until_ = time.monotonic() + GIVE_UP_S
            while time.monotonic() < until_ and not self._send(dispute):
                time.sleep(0.05)
            time.sleep(0.005)

    def _send(self, dispute: str) -> bool:
        now = int(time.time())
        body = json.dumps({
            "id": f"evt_{dispute}", "object": "event", "type": "charge.dispute.created", "created": now,
            "data": {"object": {"id": dispute, "object": "dispute", "amount": 100, "currency": "pln"}},
        }).encode()  # fmt: skip
        mac = hmac.new(self._secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"Stripe-Signature": f"t={now},v1={mac}"}
        request = urllib.request.Request(f"{self._town.url}/hooks/stripe", body, headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                ids = json.load(answer)["accepted"]
        except (OSError, urllib.error.HTTPError, ValueError):
            return False
        self.accepted.setdefault(dispute, set()).update(ids)
        return True


def settle(town: Stage) -> None:
    """Wait until everything accepted is decided and everything decided is done."""

    def calm() -> bool:
        with suppress(Exception):
            found = json.loads(town.tocsin("status", "--json").stdout)
            return not sum(found["lanes"].values()) and not found["outbox"]
        return False

    until(calm, GIVE_UP_S, town.output)


def judge(town: Stage, senders: list[Sender]) -> None:
    settle(town)
    state = load_state(town.redis, town.keys)
    assert audit(state, now_ms()) == []
    alerts = {
        alert.title + alert.fingerprint: alert
        for alert in state.tables[Table.ALERT].values()
        if isinstance(alert, Alert) and alert.kind == "charge.dispute.created"
    }
    accepted = {dispute: ids for sender in senders for dispute, ids in sender.accepted.items()}
    assert len(accepted) > ENOUGH, "the senders hardly got anything through"
    assert [dispute for dispute, ids in accepted.items() if len(ids) != 1] == [], "one event, two ids"
    assert [alert for alert in alerts.values() if alert.count != 1] == [], "an event was decided twice"
    known = {alert.fingerprint for alert in alerts.values()}
    for dispute, ids in accepted.items():
        (event,) = ids
        raw = town.redis.hget(_verdicts(town, event), event)
        assert raw, f"{dispute} was accepted as {event} and never decided"
        assert decode(Verdict, raw).fingerprint in known, f"{dispute}, {event}: its alert is lost"


def _through(senders: list[Sender]) -> int:
    return sum(len(sender.accepted) for sender in senders)


def _verdicts(town: Stage, event: str) -> str:
    lane = {"u": "urgent", "b": "bulk", "c": "control"}[event[0]]
    return town.keys.verdicts(lane, int(event[1:].partition("-")[0]) // 3_600_000)


def sending(town: Stage) -> tuple[list[Sender], threading.Event]:
    stop = threading.Event()
    senders = [Sender(town, f"s{number}", stop) for number in range(SENDERS)]
    for sender in senders:
        sender.start()
    return senders, stop


def test_any_process_killed_at_any_instant_loses_nothing(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311  # repeatable, not secret
    with stage(tmp_path) as town:
        senders, stop = sending(town)
        try:
            for _ in range(ROUNDS):
                for victim in chance.sample(VICTIMS, len(VICTIMS)):
                    time.sleep(chance.uniform(0.2, 0.8))
                    with suppress(ProcessLookupError):
                        os.kill(town.children()[victim], signal.SIGKILL)
                town.kill()
                time.sleep(chance.uniform(0.1, 0.5))
                town.start()
        finally:
            stop.set()
            for sender in senders:
                sender.join(GIVE_UP_S)
        judge(town, senders)


@pytest.mark.parametrize("point", POINTS)
def test_a_death_at_a_named_point_loses_nothing(tmp_path: Path, point: str) -> None:
    once = tmp_path / "once"
    once.mkdir()
    environ = {"TOCSIN_FAULT": f"{point}:2", "TOCSIN_FAULT_DIR": str(once)}
    (tmp_path / "town").mkdir()
    with stage(tmp_path / "town", environ) as town:
        senders, stop = sending(town)
        try:
            until(lambda: (once / point).exists() and _through(senders) > ENOUGH, 60, town.output)
        finally:
            stop.set()
            for sender in senders:
                sender.join(GIVE_UP_S)
        judge(town, senders)
