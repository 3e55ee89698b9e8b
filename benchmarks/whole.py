"""A whole Tocsin for a measurement: `tocsin up`, everything on this machine, one place to ask how far it is."""

import json
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import machine
import shapes
from stage import ROOT, Stage, stage

from ledger.position import lane_of, stream_id
from routing.entry import Lane

POLL_S = 0.001


@contextmanager
def town(room: Path, environ: Mapping[str, str] | None = None) -> Iterator[Stage]:
    """With the shipped configuration, but: an outage is one of the service it names, and no runbook runs."""
    severity = (ROOT / "config/severity.yaml").read_text().replace("    service: site\n", "", 1)
    runbook = (ROOT / "config/runbooks/rollback.yaml").read_text().replace("mode: auto", 'mode: "off"')
    changed = {"severity.yaml": severity, "runbooks/rollback.yaml": runbook}
    with stage(room, environ, changed) as running:
        yield running


def post(place: Stage, body: dict[str, Any]) -> str:
    """Send one alert through the webhook route; returns its event id once it was answered 202."""
    hook = {
        "version": "4", "status": "firing", "receiver": "bench", "groupKey": "{}", "truncatedAlerts": 0,
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://am.example",
        "alerts": [{**body, "status": "firing", "endsAt": "0001-01-01T00:00:00Z",
                    "fingerprint": body["labels"]["instance"]}],
    }  # fmt: skip
    headers = {
        "Authorization": f"Bearer {place.env['ALERTMANAGER_TOKEN']}",
        "Content-Type": "application/json",
    }
    request = urllib.request.Request(f"{place.url}/hooks/alertmanager", json.dumps(hook).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        accepted: list[str] = json.load(answer)["accepted"]
    return accepted[0]


def outage(place: Stage, service: str) -> str:
    """A SEV-0 of a service of its own."""
    return post(place, shapes.alert("SiteDown", service, service, "critical"))


def memory(place: Stage) -> str:
    """MB each process holds now, the database among them; what they share is shared out."""
    return ", ".join(f"{name} {machine.held_mb(pid):.0f}" for name, pid in place.children().items())


def cursor(place: Stage, lane: Lane) -> tuple[int, int]:
    found = place.redis.hget(place.keys.cursor, lane.value)
    return order(found.decode() if isinstance(found, bytes) else "0-0")


def await_decided(place: Stage, position: str, within_s: float = 60) -> float:
    """Seconds until the entry was decided and its effects dispatched. Raises TimeoutError."""
    lane, wanted, began = lane_of(position), order(position), time.perf_counter()
    if lane is None:
        raise ValueError(position)
    while cursor(place, lane) < wanted:
        if time.perf_counter() - began > within_s:
            raise TimeoutError(f"{position} is not decided after {within_s} s")
        time.sleep(POLL_S)
    return time.perf_counter() - began


def order(position: str) -> tuple[int, int]:
    first, _, second = stream_id(position).partition("-")
    return int(first), int(second)
