"""The command `tocsin`: one group; each command is imported only when it is the one that runs.

The console's own commands are listed here. Those of other packages are found by the entry point group
`tocsin.commands` (name -> click command), so that no package has to know another's.
"""

import importlib.metadata
import sys
from collections.abc import Mapping

import click

from console.lazy import LazyCommand, load, short_help
from console.remote.settings import elsewhere
from routing.errors import ConfigError, TocsinError

GROUP = "tocsin.commands"

SECTIONS: Mapping[str, Mapping[str, str]] = {
    "See what is going on": {
        "status": "console.status:status",
        "incidents": "console.incidents:incidents",
        "why": "console.why:why",
        "report": "console.reports:report",
        "oncall": "console.oncall:oncall",
        "contacts": "console.contacts:contacts",
        "channels": "console.channels:channels",
        "scheduled": "console.scheduled:scheduled",
        "drills": "console.drills:drills",
        "outbox": "console.outbox:outbox",
    },
    "Change what happens": {
        "status-page": "console.status_page:status_page",
        "notify": "console.notify:notify",
        "silence": "console.silences:silence",
        "sources": "console.sources:sources",
        "probes": "console.probes:probes",
        "alerts": "console.alerts:alerts",
        "kill-switch": "console.switches:kill_switch",
        "freeze": "console.switches:freeze",
        "runbook": "console.runbooks:runbook",
    },
    "Let people in": {
        "users": "console.users:users",
        "tokens": "console.tokens:tokens",
    },
    "Bring back what failed": {
        "dead": "console.dead:dead",
        "replay": "console.replay:replay",
        "backup": "console.backup:backup",
        "restore": "console.backup:restore",
    },
    "Check the configuration": {
        "check": "console.check:check",
        "simulate": "console.simulate:simulate",
        "routes": "console.routes:routes",
        "schema": "console.schema:schema",
    },
}
OTHERS = "Run it"


class Tocsin(click.Group):
    """A group whose commands are known by name and imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return [name for commands in commands_by_section().values() for name in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found, named = self._found(cmd_name), ctx.params.get("console") or ""
        where = elsewhere(named) if found is not None else None
        if where is None or found is None:
            return found
        if not named and not any(cmd_name in part for part in SECTIONS.values()):
            return found  # whoever starts a process may have a token set
        from console.remote.over import over  # noqa: PLC0415
        from console.remote.table import TABLE  # noqa: PLC0415  # only for who talks to a console

        return over(found, cmd_name, where, TABLE, named=bool(named))

    def _found(self, cmd_name: str) -> click.Command | None:
        # Most commands are our own: others' are looked for in every installed package.
        own = {name: target for part in SECTIONS.values() for name, target in part.items()}
        if cmd_name in own:
            return load(LazyCommand.parse(own[cmd_name]))
        found = commands_by_section().get(OTHERS, {})
        return load(found[cmd_name]) if cmd_name in found else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        sections = commands_by_section()
        width = max(len(name) for commands in sections.values() for name in commands)
        for section, commands in sections.items():
            with formatter.section(section):
                formatter.write_dl([(name.ljust(width), short_help(t)) for name, t in commands.items()])


def commands_by_section() -> dict[str, dict[str, LazyCommand]]:
    """Section -> name -> where the command is, other packages' commands first."""
    own = {title: {n: LazyCommand.parse(t) for n, t in part.items()} for title, part in SECTIONS.items()}
    known = {name for part in own.values() for name in part}
    found = {
        point.name: LazyCommand.parse(point.value)
        for point in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda point: point.name)
        if point.name not in known
    }
    return {OTHERS: found, **own} if found else own


@click.command(cls=Tocsin, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tocsin", message="%(prog)s %(version)s")
@click.option(
    "--console", metavar="URL",
    help="Ask this console, with the token in TOCSIN_CONSOLE_TOKEN. Default: TOCSIN_CONSOLE_URL, if there is a token.",
)  # fmt: skip
def tocsin(console: str | None) -> None:  # read where a command is looked up
    """Hear every alarm, repair what can be repaired, and wake the right person for the rest.

    Exit status: 0 good, 1 something wrong was found, 2 the command was misused.
    """


def main() -> None:
    """Entry point: our own errors become one line that names the fix, never a traceback."""
    try:
        tocsin.main(prog_name="tocsin")
    except ConfigError as error:
        for fault in error.faults:
            click.echo(fault, err=True)
        sys.exit(1)
    except TocsinError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except Exception as error:
        if not _lost_the_server(error):
            raise
        click.echo(f"Error: the database does not answer any more ({error}); see: tocsin status", err=True)
        sys.exit(1)


def _lost_the_server(error: Exception) -> bool:
    """Whether it is an error of the client library, which is loaded only if something was asked of it."""
    library = sys.modules.get("redis")
    return library is not None and isinstance(error, library.RedisError)


if __name__ == "__main__":
    main()
