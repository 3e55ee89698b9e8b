"""Probes as people word them: the text for probes.yaml, whether it is good with the rest, and what it brings about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click
import yaml

from ledger.catalogue import catalogue
from routing import duration, probe_conditions
from routing.errors import ConfigError, Fault
from routing.instant import MINUTE, iso
from routing.load import load
from routing.policy import Policy
from routing.schema.refusal import Refusal
from routing.schema.scenario import read_scenario
from routing.schema.sources import PROBES
from routing.simulation.judge import Judged, rehearse

FILE = "config/probes.yaml"
PLAYED = "2h"
"""So long of what it would bring about is played."""


@dataclass(frozen=True, slots=True)
class Worded:
    """What a person says of a probe. `lasting` in ms; "" takes what is usual."""

    name: str
    condition: str
    lasting: int = 2 * MINUTE
    severity: str = "warning"
    url: str = "/"
    title: str = ""
    kind: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """`text` is one item of the list in probes.yaml; `when` says when it fires; `event` is what it sends then."""

    name: str
    text: str
    when: str
    event: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tried:
    """`judged` is None where there are faults."""

    faults: tuple[Fault, ...] = ()
    judged: Judged | None = None


def draft(worded: Worded) -> Draft:
    """Raises click.UsageError."""
    try:
        meant = probe_conditions.parse(worded.condition)
    except Refusal as error:
        raise click.UsageError(str(error)) from error
    every, fails, of = probe_conditions.looks(meant, worded.lasting)
    kind = worded.kind or _kind(worded.name)
    title = worded.title or f"{worded.name}: {worded.condition}"
    event = {"kind": kind, "title": title, "severity": worded.severity}
    event |= {"service": worded.service} if worded.service else {}
    probe = {
        "name": worded.name, "action": meant.action, "params": {**_place(meant.action, worded.url), **meant.params},
        "every": duration.text(every), "timeout": duration.text(meant.timeout_ms), "ok": meant.ok,
        "fails": f"{fails} of {of}", "event": event,
    }  # fmt: skip
    when = f"it fires as {kind} once {fails} of {of} looks {duration.text(every)} apart are bad"
    return Draft(worded.name, _block(probe), when, event)


def added(files: Mapping[str, str], one: Draft) -> dict[str, str]:
    """The files of the configuration with it."""
    before = files.get(FILE) or "probes:\n"
    return {**files, FILE: (before if before.endswith("\n") else f"{before}\n") + one.text}


def tried(files: Mapping[str, str], one: Draft, now: int) -> Tried:
    """Whether the configuration is good with it, and whom it would call if it fired now and nobody acted."""
    try:
        policy = load(added(files, one), catalogue())
        return Tried(judged=_played(policy, one, now))
    except ConfigError as error:
        return Tried(error.faults)


def _played(policy: Policy, one: Draft, now: int) -> Judged:
    probe = next(each for each in policy.probes if each.name == one.name)
    event = {
        "source": PROBES, "kind": probe.kind, "title": probe.title, "vendor_severity": probe.severity,
        "labels": {"probe": probe.name, **probe.labels},
    }  # fmt: skip
    scenario = {
        "title": f"{one.name} fires, and nobody acts", "start": iso(now)[:16], "longest": PLAYED,
        "happens": [{"at": "0s", "event": event}],
    }  # fmt: skip
    text = yaml.safe_dump(scenario, sort_keys=False, allow_unicode=True)
    return rehearse(policy, read_scenario("draft.yaml", text, policy))


def whole(files: Mapping[str, str], one: Draft) -> str:
    """The whole file with it. Raises click.ClickException where the configuration is not good with it."""
    found = added(files, one)
    try:
        load(found, catalogue())
    except ConfigError as error:
        told = "\n".join(str(fault) for fault in error.faults)
        raise click.ClickException(
            f"not written, for with it the configuration has faults:\n{told}"
        ) from error
    return found[FILE]


def _place(action: str, url: str) -> dict[str, Any]:
    """Where it looks, as its parameters. Raises click.UsageError."""
    if action != "tcp.connect":
        return {"host" if action == "tls.certificate" else "url": url}
    host, _, port = url.rpartition(":")
    if not host or not port.isdecimal():
        raise click.UsageError(f"{url!r} is no host with a port; write --url db.example.com:5432")
    return {"host": host, "port": int(port)}


def _kind(name: str) -> str:
    return "".join(part.title() for part in name.replace("_", "-").split("-"))


def _block(probe: dict[str, Any]) -> str:
    """One item of the list, as it is written by hand."""
    lines = yaml.safe_dump([probe], sort_keys=False, width=110, default_flow_style=None, allow_unicode=True)
    return "".join(f"  {line}\n" for line in lines.splitlines())
