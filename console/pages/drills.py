"""Fire drills: when the next ones come, how each ended, and how they went all together."""

from urllib.parse import urlencode

from starlette.routing import Route

from console.drills import coming, next_one
from console.measured import MOST
from console.serving.view import Facts, View, page
from console.trust.acts import Act

LIMIT = 50


def ask(view: View) -> Facts:
    look, after = view.site.reports.drills(view.context, view.now), view.query.get("after", "")
    told = look.found.facts if look.found else {"drills": None, "held": []}
    places = [each["id"] for each in told["held"]]
    start = places.index(after) + 1 if after in places else 0
    held = told["held"][start : start + LIMIT]
    more = start + LIMIT < len(places)
    return {
        "following": [next_one(rule, at) for rule, at in coming(view.context)],
        "held": held,
        "older": f"/oncall/drills?{urlencode({'after': held[-1]['id']})}#held" if more else "",
        "rows": told["drills"],
        "read_at": look.found.at if look.found else 0,
        "cut": MOST if look.found and look.found.cut else 0,
        "reading": look.reading is not None,
        "read": look.reading.read if look.reading else 0,
    }


ROUTES = [Route("/oncall/drills", page(Act.READ, "drills.html", ask))]
