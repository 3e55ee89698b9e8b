"""People who can be reached, and a worker who takes tests to them as the test says."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import shipped
from desk import Desk

from ledger import log, policies
from ledger.clock import now_ms
from routing.decision import Table
from routing.delivery import Delivery
from routing.entry import Delivered, Lane, Outcome
from routing.load import load

NUMBER = "+48501234567"


def filled_in(text: str) -> str:
    """Anna gets a number and a mailbox of her own."""
    return text.replace("+48500000001", NUMBER).replace("anna@example.com", "anna@booking.example-shop.pl")


def fill_in(desk: Desk) -> None:
    """Put that into force; who decides in the background is to begin after it."""
    files = shipped.files()
    files["config/oncall.yaml"] = filled_in(files["config/oncall.yaml"])
    desk.policy = load(files, shipped.vendors())
    policies.publish(desk.client, desk.keys, files, shipped.vendors(), desk.policy, "test")


@contextmanager
def delivering(desk: Desk, answers: Callable[[str], Delivered | None]) -> Iterator[None]:
    """Until it is left, each message that belongs to no incident is answered so, by its id."""
    known = set(desk.store.records(Table.NOTICE, Delivery))
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            for name in desk.store.records(Table.NOTICE, Delivery).keys() - known:
                known.add(name)
                if (entry := answers(name)) is not None:
                    log.append(desk.client, desk.keys, Lane.CONTROL, entry)
            over.wait(0.02)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()


def taken(name: str, outcome: Outcome = Outcome.OK, **more: Any) -> Delivered:
    return Delivered(at=now_ms(), delivery=name, attempt=1, outcome=outcome, **more)
