"""Senders of mixed events, each with a log of its own: the truth about what was accepted."""

import json
import random
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Self

from stage import Stage

from ledger import catalogue
from ledger.clock import now_ms
from receiver import samples
from receiver.samples import Wanted
from routing.instant import HOUR, iso

GIVE_UP_S = 90.0
AGAIN_S = 0.05
SECRETS = {
    "stripe": "STRIPE_WEBHOOK_SECRET", "vercel": "VERCEL_WEBHOOK_SECRET",
    "alertmanager": "ALERTMANAGER_TOKEN", "prometheus": "TOCSIN_ALERTS_TOKEN",
}  # fmt: skip

Changes = Sequence[tuple[str, str]]


@dataclass
class Sent:
    """One body as its sender knows it. `answers`: the ids of each 2xx; more than one for one body is a fault."""

    vendor: str
    sample: str
    name: str
    """What only this one says: an id, a label's value."""
    began: int = field(default_factory=time.time_ns)
    attempts: int = 0
    accepted: bool = False
    answers: set[tuple[str, ...]] = field(default_factory=set)

    @property
    def ids(self) -> set[str]:
        return {one for answer in self.answers for one in answer}


class Postman:
    """Posts a sample as its vendor would: again and again until it is answered 2xx."""

    def __init__(self, town: Stage, stopping: Callable[[], bool] = lambda: False) -> None:
        self._town, self._stopping = town, stopping
        self.log: list[Sent] = []

    def send(self, vendor: str, sample: str, name: str, changes: Changes = (), *, id_: str = "") -> Sent:
        sent = Sent(vendor, sample, name)
        self.log.append(sent)
        self.again(sent, samples.make(vendor, sample, Wanted(id_, changes), now_ms()))
        return sent

    def again(self, sent: Sent, body: bytes) -> None:
        """Until it is accepted; not for longer than a vendor has patience, or the test time."""
        until = time.monotonic() + GIVE_UP_S
        while not self._post(sent, body) and time.monotonic() < until and not self._stopping():
            time.sleep(AGAIN_S)

    def _post(self, sent: Sent, body: bytes) -> bool:
        module = catalogue.source(sent.vendor)
        url = self._town.url + getattr(module, "PATH", f"/hooks/{sent.vendor}")
        headers = module.sign(body, self._town.env[SECRETS[sent.vendor]], now_ms())
        sent.attempts += 1
        try:
            request = urllib.request.Request(url, body, headers)  # noqa: S310  # our own loopback
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                said = answer.read()
                sent.answers.add(tuple(json.loads(said)["accepted"]) if said else ())
        except (OSError, HTTPException, ValueError):
            return False
        sent.accepted = True
        return True


class Sender(threading.Thread):
    """One sender of many kinds of events. `repeatable`: the same seed sends the same kinds."""

    def __init__(self, town: Stage, name: str, stop: threading.Event) -> None:
        super().__init__(name=name)
        self._stop_asked = stop
        self._post = Postman(town, stop.is_set)
        self._chance = random.Random(name)  # noqa: S311  # repeatable, not secret
        self._number = 0
        self._since = now_ms()

    @property
    def log(self) -> list[Sent]:
        return self._post.log

    def run(self) -> None:
        kinds: list[Callable[[str], None]] = [
            *[self._dispute] * 4, *[self._payment] * 3, self._deployed, self._build_failed,
            *[self._still_firing] * 3, *[self._probes] * 2,
        ]  # fmt: skip
        while not self._stop_asked.is_set():
            self._number += 1
            self._chance.choice(kinds)(f"{self.name}n{self._number}")
            time.sleep(0.005)

    def _dispute(self, name: str) -> None:
        """Now and then twice, as a vendor does that missed the answer."""
        changes = [("data.object.id", f"dp_{name}")]
        sent = self._post.send("stripe", "charge.dispute.created", f"dp_{name}", changes, id_=f"evt_{name}")
        if self._chance.random() < 0.2:
            body = samples.make("stripe", "charge.dispute.created", Wanted(f"evt_{name}", changes), now_ms())
            self._post.again(sent, body)

    def _payment(self, name: str) -> None:
        self._post.send("stripe", "payment_intent.payment_failed", name, id_=f"evt_{name}")

    def _deployed(self, name: str) -> None:
        changes = [("payload.deployment.id", f"dpl_{name}"), ("payload.project.id", f"prj_{self.name}")]
        self._post.send("vercel", "deployment.succeeded", f"dpl_{name}", changes, id_=f"whk_{name}")

    def _build_failed(self, name: str) -> None:
        changes = [("payload.deployment.id", f"dpl_{name}"), ("payload.project.id", f"prj_{self.name}")]
        self._post.send("vercel", "deployment.error", f"dpl_{name}", changes, id_=f"whk_{name}")

    def _still_firing(self, _name: str) -> None:
        """One alert that is said again and again, and now and then resolved."""
        ends = self._chance.random() < 0.1
        labels = {"alertname": "HighMemory", "instance": self.name, "service": "hosts"}
        since, sample = self._since, "resolved" if ends else "firing"
        changes = [("alerts.0.labels", json.dumps(labels)), ("alerts.0.startsAt", iso(since))]
        if ends:
            changes.append(("alerts.0.endsAt", iso(now_ms())))
            self._since = now_ms() + 1
        self._post.send("alertmanager", sample, self.name, changes)

    def _probes(self, name: str) -> None:
        labels = {"alertname": "SlowQueries", "probe": name, "service": "database"}
        changes = [("0.labels", json.dumps(labels)), ("0.endsAt", iso(now_ms() + HOUR))]
        self._post.send("prometheus", "firing", name, changes)


class Traffic:
    """Several senders at once; use it as a context: they have stopped at its end."""

    def __init__(self, town: Stage, senders: int) -> None:
        self._stop = threading.Event()
        self.senders = [Sender(town, f"s{number}", self._stop) for number in range(senders)]

    def __enter__(self) -> Self:
        for sender in self.senders:
            sender.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for sender in self.senders:
            sender.join(GIVE_UP_S)

    def log(self) -> Iterator[Sent]:
        for sender in self.senders:
            yield from list(sender.log)

    def accepted(self) -> int:
        return sum(sent.accepted for sent in self.log())
