"""`tocsin check`: all faults of the configuration, before it goes live."""

from pathlib import Path

import click

from console.options import json_option
from console.output import as_json, say
from ledger import policies
from ledger.catalogue import catalogue
from ledger.settings import environment, from_env
from routing.errors import ConfigError, Fault
from routing.load import load


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="Folder to check. Default: TOCSIN_CONFIG.")
@click.option("--secrets/--no-secrets", default=False, help="Also check that every source's secret is set.")
@json_option
def check(config: Path | None, secrets: bool, json: bool) -> None:
    """List every fault of the configuration with file, line and what to write instead."""
    folder = config or from_env().config_dir
    faults: tuple[Fault, ...] = ()
    version = ""
    try:
        env = environment() if secrets else None
        version = load(policies.read_files(folder), catalogue(), env).version
    except ConfigError as error:
        faults = error.faults
    if json:
        as_json({"ok": not faults, "version": version, "faults": [_shown(fault) for fault in faults]})
    elif faults:
        for fault in faults:
            say(fault)
        say(f"{len(faults)} faults; nothing of it goes live", "red")
    else:
        say(f"{folder}: good, version {version}", "green")
    if faults:
        raise SystemExit(1)


def _shown(fault: Fault) -> dict[str, object]:
    return {
        "file": fault.file, "line": fault.line, "column": fault.column,
        "path": fault.path, "found": fault.found, "fix": fault.fix,
    }  # fmt: skip
