"""`tocsin report`: how one incident went, for management or for engineers; and how the alarms of a month were."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from console.acting import acting
from console.context import Context, connected
from console.decided import wait
from console.output import plain, progress, say
from console.periods import Period, PeriodType
from ledger import log
from ledger.clock import now_ms
from ledger.views.reports import markdown, page, period_markdown, period_page
from ledger.views.reports.incident import facts
from ledger.views.reports.period import cases, measure
from routing.entry import Lane, Reviewed

MOST = 4_000
"""Characters of each text that a person adds."""

FORMATS = ("markdown", "html", "json")
_SHAPES: dict[tuple[str, str], Callable[[dict[str, Any], str], str]] = {
    ("management", "markdown"): markdown.summary,
    ("management", "html"): page.summary,
    ("engineering", "markdown"): markdown.post_incident,
    ("engineering", "html"): page.post_incident,
}


_PERIODS: dict[str, Callable[[dict[str, Any], str], str]] = {
    "markdown": period_markdown.text,
    "html": period_page.page,
}


class Zone(click.ParamType[str]):
    """A time zone's IANA name."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return ZoneInfo(str(value)).key
        except (KeyError, ValueError, OSError):
            self.fail(f"no time zone {value!r}; write an IANA name like Europe/Warsaw", param, ctx)


def _text(ctx: click.Context, param: click.Parameter, value: str) -> str:
    del ctx
    if len(value) > MOST:
        raise click.BadParameter(f"{len(value)} characters; write at most {MOST:,}", param=param)
    return value


@click.command()
@click.argument("ID", required=False)
@click.option(
    "--period", type=PeriodType(), help="month, week, 2026-11 or 2026-11-01..2026-11-08: how all alarms were."
)
@click.option("--impact", default="", callback=_text, metavar="TEXT", help="Who was affected, and how.")
@click.option("--root-cause", default="", callback=_text, metavar="TEXT", help="Why it happened.")
@click.option("--preventive-measures", default="", callback=_text, metavar="TEXT", help="What prevents it.")
@click.option("--audience", type=click.Choice(["engineering", "management"]), default="engineering",
              show_default=True, help="All of it, or a page of it.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(FORMATS), default="markdown", show_default=True)
@click.option("--json", "json_", is_flag=True, help="As --format json.")
@click.option(
    "--timezone", "zone", type=Zone(), default="UTC", show_default=True, help="Whose times are told."
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file.")
@acting
def report(
    id: str | None, period: Period | None, impact: str, root_cause: str, preventive_measures: str,  # noqa: A002  # the name shown in the usage
    audience: str, form: str, json_: bool, zone: str, out: Path | None, by: str,
) -> None:  # fmt: skip
    """Report on an incident, or with --period on all alarms of a while.

    What is added with --impact, --root-cause and --preventive-measures is kept with the incident.
    """
    form = "json" if json_ else form
    check(id, period)
    if period is not None:
        give(period_as(form, _of_period(connected(), period, zone), zone), out)
        return
    added = Reviewed(
        at=now_ms(),
        by=by,
        incident=id or "",
        impact=impact,
        root_cause=root_cause,
        measures=preventive_measures,
    )
    give(incident_as(audience, form, _of_incident(connected(), added), zone), out)


# ── said alike beside the store and over a console ───────────────────────────────────────────────────────


def check(incident: str | None, period: Period | None) -> None:
    """Raises click.UsageError unless it is one of the two."""
    if (incident is None) == (period is None):
        raise click.UsageError("name an incident or a time, like INC-12 or --period month")


def incident_as(audience: str, form: str, shown: dict[str, Any], zone: str) -> str:
    return _json(shown) if form == "json" else _SHAPES[audience, form](shown, zone)


def period_as(form: str, shown: dict[str, Any], zone: str) -> str:
    return _json(shown) if form == "json" else _PERIODS[form](shown, zone)


def _of_incident(context: Context, added: Reviewed) -> dict[str, Any]:
    """Its facts, once what a person adds is kept. Raises click.ClickException."""
    incident = added.incident
    if context.store.incident(incident) is None:
        raise click.ClickException(f"no incident {incident!r}; see: tocsin incidents list --all")
    if added.impact or added.root_cause or added.measures:
        wait(context, log.append(context.client, context.keys, Lane.CONTROL, added))
    whole = context.store.whole(incident)
    if whole is None:
        raise click.ClickException(f"{incident} moved to the archive just now; say it again")
    return facts(whole, context.store.review(whole.incident), now_ms())


def _of_period(context: Context, period: Period, zone: str) -> dict[str, Any]:
    """Raises click.UsageError when it ends before it begins."""
    now = now_ms()
    since, until = period(now, zone)
    if since >= until:
        raise click.UsageError("--period ends before it begins")
    zones = {name: contact.timezone for name, contact in context.policy.contacts.items()}
    with progress("reading incidents", None) as done:
        found = list(cases(context.store, since, until, done))
    return measure(found, since, until, now, zones, zone)


def _json(shown: object) -> str:
    return json.dumps(shown, ensure_ascii=True, indent=2) + "\n"


def give(text: str, out: Path | None) -> None:
    """Print it as it is, or write the file. Raises click.ClickException."""
    text = plain(text)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror}") from error
    say(f"written to {out}")
