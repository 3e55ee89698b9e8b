"""`tocsin incidents`: list them, show one; what a person can do with one is in `console.responding`."""

from collections.abc import Sequence

import click

from console import responding
from console.context import connected
from console.options import json_option, paging
from console.output import ago, as_json, facts, heading, say, table
from console.step_cells import cells
from ledger.clock import now_ms
from ledger.views import Wanted, detail, page
from ledger.views.incidents import Shown
from routing.incident import Phase
from routing.instant import parse_iso
from routing.severity import Severity


@click.group()
def incidents() -> None:
    """List incidents, show one, and act on it: acknowledge, resolve, snooze, reassign, merge and more."""


@incidents.command("list")
@click.option("--status", type=click.Choice([phase.value for phase in Phase]), multiple=True)
@click.option("--all", "everything", is_flag=True, help="Resolved ones too.")
@click.option("--severity", default="", help="This severe or worse, like SEV-1.")
@click.option("--service", default="")
@click.option("--team", default="")
@click.option("--text", default="", help="Part of the title.")
@paging()
@json_option
def list_(
    status: tuple[str, ...], everything: bool, severity: str, service: str, team: str, text: str,
    limit: int, after: str, json: bool,
) -> None:  # fmt: skip
    """List incidents, newest first; open ones unless asked otherwise."""
    phases = frozenset(Phase(each) for each in status)
    if not phases and not everything:
        phases = frozenset({Phase.TRIGGERED, Phase.ACKNOWLEDGED})
    try:
        worst = Severity.parse(severity) if severity else None
        found = page(
            connected().store, Wanted(phases, worst, team=team, service=service, text=text), limit, after
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if json:
        as_json({"incidents": list(found.rows), "after": found.after})
        return
    tell_page(found.rows, found.after, everything=everything)


def tell_page(rows: Sequence[Shown], after: str, *, everything: bool) -> None:
    now = now_ms()
    table(
        ("ID", "SEVERITY", "STATUS", "OPENED", "TITLE", "NEXT"),
        [
            (
                row["id"],
                row["severity"],
                row["status"],
                _ago(row["opened_at"], now),
                row["title"],
                _next(row, now),
            )
            for row in rows
        ],
        empty="No open incident." if not everything else "No incident.",
    )
    if after:
        say(f"more: tocsin incidents list --after {after}", "dim")


@incidents.command()
@click.argument("ID")
@json_option
def show(id: str, json: bool) -> None:  # noqa: A002  # the name shown in the usage
    """Show everything about one incident."""
    store = connected().store
    whole = store.whole(id)
    if whole is None:
        raise click.ClickException(f"no incident {id!r}; see: tocsin incidents list --all")
    shown = detail(whole, store.effects(id))
    if json:
        as_json(shown)
    else:
        tell(shown)


def tell(shown: Shown) -> None:
    now = now_ms()
    heading(f"{shown['id']}  {shown['severity']}  {shown['title']}")
    facts([
        ("status", shown["status"]), ("summary", shown["summary"]), ("service", shown["service"]),
        ("team", shown["team"]), ("opened", shown["opened_at"]), ("respond by", shown["respond_by"]),
        ("resolve by", shown["resolve_by"]), ("acknowledged", _by(shown, "acknowledged")),
        ("resolved", _by(shown, "resolved")), ("next", _next(shown, now)),
        ("held by", shown["silenced_by"]), ("cause", shown["cause"]),
        ("effects", ", ".join(each["id"] for each in shown["effects"])),
        ("flapping", f"{shown['flapping']} alerts" if shown["flapping"] else ""),
        *(("suspect", _suspect(each)) for each in shown["suspects"]),
        ("tried", shown["tried"]),
    ])  # fmt: skip
    heading("Alerts")
    table(("SOURCE", "KIND", "STATUS", "COUNT", "LAST SEEN", "WHY HERE"), [
        (each["source"], each["kind"], f"{each['status']}, flapping" if each["flapping"] else each["status"],
         each["count"], each["last_seen"], each["why"])
        for each in shown["alerts"][:20]
    ])  # fmt: skip
    heading("Deliveries")
    table(("ID", "WHO", "CHANNEL", "KIND", "STATUS", "TRIES", "PROVIDER"), [
        (each["id"], each["contact"], each["channel"], each["kind"],
         "SANDBOX" if each["sandbox"] else each["status"], each["attempts"], each["provider_id"] or each["error"])
        for each in shown["deliveries"]
    ])  # fmt: skip
    for run in shown["runs"]:
        heading(f"Runbook {run['runbook']} ({run['mode']}): {run['status']} {run['why']}")
        table(("STEP", "ACTION", "STATUS", "WITH", "ASKED", "RESULT"), [
            (step["id"], step["action"], step["status"], *cells(step)) for step in run["steps"]
        ])  # fmt: skip
    if shown["followups"]:
        heading("To do")
        table(("ID", "WHAT", "WHO", "SINCE", "DONE", "EVIDENCE"), [
            (each["id"], each["text"], ", ".join(each["to"]) or "all who were paged", each["opened_at"],
             each["done_at"], each["evidence"])
            for each in shown["followups"]
        ])  # fmt: skip
    heading("Timeline")
    for moment in shown["timeline"]:
        say(f"{moment['at']}  {moment['what']}")
        for reason in moment["reasons"]:
            place = ", ".join(part for part in (reason["rule"], reason["origin"]) if part)
            say(f"{'':26}because {reason['text']}" + (f" ({place})" if place else ""), "dim")


def _suspect(found: Shown) -> str:
    by = f" by {found['by']}" if found["by"] else ""
    if found["change"]:
        return f'the change "{found["change"]}"{by}, made at {found["at"]}'
    return f"production deployment {found['id']}{by}, live since {found['at']}"


def _by(shown: Shown, what: str) -> str:
    return f"{shown[f'{what}_at']} by {shown[f'{what}_by']}" if shown[f"{what}_at"] else ""


def _ago(at: str | None, now: int) -> str:
    return ago(parse_iso(at), now) if at else "-"


def _next(row: Shown, now: int) -> str:
    following = row["next_action"]
    return f"{_ago(following['at'], now)}: {following['what']}" if following else ""


for command in responding.COMMANDS:
    incidents.add_command(command)
