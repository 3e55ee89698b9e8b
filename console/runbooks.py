"""`tocsin runbook`: what would run by itself, and when; start one, approve or deny one."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from console import rehearsals
from console.acting import acting
from console.check import proven
from console.context import Context, connected
from console.doing import runbooks as doing
from console.doing.entries import Who
from console.options import Pair, json_option
from console.output import as_json, one_line, say, span, table
from ledger import policies
from ledger.catalogue import catalogue
from ledger.settings import from_env
from routing import duration
from routing.entry import Verb
from routing.load import load
from routing.policy import Policy, Runbook


@click.group()
def runbook() -> None:
    """Look at runbooks, start one, approve or deny one."""


@runbook.command("list")
@json_option
def list_(json: bool) -> None:
    """List every runbook with its trigger and limits."""
    rows = [shown(each) for each in connected().policy.runbooks]
    if json:
        as_json(rows)
        return
    tell(rows)


def shown(each: Runbook) -> dict[str, Any]:
    return {
        "id": each.id, "title": each.title, "mode": each.mode,
        "match": ", ".join(str(matcher) for matcher in each.matchers),
        "does": "hands over" if each.task else "repairs", "on_failure": each.next_on_failure,
        "cooldown": span(each.limits.cooldown_ms), "per_hour": each.limits.per_hour, "origin": str(each.origin),
    }  # fmt: skip


def tell(rows: Sequence[dict[str, Any]]) -> None:
    names = ("id", "title", "mode", "does", "match", "cooldown", "per_hour", "origin")
    table([name.upper() for name in names], [[row[name] for name in names] for row in rows])


@runbook.command()
@click.argument("RUNBOOK", nargs=-1)
@click.option("--config", type=click.Path(path_type=Path), help="Folder to test. Default: TOCSIN_CONFIG.")
@click.option("--environment", metavar="NAME", help="Rehearse them there afterwards, like staging.")
@json_option
def test(runbook: tuple[str, ...], config: Path | None, environment: str | None, json: bool) -> None:
    """Play the runbooks' own tests under a simulated clock; nothing real is asked or changed.

    One line a test, and below one that fails all that happened; exit status 1 then.

    With --environment, what they look at is then really looked at there, and what they would change is said.
    """
    folder = config or from_env().config_dir
    files = policies.read_files(folder)
    policy = load(files, catalogue())
    if environment is not None:
        rehearsals.known(policy, environment)
    rows = played_tests(policy, files, runbook)
    wrong = any(not row["ok"] for row in rows)
    if not json:
        tell_tests(rows)
    found = rehearsals.rehearsed(environment, folder, runbook) if environment and not wrong else []
    if json:
        as_json({"tests": rows, "environment": environment, "rehearsals": found} if environment else rows)
    else:
        rehearsals.tell(environment or "", found)
    if environment and not wrong and (failure := rehearsals.failure(environment, found)):
        raise click.ClickException(failure)
    if wrong:
        raise SystemExit(1)


def played_tests(
    policy: Policy, files: Mapping[str, str], only: Collection[str] = ()
) -> list[dict[str, Any]]:
    """The runbooks' own tests, played; of the runbooks named, or of all. Raises click.UsageError."""
    known = [each.id for each in policy.runbooks]
    if unknown := sorted(set(only) - set(known)):
        raise click.UsageError(f"no runbook {unknown[0]!r}; there are {', '.join(known)}")
    return [
        {"runbook": each.test.runbook, "test": each.test.scenario.title, "ok": not each.failure,
         "at": str(each.test.origin), "failure": each.failure,
         "lines": [{"after_ms": line.at - each.test.scenario.start_at, "what": line.what} for line in each.lines]}
        for each in proven(policy, files, only)
    ]  # fmt: skip


def tell_tests(rows: Sequence[dict[str, Any]]) -> None:
    """One line a test, and below one that fails all that happened; said alike here and over a console."""
    for row in rows:
        said = f"{'ok' if row['ok'] else 'FAILED':<7} {row['runbook']}: {row['test']}"
        say(said, "green" if row["ok"] else "red")
        if row["ok"]:
            continue
        say(f"        {row['at']}: {row['failure']}", "red")
        for line in row["lines"]:
            after = duration.text(line["after_ms"] // 1000 * 1000)
            say(one_line(f"        +{after:<8} {line['what']}"))


@runbook.command()
@click.argument("RUNBOOK")
@click.option("--incident", required=True, metavar="ID", help="The incident it is to repair.")
@click.option(
    "--input", "inputs", type=Pair(), multiple=True, metavar="NAME=TEXT", help="Word one of its inputs."
)
@acting
def run(runbook: str, incident: str, inputs: tuple[tuple[str, str], ...], by: str) -> None:
    """Start RUNBOOK now, whatever it matches. Every guard rail holds, and you cannot approve it yourself."""
    start(connected(), runbook, incident, dict(inputs), by)


def start(context: Context, runbook: str, incident: str, inputs: dict[str, str], by: str) -> None:
    """Start it, in these words where they are given. Raises click.ClickException, click.UsageError."""
    for line in doing.start(context, Who(by), runbook, incident, inputs).said:
        say(f"{incident}: {line}")


@runbook.command()
@click.argument("RUN")
@acting
def approve(run: str, by: str) -> None:
    """Let RUN (like INC-12-r1), which waits for it, change what it said it would."""
    _say(connected(), run, Verb.APPROVE, by)


@runbook.command()
@click.argument("RUN")
@acting
def deny(run: str, by: str) -> None:
    """End RUN, which waits for approval: nothing is changed."""
    _say(connected(), run, Verb.DENY, by)


@runbook.command()
@click.argument("RUN")
@click.option("--give-up", metavar="WHY", help="Leave it as it is, and do not try again: why.")
@acting
def undo(run: str, give_up: str | None, by: str) -> None:
    """Take back now what RUN has changed, the last change first, where its steps say how.

    With --give-up what it has changed stays: an end that was set is called off, and what fails is tried no more.
    """
    if give_up is not None and not give_up.strip():
        raise click.UsageError("--give-up wants to know why, like --give-up 'taken back in the dashboard'")
    verb = Verb.UNDO if give_up is None else Verb.LEAVE
    _say(connected(), run, verb, by, give_up or "")


def _say(context: Context, run: str, verb: Verb, by: str, reason: str = "") -> None:
    for line in doing.say(context, Who(by), run, verb, reason).said:
        say(f"{doing.incident_of(run)}: {line}")
