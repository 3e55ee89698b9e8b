"""`tocsin check`: all faults of the configuration, before it goes live, and what in it is hardly meant."""

from dataclasses import asdict
from pathlib import Path

import click

from console.options import json_option
from console.output import as_json, say
from ledger import env_file, policies
from ledger.catalogue import catalogue
from ledger.settings import environment, from_env
from routing.errors import ConfigError, ConfigWarning, Fault
from routing.load import examine


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="Folder to check. Default: TOCSIN_CONFIG.")
@click.option("--secrets/--no-secrets", default=False, help="Also check that every source's secret is set.")
@json_option
def check(config: Path | None, secrets: bool, json: bool) -> None:
    """List every fault of the configuration with file, line and what to write instead.

    Warnings are listed too, but are no faults: the configuration goes live, and the exit status is 0.
    """
    folder, given = config or from_env().config_dir, environment()
    environ = env_file.joined(env_file.where(given), given)
    faults: tuple[Fault, ...] = ()
    warnings: tuple[ConfigWarning, ...] = ()
    version = ""
    try:
        found = examine(policies.read_files(folder), catalogue(), environ, secrets=secrets)
        version, warnings = found.policy.version, found.warnings
    except ConfigError as error:
        faults = error.faults
    if json:
        told = {"faults": [asdict(each) for each in faults], "warnings": [asdict(each) for each in warnings]}
        as_json({"ok": not faults, "version": version, **told})
    else:
        _tell(folder, version, faults, warnings)
    if faults:
        raise SystemExit(1)


def _tell(folder: Path, version: str, faults: tuple[Fault, ...], warnings: tuple[ConfigWarning, ...]) -> None:
    for remark in (*faults, *warnings):
        say(remark)
    if faults:
        say(f"{_many(len(faults), 'fault')}; nothing of it goes live", "red")
        return
    beside = f", with {_many(len(warnings), 'warning')}" if warnings else ""
    say(f"{folder}: good, version {version}{beside}", "yellow" if warnings else "green")


def _many(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"
