"""Probes: what is looked at and was seen last; the alert of one, tried for real; a new one, worded and played."""

from starlette.routing import Route

from console import drafting
from console.doing import alerts
from console.drafting import Worded
from console.probes import GOOD, looked, looks, shown
from console.refusals import Nowhere, Undecided
from console.serving.navigation import Nav
from console.serving.view import Facts, NotFound, View, act, page, trial
from console.simulate import shown as judged
from console.trust.acts import Act
from ledger import policies
from routing import duration

NAV = Nav("Probes", "/probes", 42)
_FIELDS = ("name", "condition", "lasting", "severity", "url", "title", "kind", "service")
_USUAL = {"lasting": "2m", "severity": "warning", "url": "/"}


def ask(view: View) -> Facts:
    rows = [shown(*row) for row in looks(view.context, view.now)]
    return {
        "rows": sorted(rows, key=lambda row: (row["state"] in GOOD, row["name"])),
        "looked": looked(view.context),
        "good": GOOD,
    }


def test(view: View) -> str:
    """For real: whoever is on call for it is paged."""
    try:
        done = alerts.test(view.context, view.who, view.path["name"], resolve=bool(view.sent("resolve")))
    except Nowhere as error:
        raise NotFound(error.message) from error
    except Undecided as error:
        return f"/policy?event={error.entry}#test"
    return f"/incidents/{done.incident}" if done.incident else f"/policy?event={done.entry}#test"


def ask_new(view: View) -> Facts:
    """As it was worded, with its text, and what would come of it; nothing is written."""
    said = {name: view.sent(name, 1_000) or _USUAL.get(name, "") for name in _FIELDS}
    facts: Facts = {
        "said": said, "services": sorted(view.context.policy.services), "one": None, "faults": (), "played": None,
        "file": drafting.FILE,
    }  # fmt: skip
    if not view.form:
        return facts
    lasting, words = (
        duration.parse(said["lasting"]),
        {name: said[name] for name in _FIELDS if name != "lasting"},
    )
    one = drafting.draft(Worded(lasting=lasting, **words))
    files = policies.files_of(view.site.client, view.site.keys, view.context.policy.version)
    tried = drafting.tried(files, one, view.now)
    return facts | {
        "one": one, "faults": tried.faults, "played": judged(tried.judged) if tried.judged else None,
    }  # fmt: skip


ROUTES = [
    Route("/probes", page(Act.READ, "probes.html", ask, "now")),
    Route("/probes/new", page(Act.REHEARSE, "probe_new.html", ask_new), methods=["GET"]),
    Route("/probes/new", trial(Act.REHEARSE, "probe_new.html", ask_new), methods=["POST"]),
    Route("/probes/{name}/test", act(Act.ALERT, test), methods=["POST"]),
]
