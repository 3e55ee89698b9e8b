"""A console with somebody behind it who decides: what the browser tests of its pages look at."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from html import escape
from pathlib import Path
from typing import Any

import seeing
from desk import Desk
from embedded import running_server
from notices import HOSTILE
from seeing import Seen, console
from small_policy import POLICY
from working import until

from ledger import dead, log, sandbox
from ledger.clock import now_ms
from ledger.views import incidents
from routing.delivery import Purpose
from routing.entry import Command, Lane, Opened, Outcome, Signal, StepDone, Verb, encode_entry
from routing.event import Event, Status
from routing.severity import Severity

_KEYS = "Press 4 to acknowledge, 5 to escalate, 6 to resolve."


class Scene:
    """A desk where everything is decided as it comes, and a console in front of it."""

    def __init__(self, desk: Desk, seen: Seen) -> None:
        self.desk = desk
        self.seen = seen
        self._number = 0

    def opened(self, title: str, severity: int = 1, service: str = "checkout") -> str:
        """The id of a new incident."""
        self._number += 1
        entry = Opened(
            at=now_ms(),
            by="ben",
            title=title,
            severity=severity,
            service=f"{service}-{self._number}",
            team="platform",
        )
        log.append(self.desk.client, self.desk.keys, Lane.CONTROL, entry)
        until(lambda: self._titled(title), 30, title)
        return self._titled(title)

    def _titled(self, title: str) -> str:
        return next((one.id for one in self.desk.store.open_incidents() if one.title == title), "")

    def does(self, incident: str, verb: Verb, by: str = "ben", **more: str) -> None:
        entry = Command(at=now_ms(), by=by, incident=incident, verb=verb, **more)  # type: ignore[arg-type]
        log.append(self.desk.client, self.desk.keys, Lane.CONTROL, entry)

    def shown(self, incident: str) -> dict[str, Any]:
        whole = self.desk.store.whole(incident)
        assert whole
        return incidents.detail(whole)

    def redis_waits(self, letter: str) -> bool:
        found = dead.get(self.desk.client, self.desk.keys, letter)
        return found is not None and found.status == "waiting"

    def waits(self, letter: str) -> bool:
        """Whether a dead letter does."""
        found = dead.get(self.desk.client, self.desk.keys, letter)
        return found is not None and found.status == "waiting"

    def until(self, incident: str, status: str) -> None:
        until(lambda: self.shown(incident)["status"] == status, 30, f"{incident} {status}")


@contextmanager
def playing(data: Path, *, folding: bool = True) -> Iterator[Scene]:
    """The shipped configuration is in force, on a server of its own; somebody decides unless told not to."""
    with running_server() as server:
        desk = Desk(server.url, data, POLICY)
        desk.publish()
        with desk.folding() if folding else nullcontext(), console(seeing.site(server.url, data)) as seen:
            yield Scene(desk, seen)


def keep_call(scene: Scene, incident: str, speech: str = "SEV-0. Ring ring <b>.") -> str:
    """The call of an incident's page, kept in the sandbox as a worker without credentials keeps it: its delivery."""

    def calls() -> list[dict[str, Any]]:
        return [one for one in scene.shown(incident)["deliveries"] if one["channel"] == "voice"]

    call = until(calls, 30, "a call")[0]
    twiml = f"<Response><Gather><Say>{escape(speech)}</Say><Say>{_KEYS}</Say></Gather></Response>"
    unsent = sandbox.Unsent(
        at=now_ms(), delivery=call["id"], attempt=1, incident=incident, contact=call["contact"], channel="voice",
        vendor="twilio_voice", to=call["address"], purpose=Purpose.PAGE, severity=Severity.SEV0, fields={"Twiml": twiml},
        missing=["TWILIO_API_KEY"],
    )  # fmt: skip
    sandbox.keep(scene.desk.client, scene.desk.keys, unsent)
    return str(call["id"])


def refused_of(scene: Scene) -> str:
    """A source that was sent what it could not believe, by somebody who wants to do harm."""
    example = {
        "at": "2026-11-28T20:00:00Z", "why": "signature", "error": HOSTILE, "content_length": 321,
        "headers": {"stripe-signature": "[redacted]", "user-agent": HOSTILE * 20},
    }  # fmt: skip
    scene.desk.client.hset(scene.desk.keys.refusals, "stripe signature", 12)
    scene.desk.client.lpush(scene.desk.keys.refused("stripe"), json.dumps(example))
    return "stripe"


def repaired(scene: Scene, incident: str) -> str:
    """A runbook that was started by hand for it."""
    scene.does(incident, Verb.RUN, text="rollback")
    until(lambda: scene.shown(incident)["runs"], 10, "a run")
    return "rollback"


def brought(scene: Scene, run: str, step: str, output: Any) -> None:
    """What a worker says of a step that went well."""
    done = StepDone(
        at=now_ms(), by="worker", run=run, step=step, attempt=1, outcome=Outcome.OK, output=output
    )
    log.append(scene.desk.client, scene.desk.keys, Lane.CONTROL, done)


def asked(scene: Scene, incident: str) -> str:
    """A run that ben has started, and that the CTO has to agree to: it has looked at what it says there."""
    scene.does(incident, Verb.RUN, text="webhook-endpoint")
    (run,) = until(lambda: scene.shown(incident)["runs"], 10, "a run")
    brought(scene, run["id"], "endpoints", {"count": 1, "disabled": 1, "endpoints": [{"id": "we_1"}]})
    return str(run["id"])


def attacked(scene: Scene) -> str:
    """An incident whose alert says in each of its parts what somebody writes who wants to do harm, and a run likewise."""
    line = HOSTILE + "x" * 1_000_000
    event = Event(
        source="alertmanager", vendor="alertmanager", kind="SiteDown", status=Status.FIRING, key=HOSTILE, title=HOSTILE + "y" * 900,
        summary=line[:2_000], link="javascript:alert(1)", labels={"instance": HOSTILE, "kind": "SiteDown", "odd": line[:1_000]},
    )  # fmt: skip
    client, keys = scene.desk.client, scene.desk.keys
    body = json.dumps({"annotations": {"summary": line}, "odd": HOSTILE}).encode()
    raw = client.xadd(keys.raw, {"b": body, "h": json.dumps({"user-agent": HOSTILE}), "s": event.source})
    client.xadd(
        keys.log(Lane.URGENT), {"e": encode_entry(Signal(at=now_ms(), by="receiver", event=event)), "r": raw}
    )

    def there() -> str:
        opened = scene.desk.store.open_incidents()
        return next((one.id for one in opened if one.title.startswith(HOSTILE[:20]) and one.alerts), "")

    incident = until(there, 30, "the attacker's incident")
    scene.does(incident, Verb.NOTE, text=HOSTILE)
    (run, *_) = until(lambda: scene.shown(incident)["runs"], 10, "a run")
    brought(
        scene,
        run["id"],
        run["steps"][0]["id"],
        {"ok": False, "failures": 3, "said": HOSTILE, "line": line[:60_000]},
    )
    return incident
