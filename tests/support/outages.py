"""Outages that must page, one service each, and what people and senders do about them afterwards.

What the phones' own log shows decides what happens next: a key is pressed, or the source reports the end.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from itertools import count
from typing import Self

from stage import Stage
from traffic import Postman, Sent
from twilio_standin import Made, TwilioStandin

from ledger.clock import now_ms
from routing.instant import iso

EVERY_S = 0.4
FATES = ("acknowledged", "resolved", "repaired", "left alone")
"""In turn. "repaired" has a runbook; the others have none, so nothing but a page can help them."""


@dataclass
class Outage:
    sent: Sent
    fate: str
    starts: str
    done: bool = False
    """What its fate asks for was accepted with a 2xx."""

    @property
    def service(self) -> str:
        return self.sent.name

    @property
    def title(self) -> str:
        return f"{self.service} does not answer"


class Outages(threading.Thread):
    """Use it as a context: at its end no new ones begin; `see_through` then waits for all that is owed."""

    def __init__(self, town: Stage, twilio: TwilioStandin) -> None:
        super().__init__(name="outages")
        self._twilio = twilio
        self._stop_asked = threading.Event()
        self._post = Postman(town)
        self.outages: list[Outage] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_asked.set()
        self.join()

    def run(self) -> None:
        for number in count(1):
            if self._stop_asked.wait(EVERY_S):
                return
            self._begin(f"shop{number:04d}x", FATES[number % len(FATES)])
            self.follow_up()

    @property
    def log(self) -> list[Sent]:
        return self._post.log

    def calls(self, outage: Outage) -> list[Made]:
        """Phone calls about it, by the phones' own log."""
        return [
            made for made in list(self._twilio.made) if made.resource == "Calls" and outage.title in made.text
        ]

    def texts(self, outage: Outage, word: str) -> list[Made]:
        """SMS about it that hold a word."""
        return [
            made
            for made in list(self._twilio.made)
            if made.resource == "Messages" and outage.title in made.text and word in made.text.lower()
        ]

    def follow_up(self) -> None:
        """Acknowledge or resolve what the phone has rung for."""
        for outage in self.outages:
            if outage.done or outage.fate not in {"acknowledged", "resolved"}:
                continue
            for call in self.calls(outage)[:1]:
                outage.done = self._press(call) if outage.fate == "acknowledged" else self._end(outage)

    def unseen(self) -> list[str]:
        """Outages that were accepted and still wait for a call, a key or an end."""
        return [
            outage.service
            for outage in self.outages
            if outage.sent.accepted
            and not (outage.fate == "repaired" or outage.done)
            and not (outage.fate == "left alone" and self.calls(outage))
        ]

    def see_through(self, until: Callable[..., object], within_s: float) -> None:
        """Raises AssertionError when somebody was not called in time."""

        def all_seen() -> bool:
            self.follow_up()
            return not self.unseen()

        until(all_seen, within_s, lambda: f"nobody was called for {self.unseen()}")

    def _begin(self, service: str, fate: str) -> None:
        starts = iso(now_ms())
        changes = [*_labels(service, fate), ("alerts.0.startsAt", starts)]
        outage = Outage(Sent("", "", service), fate, starts)
        outage.sent = self._post.send("alertmanager", "site-down", service, changes)
        self.outages.append(outage)

    def _press(self, call: Made) -> bool:
        """Key 4. Twilio asks again when nobody answers."""
        try:
            return self._twilio.press(call.sid, "4") == 200
        except (OSError, HTTPException):
            return False

    def _end(self, outage: Outage) -> bool:
        """Its source reports that it is over."""
        changes = [
            *_labels(outage.service, outage.fate),
            ("alerts.0.status", "resolved"),
            ("alerts.0.startsAt", outage.starts),
            ("alerts.0.endsAt", iso(now_ms())),
        ]
        return self._post.send("alertmanager", "site-down", outage.service, changes).accepted


def _labels(service: str, fate: str) -> list[tuple[str, str]]:
    kind = "SiteDown" if fate == "repaired" else "SiteUnreachable"
    labels = {"alertname": kind, "service": service, "project": f"prj_{service}", "severity": "critical"}
    notes = {"summary": f"{service} does not answer"}
    return [("alerts.0.labels", json.dumps(labels)), ("alerts.0.annotations", json.dumps(notes))]
