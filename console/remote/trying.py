"""What is tried before it rings a real phone, over a console: bodies, labels, probes, tests, scenarios, changes."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import click

from console.output import say, warn
from console.remote.api import PLAYED_S, Api, part
from console.remote.over import Does
from ledger import policies
from ledger.settings import from_env

Row = dict[str, Any]


def source(
    api: Api, source: str, file: IO[bytes], headers: dict[str, str], config: Path | None, json: bool
) -> None:
    from console.sources import tell_reading  # noqa: PLC0415  # it brings every vendor's module with it

    _in_force(config)
    sent = {"base64": base64.b64encode(file.read()).decode(), "headers": headers}
    tell_reading(api.post(f"/sources/{part(source)}/test", sent), json=json)


def routes(api: Api, labels: tuple[tuple[str, str], ...], json: bool) -> None:
    from console.routes import tell  # noqa: PLC0415

    tell(api.post("/policy/route", {"labels": dict(labels)})["routes"], json=json)


def runbooks(
    api: Api, runbook: tuple[str, ...], config: Path | None, environment: str | None, json: bool
) -> None:
    from console.output import as_json  # noqa: PLC0415
    from console.runbooks import tell_tests  # noqa: PLC0415

    _in_force(config)
    if environment is not None:
        raise click.UsageError(
            "--environment really looks there, with secrets that no console has; run it beside the store"
        )
    rows = api.post("/policy/runbook-tests", {"runbooks": list(runbook)}, PLAYED_S)["tests"]
    if json:
        as_json(rows)
    else:
        tell_tests(rows)
    if any(not row["ok"] for row in rows):
        raise SystemExit(1)


def simulate(
    api: Api, scenario: Path | None, config: Path | None, against_history: bool, days: int, limit: int, reasons: bool,
    json: bool,
) -> None:  # fmt: skip
    if (scenario is None) is not against_history:
        raise click.UsageError("give either a SCENARIO or --against-history")
    if scenario is None:
        _compare(api, config or from_env().config_dir, days, limit, json=json)
        return
    from console.simulate import tell  # noqa: PLC0415

    _in_force(config)
    sent = {"scenario": scenario.read_text("utf-8", errors="replace")}
    tell(api.post("/policy/simulate", sent, PLAYED_S), reasons, json=json)


def _compare(api: Api, folder: Path, days: int, limit: int, *, json: bool) -> None:
    """The files are read here, and sent."""
    from console.against_history import tell  # noqa: PLC0415

    files = {name: _sendable(text) for name, text in policies.read_files(folder).items()}
    sent = {"files": files, "whole": True, "days": days, "limit": min(limit, 500)}
    tell(api.post("/policy/compare", sent, PLAYED_S), days, limit, json=json)


def _sendable(text: str) -> str:
    """What is no UTF-8 arrives as marks that say so, and is a fault there as it is here."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def alert(api: Api, name: str, resolve: bool) -> None:
    from console.alerts import tell  # noqa: PLC0415

    done = api.post(f"/probes/{part(name)}/test", {"resolve": resolve})
    if not done["decided"]:
        say(f"kept as {done['entry']}; it will be decided")
        return
    tell(done["entry"], done["said"], done["incident"])


def create(
    api: Api, name: str, condition: str, lasting: int, severity: str, url: str, title: str, kind: str, service: str,
    config: Path | None, dry_run: bool,
) -> None:  # fmt: skip
    """Its text, once it is known to be good there: files are written where they are."""
    _in_force(config)
    sent = {
        "name": name, "condition": condition, "for": f"{lasting // 1000}s", "severity": severity, "url": url,
        "title": title, "kind": kind, "service": service,
    }  # fmt: skip
    done = api.post("/probes/draft", sent, PLAYED_S)
    if done["faults"]:
        told = "\n".join(each["what"] for each in done["faults"])
        raise click.ClickException(f"with it the configuration would have faults:\n{told}")
    click.echo(done["text"], nl=False)
    if not dry_run:
        warn(
            f"nothing is written over a console: paste this at the end of {done['file']}; then {done['when']}"
        )


def _in_force(config: Path | None) -> None:
    """Raises click.UsageError."""
    if config is not None:
        raise click.UsageError(
            "--console tries what is in force there; leave it out to try the files of --config"
        )


COMMANDS: Mapping[str, Does] = {
    "sources test": source, "routes test": routes, "runbook test": runbooks, "simulate": simulate, "alerts test": alert,
    "alerts create": create,
}  # fmt: skip
