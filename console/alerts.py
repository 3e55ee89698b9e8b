"""`tocsin alerts`: write a probe in one line, and send an alert's event through the real pipeline to see what comes."""

from pathlib import Path
from typing import Any

import click
import yaml

from console.acting import acting
from console.context import connected
from console.decided import wait
from console.options import Duration
from console.output import say
from ledger import log, policies
from ledger.catalogue import catalogue
from ledger.clock import now_ms
from ledger.settings import from_env
from routing import duration, probe_conditions
from routing.entry import Lane, Signal
from routing.errors import ConfigError
from routing.event import Event, Status
from routing.load import load
from routing.policy import Probe
from routing.schema.refusal import Refusal
from routing.schema.sources import OURSELVES, PROBES

FILE = "probes.yaml"


@click.group()
def alerts() -> None:
    """Write probes, and try what their alerts would bring about."""


@alerts.command()
@click.option("--name", required=True, help="A name to find it by, like api-slow.")
@click.option("--condition", required=True, help='When it fires, like "response-time > 2000ms".')
@click.option(
    "--duration", "lasting", type=Duration(), default="2m", show_default=True, help="How long it must last."
)
@click.option(
    "--severity", default="warning", show_default=True, help="In a vendor's words, for severity.yaml's rules."
)
@click.option(
    "--url",
    default="/",
    show_default=True,
    help="A path of the site, or an address; a host for certificates, HOST:PORT for connections.",
)
@click.option("--title", default="", help="What people are told. Default: the condition.")
@click.option("--kind", default="", help="What rules match. Default: made of the name, like ApiSlow.")
@click.option("--service", default="", help="Which service it is about.")
@click.option("--config", type=click.Path(path_type=Path), help="Folder to write to. Default: TOCSIN_CONFIG.")
@click.option("--dry-run", is_flag=True, help="Print what would be written.")
def create(  # one option each
    name: str, condition: str, lasting: int, severity: str, url: str, title: str, kind: str, service: str,
    config: Path | None, dry_run: bool,
) -> None:  # fmt: skip
    """Write a probe into probes.yaml; it goes live with the configuration, if that is good with it.

    Conditions: response-time > 2000ms, connect-time > 500ms, status != 200, content != TEXT, certificate-days < 14.
    """
    try:
        meant = probe_conditions.parse(condition)
    except Refusal as error:
        raise click.UsageError(str(error)) from error
    every, fails, of = probe_conditions.looks(meant, lasting)
    place = _place(meant.action, url)
    event = {"kind": kind or _kind(name), "title": title or f"{name}: {condition}", "severity": severity}
    text = _block(
        {
            "name": name,
            "action": meant.action,
            "params": {**place, **meant.params},
            "every": duration.text(every),
            "timeout": duration.text(meant.timeout_ms),
            "ok": meant.ok,
            "fails": f"{fails} of {of}",
            "event": {**event, **({"service": service} if service else {})},
        }
    )
    if dry_run:
        click.echo(text, nl=False)
        return
    _write(config or from_env().config_dir, text)
    say(
        f"{name} written: it fires as {event['kind']} once {fails} of {of} looks {duration.text(every)} apart are bad"
    )
    say("try what that brings about: tocsin alerts test " + name)


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


def _write(folder: Path, block: str) -> None:
    """Only what is good with it is written, and then as a whole. Raises ConfigError or click.ClickException."""
    path = folder / FILE
    before = path.read_text() if path.exists() else "probes:\n"
    text = before if before.endswith("\n") else f"{before}\n"
    files = {**policies.read_files(folder), f"config/{FILE}": text + block}
    try:
        load(files, catalogue())
    except ConfigError as error:
        told = "\n".join(str(fault) for fault in error.faults)
        raise click.ClickException(
            f"not written, for with it the configuration has faults:\n{told}"
        ) from error

    new = path.with_suffix(".yaml.new")
    new.write_text(text + block)
    new.replace(path)


@alerts.command()
@click.argument("NAME")
@click.option("--resolve", is_flag=True, help="Say at once that it is over, too.")
@acting
def test(name: str, resolve: bool, by: str) -> None:
    """Send the event that probe NAME fires through the real pipeline: it pages whom it would page.

    Title and labels say that it is a test.
    """
    context = connected()
    probe = next((each for each in context.policy.probes if each.name == name), None)
    if probe is None:
        names = ", ".join(each.name for each in context.policy.probes) or "none"
        raise click.UsageError(f"no probe {name!r}; there are {names}. An event of a vendor: tocsin send")
    entry_id = log.append(context.client, context.keys, Lane.URGENT, signal(probe, Status.FIRING, by))
    decided = wait(context, entry_id)
    incident = decided.verdict.incident if decided.verdict else ""
    say(f"{entry_id}: {decided.verdict.did if decided.verdict else 'decided'} {incident}".rstrip())
    if resolve:
        wait(
            context,
            log.append(context.client, context.keys, Lane.URGENT, signal(probe, Status.RESOLVED, by)),
        )
        say(f"{incident or 'it'} is over again")
    say(f"who was told, and why: tocsin why {incident or entry_id}")


def signal(probe: Probe, status: Status, by: str, client: str = "") -> Signal:
    """What the probe would send, said to be a test."""
    now, firing = now_ms(), status is Status.FIRING
    event = Event(
        source=PROBES, vendor=OURSELVES, kind=probe.kind, status=status, key=f"test:{probe.name}",
        title=f"TEST: {probe.title}", summary=f"A test that {by} has sent; nothing is known to be wrong.",
        vendor_severity=probe.severity, labels={"probe": probe.name, "test": "true", **probe.labels},
        starts_at=now if firing else 0, ends_at=0 if firing else now,
    )  # fmt: skip
    return Signal(at=now, by=by, client=client, event=event)
