"""Reports: how the alarms of a while were, as charts; and how one incident went, to read, to add to, to take along."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console import periods
from console.charts import Chart, Column, columns
from console.doing import incidents as doing
from console.measured import MOST, Measured
from console.output import plain
from console.pages.oncall import known_zone
from console.refusals import Undecided
from console.serving.navigation import Nav
from console.serving.site import Site, site_of
from console.serving.view import Facts, NotFound, View, act, page
from console.trust.acts import Act
from console.trust.guard import guarded
from ledger.views.reports import markdown, period_markdown, period_page
from ledger.views.reports import page as html
from ledger.views.reports.incident import facts
from ledger.views.reports.period import NIGHT
from ledger.views.reports.wording import percent, span_or_none
from routing.calendar.wall import local
from routing.instant import parse_iso

R = TypeVar("R")

NAV = Nav("Reports", "/reports", 60)
TEXT = 4_000
SHOWN = 250
"""Lines, messages and alerts of a report on its page; the files have all of them."""
_DAYS = 92
"""So many days at most have a bar of their own."""
_FORMS: dict[str, tuple[str, Callable[[dict[str, Any], str], str], Callable[[dict[str, Any], str], str]]] = {
    "md": ("text/markdown", markdown.post_incident, period_markdown.text),
    "html": ("text/html", html.post_incident, period_page.page),
    "json": ("application/json", lambda shown, _: _json(shown), lambda shown, _: _json(shown)),
}
"""Ending of a file's name -> its type, an incident's report, a period's."""


def ask(view: View) -> Facts:
    name, zone = view.query.get("period", "month")[:40] or "month", _zone(view)
    look = _asked(view.site.reports.look, view.site, name, zone, view.now)
    around = {
        "name": name, "zone": zone, "forms": list(_FORMS), "reading": look.reading is not None,
        "read": look.reading.read if look.reading else 0,
    }  # fmt: skip
    return around | (_shown(look.found, zone) if look.found else {"told": None})


def _shown(found: Measured, zone: str) -> Facts:
    told = found.facts
    return {
        "told": told, "cut": MOST if found.cut else 0, "read_at": found.at,
        "figures": list(_figures(told)),
        "hours": columns([Column(f"{hour:02}", count) for hour, count in enumerate(told["pages"]["hours"])]),
        "nights": [f"{hour:02}" for hour in NIGHT],
        "days": _days(told, zone),
        "people": _people(told),
        "severities": columns([Column(name, count) for name, count in told["incidents"]["by_severity"].items()]),
        "services": columns([Column(each["service"], each["incidents"]) for each in told["services"]]),
        "promises": [_promise(each) for each in told["promises"]],
        "noise": [line.removeprefix("- ") for line in period_markdown.noise(told)],
        "automation": [line.removeprefix("- ") for line in period_markdown.automation(told)],
    }  # fmt: skip


def _zone(view: View) -> str:
    own = view.context.policy.contacts.get(view.actor.name)
    return known_zone(view.query.get("zone", "")) or (own.timezone if own else "UTC")


def _asked(ask: Callable[..., R], site: Site, name: str, zone: str, now: int) -> R:
    """Raises NotFound where the name means no while."""
    try:
        return ask(site.context, name, periods.read(name), zone, now)
    except (ValueError, OverflowError) as error:
        raise NotFound(f"no while {name!r}; write week, month, 2026-11 or 2026-11-01..2026-11-30") from error


def _figures(told: Facts) -> Iterator[tuple[str, str, str]]:
    found, taken, over = told["incidents"], told["acknowledged"], told["resolved"]
    pages, repaired, noise = told["pages"], told["automation"], told["noise"]
    yield "Incidents", str(found["all"]), f"{found['open']} open, {found['reopened']} reopened"
    yield (
        "Acknowledged after (MTTA)",
        span_or_none(taken["mean_ms"]),
        f"median {span_or_none(taken['median_ms'])}",
    )
    yield "Resolved after (MTTR)", span_or_none(over["mean_ms"]), f"median {span_or_none(over['median_ms'])}"
    yield "Pages", str(pages["all"]), f"{pages['at_night']} at night"
    yield "Repaired by itself", percent(repaired["share"]), f"{repaired['repaired']} of {repaired['over']}"
    yield "Noise", percent(noise["share"]), "of what paged"


def _days(told: Facts, zone: str) -> Chart:
    """Every day of the while, or of its last quarter."""
    first, last = (local(parse_iso(told[end]) - ago, zone).date() for end, ago in (("from", 0), ("until", 1)))
    first = max(first, last - timedelta(days=_DAYS))
    found = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return columns([Column(f"{day:%d %b}", told["days"].get(day.isoformat(), 0)) for day in found])


def _people(told: Facts) -> Chart:
    return columns([
        Column(each["contact"], each["pages"], f"{each['pages']}, {each['at_night']} at night")
        for each in told["pages"]["people"]
    ])  # fmt: skip


def _promise(each: Facts) -> Facts:
    """Each as its share that was kept, in percent, and in words."""
    return {"severity": each["severity"], **{name: _share(each[name]) for name in ("response", "resolution")}}


def _share(found: Facts) -> Facts:
    share = found["share"]
    return {
        "share": round(100 * (share or 0), 1),
        "any": share is not None,
        "told": period_markdown.held(found),
    }


# ── one incident ─────────────────────────────────────────────────────────────────────────────────────────


def ask_one(view: View) -> Facts:
    shown, zone = _report(view.site, view.path["id"], view.now, SHOWN), _zone(view)
    incident = doing.known(view.context, view.path["id"])
    return {
        "id": incident.id, "title": incident.title, "team": incident.team, "zone": zone, "forms": list(_FORMS),
        "text": markdown.post_incident(shown, zone), "cut": SHOWN if len(shown["timeline"]) == SHOWN else 0,
        "review": view.context.store.review(incident), "kept": "kept" in view.query,
    }  # fmt: skip


def _report(site: Site, incident_id: str, now: int, most: int = 0) -> dict[str, Any]:
    """Of no more than `most` lines, messages and alerts, if not 0. Raises NotFound."""
    store = site.context.store
    whole = store.glance(incident_id, most) if most else store.whole(incident_id)
    if whole is None:
        raise NotFound(f"no incident {incident_id[:40]!r}")
    return facts(whole, site.context.store.review(whole.incident), now)


def review(view: View) -> str:
    incident = doing.known(view.context, view.path["id"])
    view.need(Act.REVIEW, incident.team)
    said = [view.sent(name, TEXT) for name in ("impact", "root_cause", "measures")]
    try:
        doing.review(view.context, view.who, incident.id, *said)
    except Undecided:
        return f"/reports/{incident.id}?kept=1"
    return f"/reports/{incident.id}"


def _json(shown: object) -> str:
    return json.dumps(shown, ensure_ascii=True, indent=2) + "\n"


async def file(request: Request) -> Response:
    """A report to take along, of an incident or a while; never opened by the browser as a page of ours."""
    site, name, form = site_of(request), request.path_params["id"], request.path_params["form"]
    zone = known_zone(request.query_params.get("zone", "")) or "UTC"
    if form not in _FORMS:
        raise NotFound(f"no report as {form[:10]!r}")
    # It may have to be read first: whoever waits for that keeps nobody from a page.
    text = await to_thread.run_sync(_written, site, name, form, zone, limiter=site.trying)
    headers = {"content-disposition": f'attachment; filename="report.{form}"'}
    return Response(plain(text), headers=headers, media_type=f"{_FORMS[form][0]}; charset=utf-8")


def _written(site: Site, name: str, form: str, zone: str) -> str:
    _, of_incident, of_period = _FORMS[form]
    if name.startswith("INC-"):
        return of_incident(_report(site, name, site.now()), zone)
    return of_period(_asked(site.reports.get, site, name, zone, site.now()).facts, zone)


ROUTES = [
    Route("/reports", page(Act.READ, "reports.html", ask)),
    Route("/reports/files/{id}.{form}", guarded(Act.READ, file)),
    Route("/reports/{id}", page(Act.READ, "report.html", ask_one, "{id}")),
    Route("/reports/{id}/review", act(Act.REVIEW, review), methods=["POST"]),
]
