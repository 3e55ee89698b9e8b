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
from routing.incident import Incident, Phase
from routing.instant import parse_iso
from routing.load import load
from routing.schema.scenario import read_scenario
from routing.simulation.judge import Judged, rehearse


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
    tell(shown(judged), reasons, json=json)


def tell(found: dict[str, Any], reasons: bool, *, json: bool) -> None:
    """Said alike here and over a console. Raises SystemExit(1) when an expectation does not hold."""
    if json:
        as_json(found)
    else:
        _tell(found, reasons)
    if not found["ok"]:
        raise SystemExit(1)


def _tell(found: dict[str, Any], reasons: bool) -> None:
    start, zone = parse_iso(found["start"]), found["timezone"]
    say(f"{found['title']}, from {_clock(start, zone)}", "bold")
    for line in found["lines"]:
        say(one_line(_line(line, start, zone, reasons)))
    for one in found["incidents"]:
        if one["open"]:
            then = one["next"]
            following = f"; next: {then['what']} at {_clock(parse_iso(then['at']), zone)}" if then else ""
            say(f"still open at the end: {one['id']} {one['status']}{following}", "yellow")
    for each in found["failures"]:
        say(one_line(f"{each['at']}: expected {each['expected']}; found: {each['found']}"), "red")
    if count := found["expectations"]:
        held = max(0, count - len(found["failures"]))
        say(f"{held} of {count} expectations held", "red" if found["failures"] else "green")


def _line(line: dict[str, Any], start_at: int, zone: str, reasons: bool) -> str:
    at = parse_iso(line["at"])
    after = duration.text((at - start_at) // 1000 * 1000)
    why = "; ".join(line["reasons"]) if reasons else ""
    return f"{_clock(at, zone)}  +{after:<8} {line['incident']:<7} {line['what']}" + (
        f"  [{why}]" if why else ""
    )


def _clock(at: int, zone: str) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)).strftime("%a %d %b %H:%M:%S")


def shown(judged: Judged) -> dict[str, Any]:
    scenario = judged.played.scenario
    return {
        "title": scenario.title,
        "start": iso(scenario.start_at),
        "timezone": scenario.timezone,
        "ok": not judged.failures,
        "lines": [
            {"at": iso(each.at), "incident": each.incident, "what": each.what,
             "reasons": [str(reason) for reason in each.reasons]}
            for each in judged.played.lines
        ],
        "incidents": [
            {"id": each.id, "title": each.title, "severity": str(each.severity), "status": str(each.phase),
             "paged": list(each.paged), "open": each.phase is not Phase.RESOLVED, "next": _next(each)}
            for each in judged.played.simulation.incidents()
        ],
        "failures": [
            {"at": str(each.origin), "expected": each.expected, "found": each.found} for each in judged.failures
        ],
        "expectations": len(scenario.expectations),
    }  # fmt: skip


def _next(one: Incident) -> dict[str, Any] | None:
    return {"at": iso(one.next_action.at), "what": one.next_action.what} if one.next_action else None
