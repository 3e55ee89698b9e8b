"""Reports, mail to customers, vendors asked anew, and what a silence would hide, over a console."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from console import gaps as gaps_command
from console import reports, silences, status_page
from console.output import say
from console.periods import Period
from console.remote.api import Api, part
from console.remote.over import Does
from ledger.clock import now_ms


def report(
    api: Api, id: str | None, period: Period | None, impact: str, root_cause: str, preventive_measures: str,  # noqa: A002
    audience: str, form: str, json_: bool, zone: str, out: Path | None,
) -> None:  # fmt: skip
    form = "json" if json_ else form
    reports.check(id, period)
    if period is not None:
        shown = api.get("/reports/period", period=period.text, timezone=zone)
        reports.give(reports.period_as(form, shown, zone), out)
        return
    incident = part(id or "")
    added = {"impact": impact, "root_cause": root_cause, "measures": preventive_measures}
    if any(added.values()):
        api.post(f"/incidents/{incident}/review", added)
    reports.give(reports.incident_as(audience, form, api.get(f"/reports/incidents/{incident}"), zone), out)


def customers(api: Api, id: str, subject: str, message: str, runbook: str) -> None:  # noqa: A002
    inputs = {
        name: text.strip() for name, text in (("subject", subject), ("message", message)) if text.strip()
    }
    done = api.post(f"/runbooks/{part(runbook)}/run", {"incident": id, "inputs": inputs})
    for line in done["said"] if done["decided"] else [f"kept as {done['entry']}; it will be decided"]:
        say(f"{id}: {line}")


def gaps(api: Api, wanted: str | None, json: bool) -> None:
    found: Any = api.post(f"/gaps/{part(wanted)}/ask") if wanted is not None else api.get("/gaps")
    gaps_command.tell(found["gaps"], wanted, now_ms(), json=json)


def preview(api: Api, matchers: tuple[str, ...], json: bool) -> None:
    silences.tell_hidden(api.post("/silences/preview", {"matchers": list(matchers)}), json=json)


def publish(
    api: Api, id: str, said: str, message: str, components: tuple[str, ...], health: str | None  # noqa: A002
) -> None:  # fmt: skip
    sent: dict[str, Any] = {"status": said, "text": message.strip(), "components": list(components)}
    done = api.post(f"/incidents/{part(id)}/publish", sent | ({"health": health} if health else {}))
    for line in done["said"] if done["decided"] else [f"kept as {done['entry']}; it will be decided"]:
        say(f"{id}: {line}")


def board(api: Api, json: bool) -> None:
    status_page.tell(api.get("/status-page"), json=json)


def page(api: Api) -> None:
    click.echo(api.text("/status-page/html"), nl=False)


COMMANDS: Mapping[str, Does] = {
    "report": report, "notify customers": customers, "sources gaps": gaps, "silence preview": preview,
    "status-page update": publish, "status-page show": board, "status-page html": page,
}  # fmt: skip
