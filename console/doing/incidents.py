"""What people do with incidents."""

from typing import Any

import click

from console.context import Context
from console.decided import opened_by
from console.doing.entries import Done, Who, do
from console.refusals import Nowhere
from ledger.clock import now_ms
from routing.entry import Command, Graded, Opened, Reviewed, Verb
from routing.incident import Incident
from routing.severity import Severity


def known(context: Context, incident_id: str) -> Incident:
    """Raises Nowhere."""
    found = context.store.incident(incident_id)
    if found is None:
        raise Nowhere(f"no incident {incident_id!r}; see: tocsin incidents list --all")
    return found


def command(context: Context, who: Who, incident_id: str, verb: Verb, **more: Any) -> Done:
    """Raises Nowhere, Undecided."""
    known(context, incident_id)
    entry = Command(
        at=now_ms(), by=who.person, client=who.client, via=who.via, incident=incident_id, verb=verb, **more
    )
    return do(context, who, entry, incident_id)


def snooze(context: Context, who: Who, incident_id: str, until_at: int) -> Done:
    """Until an instant (ms). Raises click.UsageError too."""
    if until_at <= now_ms():
        raise click.UsageError("that is over already; give a later time")
    return command(context, who, incident_id, Verb.SNOOZE, until_at=until_at)


def reassign(context: Context, who: Who, incident_id: str, to: str) -> Done:
    """Raises click.UsageError too."""
    known(context, incident_id)
    return command(context, who, incident_id, Verb.REASSIGN, to=target(context, to))


def hand_over(context: Context, who: Who, incident_id: str, role: str, to: str) -> Done:
    """Raises click.UsageError too."""
    known(context, incident_id)
    process = context.policy.process
    names = list(dict.fromkeys(each.name for each in process.roles)) if process else []
    if role not in names:
        there = f"there are {', '.join(names)}" if names else "process.yaml defines none"
        raise click.UsageError(f"no role {role!r}; {there}")
    return command(context, who, incident_id, Verb.ROLE, text=role, to=target(context, to))


def merge(context: Context, who: Who, incident_id: str, into: str) -> Done:
    """Raises click.UsageError too."""
    if incident_id == into:
        raise click.UsageError("an incident cannot be merged into itself")
    known(context, into)
    return command(context, who, incident_id, Verb.MERGE, to=into)


def grade(context: Context, who: Who, incident_id: str, severity: Severity, reason: str) -> Done:
    """Raises Nowhere, Undecided."""
    known(context, incident_id)
    entry = Graded(
        at=now_ms(),
        by=who.name,
        client=who.client,
        incident=incident_id,
        severity=int(severity),
        reason=reason,
    )
    return do(context, who, entry, incident_id)


def review(
    context: Context, who: Who, incident_id: str, impact: str = "", root_cause: str = "", measures: str = ""
) -> Done:
    """What no record tells, for the report. Raises Nowhere, Undecided."""
    known(context, incident_id)
    entry = Reviewed(
        at=now_ms(), by=who.name, client=who.client, incident=incident_id, impact=impact, root_cause=root_cause,
        measures=measures,
    )  # fmt: skip
    return do(context, who, entry, incident_id)


def opened(
    context: Context,
    who: Who,
    title: str,
    severity: Severity,
    service: str = "",
    team: str = "",
    summary: str = "",
) -> tuple[str, Done]:
    """The incident, "" when it is none of the newest, and what was done. Raises Undecided."""
    entry = Opened(
        at=now_ms(), by=who.name, client=who.client, title=title, severity=int(severity), service=service, team=team,
        summary=summary,
    )  # fmt: skip
    done = do(context, who, entry)
    return opened_by(context, done.entry), done


def target(context: Context, who: str) -> str:
    """Turn "anna" into "contact:anna". Raises click.UsageError naming what there is."""
    policy = context.policy
    there: dict[str, Any] = {
        "contact": policy.contacts, "team": policy.teams, "schedule": policy.schedules
    }  # fmt: skip
    kind, colon, name = who.partition(":")
    if colon and kind in there and name in there[kind]:
        return who
    found = next((kind for kind, names in there.items() if who in names), "")
    if not found:
        names = ", ".join(sorted({each for names in there.values() for each in names}))
        raise click.UsageError(f"no contact, team or schedule {who!r}; there are {names}")
    return f"{found}:{who}"
