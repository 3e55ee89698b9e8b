"""What a person can do with an incident: each says what came of it, in the words of its timeline."""

from typing import Any

import click

from console.acting import acting
from console.context import Context, connected
from console.decided import act, opened_by
from console.options import Duration, Instant
from console.output import say
from ledger.clock import now_ms
from routing.entry import Command, Graded, Opened, Verb
from routing.severity import Severity


def _known(incident_id: str) -> Context:
    context = connected()
    if context.store.incident(incident_id) is None:
        raise click.ClickException(f"no incident {incident_id!r}; see: tocsin incidents list --all")
    return context


def _do(incident_id: str, verb: Verb, by: str, **more: Any) -> None:
    entry = Command(at=now_ms(), by=by, incident=incident_id, verb=verb, **more)
    act(_known(incident_id), entry, incident=incident_id)


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
    if at <= now_ms():
        raise click.UsageError("that is over already; give a later time")
    _do(id, Verb.SNOOZE, by, until_at=at)


@click.command()
@click.argument("ID")
@click.option("--to", required=True, metavar="WHO", help="A contact, a team or a schedule.")
@acting
def reassign(id: str, to: str, by: str) -> None:  # noqa: A002
    """Hand it over: WHO is paged now, the others are told. team:NAME where names are used twice."""
    _do(id, Verb.REASSIGN, by, to=_target(connected(), to))


@click.command()
@click.argument("ID")
@click.argument("ROLE")
@click.option("--to", required=True, metavar="WHO", help="A contact, or a schedule for who is on call.")
@acting
def role(id: str, role: str, to: str, by: str) -> None:  # noqa: A002
    """Hand ROLE over, like "incident commander": WHO has it now hears of it, and so does who had it."""
    context = connected()
    process = context.policy.process
    names = list(dict.fromkeys(each.name for each in process.roles)) if process else []
    if role not in names:
        there = f"there are {', '.join(names)}" if names else "process.yaml defines none"
        raise click.UsageError(f"no role {role!r}; {there}")
    _do(id, Verb.ROLE, by, text=role, to=_target(context, to))


@click.command()
@click.argument("ID")
@click.argument("INTO")
@acting
def merge(id: str, into: str, by: str) -> None:  # noqa: A002
    """Move its alerts to the incident INTO, which answers for them from now on."""
    if id == into:
        raise click.UsageError("an incident cannot be merged into itself")
    _known(into)
    _do(id, Verb.MERGE, by, to=into)


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
        level = _severity(severity)
        act(
            _known(id),
            Graded(at=now_ms(), by=by, incident=id, severity=int(level), reason=reason),
            incident=id,
        )
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
    entry = Opened(
        at=now_ms(), by=by, title=title, severity=int(level), service=service, team=team, summary=summary
    )
    context = connected()
    opened = opened_by(context, act(context, entry).id)
    say(f"{opened or 'an incident'} opened as {level}; see: tocsin incidents show {opened}".rstrip())


def _target(context: Context, who: str) -> str:
    """Turn "anna" into "contact:anna". Raises click.UsageError naming what there is."""
    policy = context.policy
    known: dict[str, Any] = {
        "contact": policy.contacts, "team": policy.teams, "schedule": policy.schedules
    }  # fmt: skip
    kind, colon, name = who.partition(":")
    if colon and kind in known and name in known[kind]:
        return who
    found = next((kind for kind, names in known.items() if who in names), "")
    if not found:
        names = ", ".join(sorted({each for names in known.values() for each in names}))
        raise click.UsageError(f"no contact, team or schedule {who!r}; there are {names}")
    return f"{found}:{who}"


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
