"""Options that say what somebody may: one role for some teams or all, or roles by team."""

from collections.abc import Callable
from typing import Any

import click

from console.trust.acts import Role
from console.trust.grants import ALL, NONE

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def granting(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--grant` as a mapping of team to role, `--role` and `--team`."""
    roles = [role.value for role in Role]
    for option in (
        click.option(
            "--grant", "grants", multiple=True, callback=_by_team, metavar="TEAM=ROLE",
            help=f"A role for a team; several may be given. {ALL!r} is for every team; TEAM={NONE} takes it back.",
        ),
        click.option(
            "--team", "teams", multiple=True, help=f"With --role: of these teams alone; {ALL!r} is all of them."
        ),
        click.option("--role", type=click.Choice(roles), help="Instead of --grant: one role, of all or of --team."),
    ):  # fmt: skip
        command = option(command)
    return command


def _by_team(context: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for each in given:
        team, _, role = each.rpartition("=")
        if not team.strip() or not role.strip():
            raise click.BadParameter(f"{each!r}: write TEAM=ROLE, like payments=responder", context, param)
        found[team.strip()] = role.strip()
    return found
