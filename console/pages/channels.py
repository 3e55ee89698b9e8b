"""Channels: the ways out, who is reached by each, what it would send, and a real test. The workers send, as ever."""

from typing import Any

import click
from starlette.routing import Route

from console import trying
from console.channels import row
from console.doing import contacts as doing
from console.pages.contacts import lately
from console.previewing import Wanted, previews
from console.refusals import Undecided
from console.serving.view import Facts, NotFound, View, act, page, trial
from console.trust.acts import Act
from routing.policy import Channel
from routing.severity import Severity
from routing.templates import choosing

LEVELS = tuple(str(each) for each in Severity)


def ask(view: View) -> Facts:
    policy = view.context.policy
    newest: dict[str, Any] = {}
    for each in trying.tests(view.context):
        newest.setdefault(each.channel, each)
    return {
        "rows": [row(policy, each) | {"test": newest.get(each.name)} for each in policy.channels.values()],
        "tests": lately(view),
        "kept": "kept" in view.query,
    }


def ask_one(view: View) -> Facts:
    channel = _known(view)
    found, wrong = _preview(view, channel)
    return {
        "one": row(view.context.policy, channel),
        "kinds": choosing.KINDS, "levels": LEVELS, "contacts": sorted(view.context.policy.contacts),
        "kind": view.sent("kind") or "page", "severity": view.sent("severity"), "incident": view.sent("incident", 40),
        "contact": view.sent("contact", 200), "found": found, "wrong": wrong,
        "tests": lately(view, channel.name), "sent": view.query.get("sent", "")[:200],
    }  # fmt: skip


def _known(view: View) -> Channel:
    found = view.context.policy.channels.get(view.path["name"])
    if found is None:
        raise NotFound(f"no channel {view.path['name'][:40]!r}")
    return found


def _preview(view: View, channel: Channel) -> tuple[Facts | None, str]:
    """What it would send, or why that cannot be said; of a look alone neither."""
    if not view.form:
        return None, ""
    kind, severity = view.sent("kind"), view.sent("severity")
    if kind not in choosing.KINDS or severity not in {"", *LEVELS}:
        return None, "no such kind, or no such severity"
    level = Severity.parse(severity) if severity else None
    wanted = Wanted(channel.name, kind, level, view.sent("incident", 40), view.sent("contact", 200))
    try:
        (found,) = previews(view.context, wanted)
    except click.UsageError as error:
        return None, error.message
    return found.as_json(), ""


def send(view: View) -> str:
    channel, contact = _known(view), view.sent("contact", 200)
    try:
        for each in doing.ways(view.context, contact, channel.name):
            trying.send(view.context, view.who, contact, each.method, code=False)
    except Undecided:
        return "/health/channels?kept=1"
    return f"/health/channels/{channel.name}?sent={contact}#tests"


ROUTES = [
    Route("/health/channels", page(Act.READ, "channels.html", ask, "now")),
    Route("/health/channels/{name}", page(Act.READ, "channel.html", ask_one, "now"), methods=["GET"]),
    Route("/health/channels/{name}", trial(Act.REHEARSE, "channel.html", ask_one), methods=["POST"]),
    Route("/health/channels/{name}/test", act(Act.TRY_CONTACT, send), methods=["POST"]),
]
