"""One incident: how bad, since when, why, who was told, what ran, and everything one can do about it."""

from collections.abc import Callable, Iterator

import click
from starlette.routing import Route

from console import explaining
from console.doing import incidents as doing
from console.doing.entries import Done
from console.explaining import Asked
from console.overrides import standings
from console.pages import silencing
from console.pages.now import row, said
from console.pages.runs import brief
from console.refusals import Undecided
from console.serving.view import Facts, NotFound, View, act, page
from console.trust.acts import Act
from ledger.clock import now_ms
from ledger.views import incidents
from ledger.views.parts import Parts
from ledger.views.store import Whole
from routing import duration
from routing.decision import Table
from routing.delivery import Delivery
from routing.entry import Verb
from routing.incident import Incident
from routing.run import Run, RunPhase
from routing.severity import Severity

MOST, ROWS = 100, 50
"""So many moments, and so many alerts and deliveries, on the page; the others are counted, and asked for."""
RUNS, LISTED = 8, 30
"""So many that are over are shown with their steps; of earlier ones a line, as far as there are so many in all."""
EXPLAINED = 2_000
"""So many deliveries are looked at for why somebody was paged."""
MERGED = 50
_MISTAKEN = "name what it is to be"


def ask(view: View) -> Facts:
    located = view.context.store.located(view.path["id"])
    if located is None:
        raise NotFound(f"no incident {view.path['id'][:40]!r}")
    incident, retired = located
    parts = Parts(view.context.store, incident.id, retired)
    skip, cursor = _number(view, "deliveries"), _number(view, "alerts")
    deliveries, of_deliveries = parts.latest(Table.DELIVERY, Delivery, ROWS, skip)
    alerts, after, of_alerts = parts.alerts(ROWS, cursor)
    found, _ = parts.latest(Table.RUN, Run, LISTED)
    timeline, moments = _moments(view, parts)
    shown = incidents.detail(Whole(incident, tuple(alerts), (), (), (), retired))
    over = [run for run in found if run.phase.over]
    policy, team = view.context.policy, incident.team
    open_ = () if retired else view.context.store.open_incidents()  # what has retired has no effects any more
    others = [one for one in open_ if one.id != incident.id]
    return {
        "one": shown | row(incident),
        "said": said(view, incident.id),
        "waiting": [incidents.run(run) for run in found if run.phase is RunPhase.WAITING],
        "deliveries": [incidents.delivery(each) for each in deliveries],
        "runs": [brief(run) for run in found if not run.phase.over] + [brief(run) for run in over[:RUNS]],
        "earlier": [incidents.run(run) for run in over[RUNS:]],
        "timeline": timeline,
        "moments": moments,
        "counts": {"alerts": of_alerts, "deliveries": of_deliveries},
        "more": {"alerts": after, "deliveries": skip + ROWS if skip + ROWS < of_deliveries else 0},
        "effects": [each for each in others if each.cause == incident.id],
        "others": [(each.id, each.title[:60]) for each in others[:MERGED]],
        "targets": {
            "Contacts": sorted(policy.contacts),
            "Teams": sorted(policy.teams),
            "Schedules": sorted(policy.schedules),
        },
        "severities": [str(each) for each in Severity],
        "can": {each.value: view.actor.may(each, team) for each in Act},
        "person": view.query.get("person", ""),
        "why": _why(view, view.query.get("person", "")),
        "open": not retired and incident.resolved_at == 0,
    }  # fmt: skip


def _number(view: View, name: str) -> int:
    """What the address asks for, 0 where it names no number that a cursor could be."""
    asked = view.query.get(name, "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 20 else 0  # noqa: PLR2004


def _moments(view: View, parts: Parts) -> tuple[list[Facts], Facts]:
    """A page of the timeline, the latest first; and where it lies among all of it."""
    found, last, of = parts.moments(_number(view, "until"), MOST)
    first = last - len(found)
    told = {
        "of": of, "last": last, "older": max(0, first), "newer": min(of, last + MOST) if last < of else 0,
    }  # fmt: skip
    return [incidents.moment(each) for each in reversed(found)], told


def _why(view: View, person: str) -> explaining.Explanation | None:
    if person not in view.context.policy.contacts:
        return None
    whole = view.context.store.glance(view.path["id"], EXPLAINED)
    if whole is None:
        return None
    return explaining.explain(Asked(whole, view.context.policy, standings(view.context), view.now), person)


# ── acts ─────────────────────────────────────────────────────────────────────────────────────────────────


def on(view: View, verb: Act) -> Incident:
    """The incident of the address, if they may do it there. Raises NotFound or Refused."""
    found = view.context.store.incident(view.path["id"])
    if found is None:
        raise NotFound(f"no incident {view.path['id'][:40]!r}")
    view.need(verb, found.team)
    return found


def _acts(verb: Act, do: Callable[[View, str], Done]) -> Callable[[View], str]:
    """Do it, and show what came of it: on the page it was done from."""

    def done(view: View) -> str:
        incident = on(view, verb).id
        try:
            entry = do(view, incident).entry
        except Undecided as error:
            entry = error.entry
        return back(view, incident, entry)

    return done


def back(view: View, incident: str, entry: str) -> str:
    return (
        f"/?said={entry}&of={incident}" if view.sent("back") == "/" else f"/incidents/{incident}?said={entry}"
    )


def _word(verb: Verb) -> Callable[[View, str], Done]:
    return lambda view, incident: doing.command(view.context, view.who, incident, verb)


def _said(verb: Verb, field: str) -> Callable[[View, str], Done]:
    """A verb with words, which may not be empty."""

    def do(view: View, incident: str) -> Done:
        return doing.command(view.context, view.who, incident, verb, text=_needed(view, field))

    return do


def _needed(view: View, field: str) -> str:
    found = view.sent(field)
    if not found:
        raise click.UsageError(f"{field}: {_MISTAKEN}")
    return found


def _snooze(view: View, incident: str) -> Done:
    length = duration.parse(view.sent("for") or "1h")
    return doing.snooze(view.context, view.who, incident, now_ms() + length)


def _reassign(view: View, incident: str) -> Done:
    return doing.reassign(view.context, view.who, incident, _needed(view, "to"))


def _merge(view: View, incident: str) -> Done:
    return doing.merge(view.context, view.who, incident, _needed(view, "into"))


def _grade(view: View, incident: str) -> Done:
    try:
        level = Severity.parse(view.sent("severity"))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return doing.grade(view.context, view.who, incident, level, view.sent("reason"))


def _done(view: View, incident: str) -> Done:
    return doing.command(view.context, view.who, incident, Verb.DONE, text=view.sent("followup"))


DOINGS: dict[str, tuple[Act, Callable[[View, str], Done]]] = {
    "ack": (Act.ACK, _word(Verb.ACK)),
    "resolve": (Act.RESOLVE, _word(Verb.RESOLVE)),
    "escalate": (Act.ESCALATE, _word(Verb.ESCALATE)),
    "note": (Act.NOTE, _said(Verb.NOTE, "text")),
    "status": (Act.STATUS, _said(Verb.STATUS, "text")),
    "approve": (Act.APPROVE, _said(Verb.APPROVE, "run")),
    "deny": (Act.APPROVE, _said(Verb.DENY, "run")),
    "snooze": (Act.SNOOZE, _snooze),
    "reassign": (Act.REASSIGN, _reassign),
    "merge": (Act.MERGE, _merge),
    "grade": (Act.UPDATE, _grade),
    "done": (Act.DONE, _done),
}
"""Last part of the address -> what it takes, and what it does."""


def _routes() -> Iterator[Route]:
    yield Route("/incidents/{id}", page(Act.READ, "incident.html", ask, "{id}"))
    for name, (verb, do) in DOINGS.items():
        yield Route(f"/incidents/{{id}}/{name}", act(verb, _acts(verb, do)), methods=["POST"])
    yield Route("/incidents/{id}/silence", page(Act.READ, "silence.html", silencing.ask))
    yield Route("/incidents/{id}/silence", act(Act.SILENCE, silencing.do), methods=["POST"])


ROUTES = list(_routes())
