"""How people are reached: each of their ways, whether it was ever shown to work, and showing that it does."""

import click
from starlette.routing import Route

from console import trying
from console.contacts import shown
from console.doing import contacts as doing
from console.reaching import Reach, reaches
from console.refusals import Undecided
from console.serving.view import Facts, NotFound, View, act, page
from console.trust.acts import Act
from ledger.views.times import iso
from routing.decision import Table
from routing.trial import Trial

TESTS = 12
"""Of the newest, so many are listed."""


def ask(view: View) -> Facts:
    awaited = {
        each.contact
        for each in view.context.store.records(Table.TRIAL, Trial).values()
        if each.until_at > view.now
    }
    people: dict[str, Facts] = {}
    for each in reaches(view.context):
        name = each.contact.name
        one = people.setdefault(
            name, {"name": name, "title": each.contact.title, "ways": [], "awaited": name in awaited}
        )
        one["ways"].append(shown(each))
    return {
        "people": list(people.values()),
        "left": sum(not way["counts"] for one in people.values() for way in one["ways"]),
        "tests": lately(view),
        "told": _told(view, people),
        "looked_at": view.query.get("of", ""),
    }


def lately(view: View, channel: str = "") -> list[Facts]:
    """The newest tests, over this channel or "" any."""
    found = [each for each in trying.tests(view.context) if channel in {"", each.channel}]
    return [
        {**trying.outcome(each).as_json(), "at": iso(each.created_at), "took_ms": each.changed_at - each.created_at}
        for each in found[:TESTS]
    ]  # fmt: skip


def _told(view: View, people: dict[str, Facts]) -> str:
    """What an act did, where the address names it."""
    name = view.query.get("of", "")
    if name not in people:
        return "Kept, and not decided yet; it will be." if "kept" in view.query else ""
    return {
        "sent": f"Sent to {name}: what becomes of it is told below.",
        "code": f"A code went to {name}. They return it by themselves, or tell you.",
        "proven": f"That is the code: {name} is reached there.",
        "vouched": f"{name} was reached, by your word.",
        "undone": f"Taken back: {name} is not verified there any more.",
    }.get(view.query.get("did", ""), "")


def _ways(view: View) -> list[Reach]:
    """Raises NotFound, click.UsageError."""
    name = view.path["name"]
    if name not in view.context.policy.contacts:
        raise NotFound(f"no contact {name[:40]!r}")
    return doing.ways(view.context, name, view.sent("channel", 200))


def send(view: View) -> str:
    """A test, with a code that they return where that was asked for."""
    code, mine = view.sent("do") == "code", _ways(view)
    for each in mine if code else ():
        doing.refuse_placeholder(each)
    try:
        for each in mine:
            trying.send(view.context, view.who, each.contact.name, each.method, code=code)
    except Undecided:
        return "/oncall/contacts?kept=1"
    return _done(view, "code" if code else "sent")


def give_back(view: View) -> str:
    code, mine = view.sent("code", 20), _ways(view)
    if not code:
        raise click.UsageError("which code did they tell you?")
    try:
        doing.give_back(view.context, view.who, mine, code)
    except Undecided:
        return "/oncall/contacts?kept=1"
    return _done(view, "proven")


def vouch(view: View) -> str:
    over = view.sent("do") == "undo"
    try:
        for each in _ways(view):
            doing.vouch(view.context, view.who, each, over=over)
    except Undecided:
        return "/oncall/contacts?kept=1"
    return _done(view, "undone" if over else "vouched")


def _done(view: View, did: str) -> str:
    name = view.path["name"]
    return f"/oncall/contacts?of={name}&did={did}#contact-{name}"


ROUTES = [
    Route("/oncall/contacts", page(Act.READ, "contacts.html", ask, "now")),
    Route("/oncall/contacts/{name}/test", act(Act.TRY_CONTACT, send), methods=["POST"]),
    Route("/oncall/contacts/{name}/code", act(Act.TRY_CONTACT, give_back), methods=["POST"]),
    Route("/oncall/contacts/{name}/vouch", act(Act.TRY_CONTACT, vouch), methods=["POST"]),
]
