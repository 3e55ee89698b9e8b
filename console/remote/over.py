"""The command line's own commands, carried out by another console: same names, options and words."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import click
from click.core import ParameterSource

from console.remote.api import Api
from console.remote.settings import TOKEN, Elsewhere

Does = Callable[..., None]
"""Called with the API and the command's own parameters."""

_STOPPED = (
    "it needs a Tocsin that is stopped, and a console is a part of one that runs; stop all of it where the store is, "
    "then restore there, by the same command"
)
_MACHINE = "it runs a process on this machine, and asks no console"
_FILES = "it reads files here, and asks no console"
_WHY: Mapping[str, str] = {
    "restore": _STOPPED,
    **dict.fromkeys(("up", "worker", "watchdog", "upkeep", "prober", "receiver", "console"), _MACHINE),
    "publish": "it puts the files of this machine in force, which is done where they are",
    **dict.fromkeys(("send", "heartbeat"), "it signs with a receiver's secrets, which no console has"),
    **dict.fromkeys(("check", "schema"), _FILES),
}
"""What no console can do, and why."""
_OF_FILES = frozenset({"check", "schema", "simulate", "sources test", "runbook test", "alerts create"})
"""What reads the configuration's files here unless a console is named with the command itself."""


def over(
    command: click.Command, path: str, where: Elsewhere, table: Mapping[str, Does], *, named: bool = True
) -> click.Command:
    """A copy of it that asks the console. One that cannot says so, and what to do.

    `named`: the console was named on the command line. Where only the environment names it, what reads files goes on to
    read them here: whoever edits a configuration tries that one.
    """
    found = copy.copy(command)
    if isinstance(command, click.Group) and isinstance(found, click.Group):
        found.commands = {
            name: over(each, f"{path} {name}", where, table, named=named)
            for name, each in command.commands.items()
        }
        if not command.invoke_without_command:
            return found
    asking = _asking(path, where, table[path]) if path in table else _refusing(path, named=named)
    here = command.callback
    if named or path not in _OF_FILES or here is None:
        found.callback = asking
    else:
        found.callback = _of_files(here, asking)
    return found


def _of_files(here: Callable[..., None], asking: Callable[..., None]) -> Callable[..., None]:
    def callback(**given: Any) -> None:
        (asking if given.get("against_history") else here)(**given)

    return callback


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


def _refusing(path: str, *, named: bool) -> Callable[..., None]:
    def callback(**_: Any) -> None:
        if click.get_current_context().invoked_subcommand:
            return
        why = _WHY.get(path, "run it beside the store")
        fix = "Leave --console out" if named else f"Unset {TOKEN} there"
        raise click.ClickException(f"`tocsin {path}` does not work over a console: {why}. {fix}")

    return callback
