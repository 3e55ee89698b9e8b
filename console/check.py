"""`tocsin check`: all faults of the configuration, before it goes live, and what in it is hardly meant."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path

import click

from console.options import json_option
from console.output import as_json, heading, say, table
from console.verified import never_verified
from ledger import env_file, policies
from ledger.catalogue import catalogue
from ledger.settings import environment, from_env
from routing.errors import ConfigError, ConfigWarning, Fault
from routing.load import RUNBOOKS, examine
from routing.policy import Matrix, Policy
from routing.schema.runbook_tests import read_tests
from routing.schema.scenario import read_scenario
from routing.severity import Severity
from routing.simulation.judge import rehearse
from routing.simulation.proving import Proved, prove
from routing.warnings import in_order


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="Folder to check. Default: TOCSIN_CONFIG.")
@click.option("--secrets/--no-secrets", default=False, help="Also check that every source's secret is set.")
@click.option("--tests/--no-tests", default=True, help="Also play the scenarios under tests/.")
@json_option
def check(config: Path | None, secrets: bool, tests: bool, json: bool) -> None:
    """List every fault of the configuration with file, line and what to write instead.

    Warnings are listed too, but are no faults: the configuration goes live, and the exit status is 0.
    """
    folder, given = config or from_env().config_dir, environment()
    environ = env_file.joined(env_file.where(given), given)
    faults: tuple[Fault, ...] = ()
    warnings: tuple[ConfigWarning, ...] = ()
    version, played, proved, unlooked = "", 0, 0, ""
    matrix: Matrix | None = None
    try:
        found = examine(policies.read_files(folder), catalogue(), environ, secrets=secrets)
        version, matrix = found.policy.version, found.policy.matrix
        open_, unlooked = never_verified(found.policy)
        warnings = in_order([*found.warnings, *open_])
        if tests:
            faults, played = rehearsed(found.policy, policies.read_tests(folder))
            proofs = proven(found.policy, policies.read_files(folder))
            faults = (*faults, *(each.fault for each in proofs if each.failure))
            proved = len(proofs)
    except ConfigError as error:
        faults = error.faults
    if json:
        told = {
            "scenarios": played,
            "runbook_tests": proved,
            "verified_methods_not_looked_at": unlooked,
            "matrix": {scope: _names(row) for scope, row in matrix.cells.items()} if matrix else None,
            "faults": [asdict(each) for each in faults],
            "warnings": [asdict(each) for each in warnings],
        }
        as_json({"ok": not faults, "version": version, **told})
    else:
        if unlooked:
            say(f"verified methods not looked at: {unlooked}", "dim")
        _tell(folder, version, (played, proved), faults, warnings)
        _show(matrix)
    if faults:
        raise SystemExit(1)


def rehearsed(policy: Policy, scenarios: Mapping[str, str]) -> tuple[tuple[Fault, ...], int]:
    """The faults of the scenarios, and what they found in the policy; how many were played."""
    faults: list[Fault] = []
    for name, text in scenarios.items():
        try:
            scenario = read_scenario(name, text, policy)
        except ConfigError as error:
            faults += error.faults
        else:
            faults += [failure.fault for failure in rehearse(policy, scenario).failures]
    return tuple(faults), len(scenarios)


def proven(policy: Policy, files: Mapping[str, str], only: Collection[str] = ()) -> list[Proved]:
    """The runbooks' own tests, played; of the runbooks named, or of all."""
    tests = [
        test for name, text in files.items() if RUNBOOKS in name for test in read_tests(name, text, policy)
    ]
    return [prove(policy, test) for test in tests if not only or test.runbook in only]


def _tell(
    folder: Path,
    version: str,
    played: tuple[int, int],
    faults: tuple[Fault, ...],
    warnings: tuple[ConfigWarning, ...],
) -> None:
    for remark in (*faults, *warnings):
        say(remark)
    if faults:
        say(f"{_many(len(faults), 'fault')}; nothing of it goes live", "red")
        return
    beside = f", with {_many(len(warnings), 'warning')}" if warnings else ""
    counted = zip(played, ("scenario", "runbook test"), strict=True)
    told = " and ".join(_many(count, noun) for count, noun in counted if count)
    scenarios = f", {told} as expected" if told else ""
    say(f"{folder}: good, version {version}{scenarios}{beside}", "yellow" if warnings else "green")


def _show(matrix: Matrix | None) -> None:
    """The impact matrix, for whoever judges an incident by it."""
    if matrix is not None:
        heading("Impact matrix: how much is out, who is hit")
        rows = [(scope, *_names(row).values()) for scope, row in matrix.cells.items()]
        table(("", *(word.upper() for word in matrix.affects)), rows)


def _names(row: Mapping[str, Severity]) -> dict[str, str]:
    return {affects: str(severity) for affects, severity in row.items()}


def _many(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"
