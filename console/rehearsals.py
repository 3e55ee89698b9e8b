"""Rehearsals of `tocsin runbook test --environment`: asked of a process of its own, and told to a person."""

import json
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import click

from console.output import one_line, say
from ledger import env_file
from ledger.settings import environment
from routing.policy import Policy

Shown = dict[str, Any]
_PROGRAM = (sys.executable, "-m", "workers.child", "workers.rehearsing:main")
_INDENT = " " * 8
_WIDEST = 400
_STYLES: Mapping[str, str] = {
    "ok": "green",
    "would": "cyan",
    "failed": "red",
    "FAILED": "red",
    "not played": "yellow",
}
_HOLDS: Mapping[bool | None, str] = {True: "holds", False: "does not hold", None: "cannot be judged"}


def known(policy: Policy, name: str) -> None:
    """Raises click.UsageError, saying what to write, when there is no such environment."""
    if name in policy.environments:
        return
    there = ", ".join(sorted(policy.environments))
    fix = f"there is {there}" if there else "write it in actions.yaml"
    example = f"environments: {{{name}: {{actions: {{http: {{base_url: https://{name}.example.com}}}}}}}}"
    raise click.UsageError(f"no environment {name!r}; {fix}, like {example}")


def rehearsed(name: str, folder: Path, runbooks: Collection[str]) -> list[Shown]:
    """What became of each runbook. Raises click.ClickException when the process fails."""
    given = environment()
    done = subprocess.run(  # noqa: S603  # our own interpreter and names that were looked up
        [*_PROGRAM, name, str(folder), *runbooks],
        env=env_file.joined(env_file.where(given), given),
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(f"the rehearsal ended with status {done.returncode}; see above")
    found: list[Shown] = json.loads(done.stdout)
    return found


def failure(name: str, found: Collection[Shown]) -> str:
    """Why the rehearsal is none; "" when it is good."""
    failed = [each["runbook"] for each in found if not each["ok"]]
    if failed:
        return f"failed in {name}: {', '.join(failed)}"
    if not any(each["played"] for each in found):
        return f"nothing was looked at: {name} has no target of these runbooks configured"
    return ""


def tell(name: str, found: Collection[Shown]) -> None:
    for each in found:
        say("")
        word = "FAILED" if not each["ok"] else "ok" if each["played"] else "not played"
        say(f"{word:<10} {each['runbook']} in {name}: {each['happens']}", _STYLES[word])
        for step in each["steps"]:
            line = f"{step['status']:<10} {step['id']} ({step['action']}): {_result(step)}"
            say(_INDENT + one_line(line, _WIDEST), _STYLES[step["status"]])
        for asked in each["asked"]:
            problem = f": {asked['problem']}" if asked["problem"] else ""
            say(
                one_line(f"        {_HOLDS[asked['holds']]}: {asked['what']} ({asked['condition']}){problem}")
            )
        say(one_line(f"        {each['ends']}"), "dim")


def _result(step: Shown) -> str:
    if step["error"]:
        return str(step["error"])
    shown = step["output"]
    if step["status"] == "would" and isinstance(shown, dict):
        shown = shown.get("would", shown)
    return json.dumps(shown, ensure_ascii=True)
