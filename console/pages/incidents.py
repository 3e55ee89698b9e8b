"""All incidents: newest first, by what one looks for, a page at a time."""

from urllib.parse import urlencode

from starlette.routing import Route

from console.serving.navigation import Nav
from console.serving.view import Facts, View, page
from console.trust.acts import Act
from ledger.views import Wanted
from ledger.views import page as listed
from routing.incident import Phase
from routing.severity import Severity

NAV = Nav("Incidents", "/incidents", 15)
LIMIT = 50
SEARCHED = 500
"""So many are read for one page; where few of them match, the page says where it ended."""
_FIELDS = ("text", "status", "severity", "service", "team")


def ask(view: View) -> Facts:
    asked = {name: view.query.get(name, "")[:200] for name in _FIELDS}
    found = listed(view.context.store, _wanted(asked), LIMIT, view.query.get("after", ""), most=SEARCHED)
    following = {**{name: value for name, value in asked.items() if value}, "after": found.after}
    return {
        "asked": asked,
        "rows": [_row(each) for each in found.rows],
        "older": f"/incidents?{urlencode(following)}" if found.after else "",
        "severities": [str(each) for each in Severity],
        "phases": [each.value for each in Phase],
    }


def _wanted(asked: dict[str, str]) -> Wanted:
    phases = frozenset({Phase(asked["status"])}) if asked["status"] else frozenset()
    worst = Severity.parse(asked["severity"]) if asked["severity"] else None
    return Wanted(phases, worst, team=asked["team"], service=asked["service"], text=asked["text"])


def _row(shown: Facts) -> Facts:
    clock = (
        ("respond", shown["respond_by"]) if not shown["acknowledged_at"] else ("resolve", shown["resolve_by"])
    )
    return {**shown, "drill": "", "held": False, "cause": "", "snoozed_until": 0, "clock": clock}


ROUTES = [Route("/incidents", page(Act.READ, "incidents.html", ask, "now", shared=True))]
