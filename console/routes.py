"""`tocsin routes`: where labels would lead, without sending anything."""

from collections.abc import Sequence
from typing import Any

import click

from console.context import connected
from console.options import Pair, json_option
from console.output import as_json, say
from routing import routes as tree
from routing.policy import EscalationPolicy, Policy


@click.group()
def routes() -> None:
    """Try the route tree."""


@routes.command()
@click.argument("LABELS", nargs=-1, type=Pair())
@json_option
def test(labels: tuple[tuple[str, str], ...], json: bool) -> None:
    """Say which route takes LABELS (severity=SEV-1 team=payments ...) and who would be called."""
    policy = connected().policy
    tell([shown(each, dict(labels), policy) for each in tree.match(policy, dict(labels))], json=json)


def tell(rows: Sequence[dict[str, Any]], *, json: bool) -> None:
    """Said alike beside the store and over a console."""
    if json:
        as_json(rows)
        return
    for row in rows:
        say(f"{' > '.join(row['path'])}  escalation {row['escalation']}")
        for why in row["reasons"]:
            say(f"  because {why}", "dim")
        for number, step in enumerate(row["steps"], start=1):
            say(f"  step {number}: {', '.join(step['who'])}")


def shown(each: tree.Matched, labels: dict[str, str], policy: Policy) -> dict[str, Any]:
    """`steps`: whom its escalation calls, and after how many ms since the page began."""
    return {
        "path": each.path, "escalation": each.route.escalation, "reasons": [str(why) for why in each.reasons],
        "group": tree.group_key(each.route, labels), "steps": _steps(policy.escalations[each.route.escalation]),
    }  # fmt: skip


def _steps(found: EscalationPolicy) -> list[dict[str, Any]]:
    after, rows = 0, []
    for step in found.steps:
        rows.append({"after_ms": after, "who": [f"{kind} {name}" for kind, name in step.targets]})
        after += step.wait_ms
    return rows
