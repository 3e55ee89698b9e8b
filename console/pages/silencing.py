"""Silence this: what alerts of an incident have in common, what a silence of it would hide, and setting it."""

import uuid
from collections.abc import Sequence

import click

from console.doing.entries import do as enter
from console.doing.silences import check_whose, mutes_all
from console.refusals import Undecided
from console.serving.view import Facts, NotFound, View
from console.trust.acts import Act
from ledger.clock import now_ms
from ledger.views import silences
from ledger.views.parts import Parts
from routing import duration
from routing.entry import SilenceSet
from routing.incident import Alert
from routing.instant import DAY
from routing.language import matchers

LONGEST_MS = 30 * DAY
_COMMON = ("service", "kind", "source", "alertname", "instance")
MOST = 50
PREVIEWED = 500
"""So many incidents, and so many alerts of each, are held against what is thought of."""


def ask(view: View) -> Facts:
    located = view.context.store.located(view.path["id"])
    if located is None:
        raise NotFound(f"no incident {view.path['id'][:40]!r}")
    incident, retired = located
    alerts, _, _ = Parts(view.context.store, incident.id, retired).alerts(MOST)
    written = view.query.get("matchers") or "\n".join(_whose(view, incident.team) + _common(alerts))
    found, wrong = None, ""
    try:
        found = silences.preview(view.context.store, _read(written), view.now, PREVIEWED)
    except click.ClickException as error:
        wrong = error.message if written.strip() else ""
    return {
        "one": incident, "matchers": written, "preview": found, "wrong": wrong, "most": PREVIEWED,
        "can": view.actor.may(Act.SILENCE, incident.team),
    }  # fmt: skip


def do(view: View) -> str:
    incident = view.context.store.incident(view.path["id"])
    if incident is None:
        raise NotFound(f"no incident {view.path['id'][:40]!r}")
    view.need(Act.SILENCE, incident.team)
    reason, length = view.sent("reason"), duration.parse(view.sent("for") or "1h")
    if not reason:
        raise click.UsageError("say why: who wonders in an hour why nothing rings will read it")
    if not 0 < length <= LONGEST_MS:
        raise click.UsageError("a silence lasts at most 30 days")
    texts = view.sent("matchers").splitlines()
    check_whose(view.actor, _read("\n".join(texts)))
    now = now_ms()
    entry = SilenceSet(
        at=now, by=view.actor.name, client=view.actor.client, id=f"s-{uuid.uuid4().hex[:8]}",
        matchers=[text.strip() for text in texts if text.strip()], from_at=now, until_at=now + length, reason=reason,
    )  # fmt: skip
    try:
        done = enter(view.context, view.who, entry, incident.id).entry
    except Undecided as error:
        done = error.entry
    return f"/incidents/{incident.id}?said={done}"


def _read(written: str) -> list[matchers.Matcher]:
    """Raises click.UsageError, naming the line."""
    lines = [line.strip() for line in written.splitlines() if line.strip()]
    if not lines:
        raise click.UsageError('name what to silence, like service="site"')
    try:
        return [matchers.parse(line) for line in lines]
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _whose(view: View, team: str) -> list[str]:
    """Who acts for some teams only has to say for which."""
    return [] if mutes_all(view.actor) else [f'team="{_escaped(team)}"']


def _common(alerts: Sequence[Alert]) -> list[str]:
    """Matchers of what all of its alerts have in common, the telling ones of it."""
    seen = [{**one.labels, "source": one.source, "kind": one.kind} for one in alerts]
    shared = {name: seen[0].get(name, "") for name in _COMMON} if seen else {}
    return [
        f'{name}="{_escaped(value)}"'
        for name, value in shared.items()
        if value and all(labels.get(name) == value for labels in seen)
    ]


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
