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
from console.output import plain, say
from ledger import log
from ledger.clock import now_ms
from ledger.views.reports import markdown, page
from ledger.views.reports.incident import facts
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
    id: str | None, impact: str, root_cause: str, preventive_measures: str, audience: str, form: str,  # noqa: A002  # the name shown in the usage
    json_: bool, zone: str, out: Path | None, by: str,
) -> None:  # fmt: skip
    """Report on an incident. What is added with --impact, --root-cause and --preventive-measures is kept with it."""
    form = "json" if json_ else form
    if not id:
        raise click.UsageError("name an incident, like: tocsin report INC-12")
    added = Reviewed(
        at=now_ms(), by=by, incident=id, impact=impact, root_cause=root_cause, measures=preventive_measures
    )
    shown = _of_incident(connected(), id, added)
    _give(_json(shown) if form == "json" else _SHAPES[audience, form](shown, zone), out)


def _of_incident(context: Context, incident: str, added: Reviewed) -> dict[str, Any]:
    """Its facts, once what a person adds is kept. Raises click.ClickException."""
    if context.store.incident(incident) is None:
        raise click.ClickException(f"no incident {incident!r}; see: tocsin incidents list --all")
    if added.impact or added.root_cause or added.measures:
        wait(context, log.append(context.client, context.keys, Lane.CONTROL, added))
    whole = context.store.whole(incident)
    if whole is None:
        raise click.ClickException(f"{incident} moved to the archive just now; say it again")
    return facts(whole, context.store.review(whole.incident), now_ms())


def _json(shown: object) -> str:
    return json.dumps(shown, ensure_ascii=True, indent=2) + "\n"


def _give(text: str, out: Path | None) -> None:
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
