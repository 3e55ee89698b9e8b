"""Policy: the route tree and an event's way through it, scenarios, another configuration held against the past."""

from collections.abc import Iterator, Mapping
from typing import Any

import click
from starlette.routing import Route

from console.against_history import MOST_ENTRIES, compared, fate, rows
from console.pages import drafts, muted
from console.refusals import Undecided
from console.routes import shown
from console.serving.navigation import Nav
from console.serving.view import Facts, View, act, page, trial
from console.simulate import shown as judged
from console.trust.acts import Act
from ledger import policies
from ledger.catalogue import catalogue
from ledger.views import why
from routing import routes as tree
from routing.errors import ConfigError, Fault
from routing.instant import DAY
from routing.load import load
from routing.policy import Policy
from routing.policy import Route as Node
from routing.schema.scenario import read_scenario
from routing.simulation.judge import rehearse

NAV = Nav("Policy", "/policy", 50)
LONGEST = 200_000
"""Characters of a scenario or a file."""
MOST_DAYS = 30
SEARCHED = 5_000
"""Live entries looked through for an event that is known by nothing else than a vendor's id."""
SHOWN = 100


def ask(view: View) -> Facts:
    policy = view.context.policy
    labels, wrong, lives = _asked(view)
    taken = tree.match(policy, labels) if labels else []
    held, passed = muted.held(view), {name for each in taken for name in each.path}
    return {
        "version": policy.version,
        "labels": "\n".join(f"{name}={value}" for name, value in labels.items()) or view.query.get("labels", "")[:4000],
        "wrong": wrong,
        "lives": lives,
        "event": view.query.get("event", "")[:200],
        "taken": [shown(each, labels, policy) for each in taken],
        "tree": _node(policy.route, {each.route.name for each in taken}, passed),
        "silences": muted.silences(view, held),
        "windows": muted.windows(view, held),
        "kept": "kept" in view.query,
    }  # fmt: skip


def _asked(view: View) -> tuple[dict[str, str], str, list[Any]]:
    """The labels to walk the tree with: as typed, or those of what became of an event. And what is wrong with them."""
    event = view.query.get("event", "").strip()[:200]
    if event:
        lives = why(view.context.store, event, list(view.context.policy.sources), SEARCHED)[:5]
        incident = next((view.context.store.incident(each.incident) for each in lives if each.incident), None)
        found = {**incident.labels, "severity": str(incident.severity)} if incident else {}
        return found, "" if lives else f"nothing is known by {event!r}", lives
    try:
        return dict(_pairs(view.query.get("labels", "")[:4000])), "", []
    except click.UsageError as error:
        return {}, error.message, []


def _pairs(written: str) -> Iterator[tuple[str, str]]:
    for line in filter(None, map(str.strip, written.splitlines())):
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            raise click.UsageError(f"{line[:60]!r}: write one label a line, like severity=SEV-1")
        yield name.strip(), value.strip().strip('"')


def _node(route: Node, taken: set[str], on_the_way: set[str]) -> Facts:
    return {
        "name": route.name, "matchers": [str(each) for each in route.matchers], "escalation": route.escalation,
        "continues": route.continues, "origin": str(route.origin), "taken": route.name in taken,
        "passed": route.name in on_the_way, "below": [_node(each, taken, on_the_way) for each in route.routes],
    }  # fmt: skip


# ── trying ───────────────────────────────────────────────────────────────────────────────────────────────


def ask_scenario(view: View) -> Facts:
    """A scenario of the configuration to begin with, or the one that was sent, played with what is in force."""
    there = policies.read_tests(view.context.settings.config_dir)
    text = view.sent("scenario", LONGEST)
    chosen = view.query.get("name", "")
    played, faults = _played(view.context.policy, text) if text else (None, ())
    return {
        "names": sorted(there), "chosen": chosen, "text": text or there.get(chosen, ""), "played": played,
        "faults": faults,
    }  # fmt: skip


def _played(policy: Policy, text: str) -> tuple[Facts | None, tuple[Fault, ...]]:
    try:
        return judged(rehearse(policy, read_scenario("scenario.yaml", text, policy))), ()
    except ConfigError as error:
        return None, error.faults


def ask_compare(view: View) -> Facts:
    """Some files of the configuration changed, and what that would have made of the last days."""
    policy = view.context.policy
    files = policies.files_of(view.site.client, view.site.keys, policy.version)
    changed, unread = drafts.changed(view, files)
    days = _days(view.sent("days"))
    asked = bool(view.form) and view.sent("do") != "add" and not unread
    found, faults = _compared(view, {**files, **changed}, days) if asked else (None, ())
    return {
        "names": sorted(files.keys() - changed.keys()), "changed": changed, "unread": unread, "days": days,
        "found": found, "same": [name for name, text in changed.items() if text == files.get(name)],
        "faults": faults, "most": MOST_ENTRIES, "shown": SHOWN,
    }  # fmt: skip


def _days(written: str) -> int:
    return min(MOST_DAYS, max(1, int(written))) if written.isdecimal() and len(written) < 4 else 1  # noqa: PLR2004


def _compared(view: View, files: Mapping[str, str], days: int) -> tuple[Facts | None, tuple[Fault, ...]]:
    try:
        new = load(files, catalogue())
    except ConfigError as error:
        return None, error.faults
    found = compared(view.context, new, view.now - days * DAY, most=MOST_ENTRIES, limit=SHOWN)
    told = [
        {**each, "before": fate(each["before"]), "after": fate(each["after"])}
        for each in found["differences"]
    ]
    return {**found, "totals": list(rows(found)), "differences": told}, ()


def end_silence(view: View) -> str:
    try:
        muted.end(view)
    except Undecided:
        return "/policy?kept=1#muted"
    return "/policy#muted"


ROUTES = [
    Route("/policy", page(Act.READ, "policy.html", ask, "now")),
    Route("/policy/scenario", page(Act.REHEARSE, "scenario.html", ask_scenario), methods=["GET"]),
    Route("/policy/scenario", trial(Act.REHEARSE, "scenario.html", ask_scenario), methods=["POST"]),
    Route("/policy/compare", page(Act.REHEARSE, "compare.html", ask_compare), methods=["GET"]),
    Route(
        "/policy/compare",
        trial(Act.REHEARSE, "compare.html", ask_compare, files=drafts.MOST),
        methods=["POST"],
    ),
    Route("/policy/silences/{id}/end", act(Act.SILENCE, end_silence), methods=["POST"]),
]
