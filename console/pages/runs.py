"""One run of a runbook, with all that its steps brought; where there are many of them, the beginning of it."""

from starlette.routing import Route

from console.serving.view import Facts, NotFound, View, page
from console.serving.words import laid_out
from console.trust.acts import Act
from ledger.views import incidents
from ledger.views.parts import Parts
from routing.decision import Table
from routing.run import Run

BRIEF = 1_500
"""Characters of what a step brought, on a page of several runs."""


def brief(run: Run, most: int = BRIEF) -> Facts:
    """As `ledger.views.incidents.run`; `rest` is where all of it is, "" where nothing was left out."""
    shown = incidents.run(run)
    steps = [_cut(step, most) for step in shown["steps"]]
    cut = any(each["output"] is not step["output"] for each, step in zip(steps, shown["steps"], strict=True))
    return {**shown, "steps": steps, "rest": f"/incidents/{run.incident}/runs/{run.id}" if cut else ""}


def _cut(step: Facts, most: int) -> Facts:
    if step["output"] in (None, ""):
        return step
    text = laid_out(step["output"])
    return step if len(text) <= most else {**step, "output": text[:most] + "…"}


def ask(view: View) -> Facts:
    store, named = view.context.store, view.path["run"]
    found = store.located(view.path["id"])
    run = Parts(store, found[0].id, found[1]).one(Table.RUN, Run, named) if found else None
    if found is None or run is None:
        raise NotFound(f"no run {named[:60]!r}")
    return {"run": incidents.run(run) | {"rest": ""}, "one": found[0]}


ROUTES = [Route("/incidents/{id}/runs/{run}", page(Act.READ, "one_run.html", ask, "{id}"))]
