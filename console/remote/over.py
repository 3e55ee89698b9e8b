"""The command line's own commands, carried out by another console: same names, options and words."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import click
from click.core import ParameterSource

from console.remote.api import Api
from console.remote.settings import Elsewhere

Does = Callable[..., None]
"""Called with the API and the command's own parameters."""


def over(command: click.Command, path: str, where: Elsewhere, table: Mapping[str, Does]) -> click.Command:
    """A copy of it that asks the console. One that cannot says so, and what to do."""
    found = copy.copy(command)
    if isinstance(command, click.Group) and isinstance(found, click.Group):
        found.commands = {
            name: over(each, f"{path} {name}", where, table) for name, each in command.commands.items()
        }
        if not command.invoke_without_command:
            return found
    found.callback = _asking(path, where, table[path]) if path in table else _refusing(path)
    return found


def _asking(path: str, where: Elsewhere, does: Does) -> Callable[..., None]:
    def callback(**given: Any) -> None:
        context = click.get_current_context()
        if context.invoked_subcommand:
            return
        if context.get_parameter_source("by") is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{path}: over a console the token says who acts; leave --as out")
        given.pop("by", None)
        with Api(where.checked()) as api:
            does(api, **given)

    return callback


def _refusing(path: str) -> Callable[..., None]:
    def callback(**_: Any) -> None:
        if click.get_current_context().invoked_subcommand:
            return
        raise click.ClickException(
            f"`tocsin {path}` does not work over a console; run it beside the store, without --console and "
            "TOCSIN_CONSOLE_TOKEN"
        )

    return callback
