"""`tocsin routes`: where labels would lead, without sending anything."""

from typing import Any

import click

from console.context import connected
from console.options import Pair, json_option
from console.output import as_json, say
from routing import routes as tree


@click.group()
def routes() -> None:
    """Try the route tree."""


@routes.command()
@click.argument("LABELS", nargs=-1, type=Pair())
@json_option
def test(labels: tuple[tuple[str, str], ...], json: bool) -> None:
    """Say which route takes LABELS (severity=SEV-1 team=payments ...) and who would be called."""
    policy = connected().policy
    matched = tree.match(policy, dict(labels))
    if json:
        as_json([shown(each, dict(labels)) for each in matched])
        return
    for each in matched:
        say(f"{' > '.join(each.path)}  escalation {each.route.escalation}")
        for why in each.reasons:
            say(f"  because {why}", "dim")
        for number, step in enumerate(policy.escalations[each.route.escalation].steps, start=1):
            targets = ", ".join(f"{kind} {name}" for kind, name in step.targets)
            say(f"  step {number}: {targets}")


def shown(each: tree.Matched, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "path": each.path, "escalation": each.route.escalation, "reasons": [str(why) for why in each.reasons],
        "group": tree.group_key(each.route, labels),
    }  # fmt: skip
