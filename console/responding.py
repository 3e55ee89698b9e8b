"""What a person can do with an incident: each says what came of it, in the words of its timeline."""

from typing import Any

import click

from console.acting import acting
from console.context import connected
from console.doing import incidents as doing
from console.doing.entries import Done, Who
from console.options import Duration, Instant
from console.output import say
from ledger.clock import now_ms
from routing.entry import Verb
from routing.severity import Severity


def _tell(incident_id: str, done: Done) -> None:
    for line in done.said:
        say(f"{incident_id}: {line}")


def _do(incident_id: str, verb: Verb, by: str, **more: Any) -> None:
    _tell(incident_id, doing.command(connected(), Who(by), incident_id, verb, **more))


def _verb(verb: Verb, help_: str) -> click.Command:
    @click.command(verb.value, help=help_)
    @click.argument("ID")
    @acting
    def command(id: str, by: str) -> None:  # noqa: A002  # the name shown in the usage
        _do(id, verb, by)

    return command


@click.command()
@click.argument("ID")
@click.argument("TEXT")
@acting
def note(id: str, text: str, by: str) -> None:  # noqa: A002
    """Write TEXT into its timeline."""
    _do(id, Verb.NOTE, by, text=text)


@click.command()
@click.argument("ID")
@click.argument("TEXT")
@acting
def status(id: str, text: str, by: str) -> None:  # noqa: A002
    """Say how it stands: everyone who was paged or has a role is told, and the next update is owed later."""
    _do(id, Verb.STATUS, by, text=text)


@click.command()
@click.argument("ID")
@click.argument("FOLLOWUP", default="")
@acting
def done(id: str, followup: str, by: str) -> None:  # noqa: A002
    """Mark FOLLOWUP (or all of them) as done."""
    _do(id, Verb.DONE, by, text=followup)


@click.command()
@click.argument("ID")
@click.option("--for", "for_ms", type=Duration(), default=None, help="How long, like 2h.")
@click.option("--until", "until_at", type=Instant(), default=None, help="Until when.")
@acting
def snooze(id: str, for_ms: int | None, until_at: int | None, by: str) -> None:  # noqa: A002
    """Put it off: nobody is paged until then, and then again."""
    if (for_ms is None) == (until_at is None):
        raise click.UsageError("give one of the two, like --for 2h or --until 2026-11-24T08:00")
    at = until_at if until_at is not None else now_ms() + (for_ms or 0)
    _tell(id, doing.snooze(connected(), Who(by), id, at))


@click.command()
@click.argument("ID")
@click.option("--to", required=True, metavar="WHO", help="A contact, a team or a schedule.")
@acting
def reassign(id: str, to: str, by: str) -> None:  # noqa: A002
    """Hand it over: WHO is paged now, the others are told. team:NAME where names are used twice."""
    _tell(id, doing.reassign(connected(), Who(by), id, to))


@click.command()
@click.argument("ID")
@click.argument("ROLE")
@click.option("--to", required=True, metavar="WHO", help="A contact, or a schedule for who is on call.")
@acting
def role(id: str, role: str, to: str, by: str) -> None:  # noqa: A002
    """Hand ROLE over, like "incident commander": WHO has it now hears of it, and so does who had it."""
    _tell(id, doing.hand_over(connected(), Who(by), id, role, to))


@click.command()
@click.argument("ID")
@click.argument("INTO")
@acting
def merge(id: str, into: str, by: str) -> None:  # noqa: A002
    """Move its alerts to the incident INTO, which answers for them from now on."""
    _tell(id, doing.merge(connected(), Who(by), id, into))


@click.command()
@click.argument("ID")
@click.argument("TEXT", default="")
@click.option("--severity", default="", help="How bad it is, like SEV-3.")
@click.option(
    "--reason", default="", help="Why it is so bad; kept with the incident and told to whoever was paged."
)
@acting
def update(id: str, text: str, severity: str, reason: str, by: str) -> None:  # noqa: A002
    """Say how it stands, as `status` does, or raise or lower its severity, or both.

    What had made it worse will not do so again once it was lowered, unless it gets worse still.
    """
    if not text.strip() and not severity:
        raise click.UsageError('say how it stands, like "investigating", or give --severity')
    if severity:
        _tell(id, doing.grade(connected(), Who(by), id, _severity(severity), reason))
    if text.strip():
        _do(id, Verb.STATUS, by, text=text)


def _severity(text: str) -> Severity:
    try:
        return Severity.parse(text)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


@click.command("open")
@click.argument("TITLE")
@click.option("--severity", default="SEV-2", show_default=True)
@click.option("--service", default="")
@click.option("--team", default="")
@click.option("--summary", default="")
@acting
def open_(title: str, severity: str, service: str, team: str, summary: str, by: str) -> None:
    """Open an incident that no source reported."""
    level = _severity(severity)
    opened, _ = doing.opened(connected(), Who(by), title, level, service, team, summary)
    say(f"{opened or 'an incident'} opened as {level}; see: tocsin incidents show {opened}".rstrip())


COMMANDS: tuple[click.Command, ...] = (
    _verb(Verb.ACK, "Take it: paging stops, and everyone who was paged is told."),
    _verb(Verb.RESOLVE, "Close it: everyone who was paged is told."),
    _verb(Verb.ESCALATE, "Page the next step of the policy now."),
    note,
    status,
    done,
    snooze,
    reassign,
    role,
    merge,
    update,
    open_,
)
