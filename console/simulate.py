"""`tocsin simulate`: who would be told, when, how and why, before it rings a real phone."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from console.against_history import compare
from console.options import json_option
from console.output import as_json, iso, one_line, say
from ledger import policies
from ledger.catalogue import catalogue
from ledger.settings import from_env
from routing import duration
from routing.load import load
from routing.schema.scenario import read_scenario
from routing.simulation.judge import Judged, rehearse
from routing.simulation.play import Line


@click.command()
@click.argument("SCENARIO", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--config", type=click.Path(path_type=Path), help="Configuration to try. Default: TOCSIN_CONFIG."
)
@click.option("--against-history", is_flag=True, help="Instead of SCENARIO: the events of the last days.")
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 3660), help="How far back.")
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1), help="At most so many differences."
)
@click.option("--reasons/--no-reasons", default=True, help="Say why, with file and line.")
@json_option
def simulate(
    scenario: Path | None,
    config: Path | None,
    against_history: bool,
    days: int,
    limit: int,
    reasons: bool,
    json: bool,
) -> None:
    """Play SCENARIO with the configuration under a simulated clock, until all of it is over.

    One line for each thing that happens; exit status 1 when an expectation of the file does not hold.
    With --against-history the configuration is held against what really happened, beside the one in force.
    """
    if (scenario is None) is not against_history:
        raise click.UsageError("give either a SCENARIO or --against-history")
    folder = config or from_env().config_dir
    if scenario is None:
        compare(folder, days, limit, json=json)
        return
    policy = load(policies.read_files(folder), catalogue())
    text = scenario.read_text("utf-8", errors="surrogateescape")
    judged = rehearse(policy, read_scenario(str(scenario), text, policy))
    if json:
        as_json(shown(judged))
    else:
        _tell(judged, reasons)
    if judged.failures:
        raise SystemExit(1)


def _tell(judged: Judged, reasons: bool) -> None:
    scenario = judged.played.scenario
    say(f"{scenario.title}, from {_clock(scenario.start_at, scenario.timezone)}", "bold")
    for line in judged.played.lines:
        say(one_line(_line(line, scenario.start_at, scenario.timezone, reasons)))
    for incident in judged.played.open():
        following = incident.next_action
        then = f"; next: {following.what} at {_clock(following.at, scenario.timezone)}" if following else ""
        say(f"still open at the end: {incident.id} {incident.phase}{then}", "yellow")
    for failure in judged.failures:
        say(one_line(str(failure)), "red")
    count = len(scenario.expectations)
    if count:
        held = count - len(judged.failures)
        say(f"{max(0, held)} of {count} expectations held", "red" if judged.failures else "green")


def _line(line: Line, start_at: int, zone: str, reasons: bool) -> str:
    after = duration.text((line.at - start_at) // 1000 * 1000)
    why = "; ".join(str(reason) for reason in line.reasons) if reasons else ""
    return f"{_clock(line.at, zone)}  +{after:<8} {line.incident:<7} {line.what}" + (
        f"  [{why}]" if why else ""
    )


def _clock(at: int, zone: str) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)).strftime("%a %d %b %H:%M:%S")


def shown(judged: Judged) -> dict[str, Any]:
    scenario = judged.played.scenario
    return {
        "title": scenario.title,
        "start": iso(scenario.start_at),
        "ok": not judged.failures,
        "lines": [
            {"at": iso(each.at), "incident": each.incident, "what": each.what,
             "reasons": [str(reason) for reason in each.reasons]}
            for each in judged.played.lines
        ],
        "incidents": [
            {"id": each.id, "title": each.title, "severity": str(each.severity), "status": str(each.phase),
             "paged": list(each.paged)}
            for each in judged.played.simulation.incidents()
        ],
        "failures": [
            {"at": str(each.origin), "expected": each.expected, "found": each.found} for each in judged.failures
        ],
    }  # fmt: skip
