"""How people are reached, the ways out and fire drills, over a console."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from console import channels, contacts, drills, trying
from console.output import say
from console.remote.api import Api, part
from console.remote.over import Does

_EVERY_S = 1.0
"""A token may ask so often a minute."""
_PAGE = 500


def list_contacts(api: Api, json: bool) -> None:
    contacts.tell(api.get("/contacts")["contacts"], json=json)


def verify(api: Api, contact: str | None, channel: str, send: bool, code: str, wait: int, undo: bool) -> None:
    contacts.check(send=send, code=code, undo=undo)
    if contact is None:
        contacts.tell_open(api.get("/contacts")["contacts"])
    elif send:
        sent = _sent(api, contact, channel, code=True)
        found = trying.watch(sent, _looking(api), **contacts.patience(wait), every_s=_EVERY_S)
        contacts.tell_sent(found, contact, waited=bool(wait))
    elif code:
        found = _post(api, contact, "code", {"channel": channel, "code": code})
        for each in found["proven"]:
            contacts.tell_proven(each)
    else:
        _post(api, contact, "vouch", {"channel": channel, "over": undo})
        for each in api.get("/contacts")["contacts"]:
            if each["contact"] == contact and channel in {"", each["channel"]}:
                contacts.tell_vouched(each, over=undo)


def list_channels(api: Api, json: bool) -> None:
    channels.tell(api.get("/channels")["channels"], json=json)


def preview(
    api: Api, channel: str | None, kind: str, severity: str | None, incident: str, contact: str, json: bool
) -> None:
    names = [channel] if channel else [each["channel"] for each in api.get("/channels")["channels"]]
    sent = {"kind": kind, "severity": severity, "incident": incident, "contact": contact}
    found = [api.post(f"/channels/{part(name)}/preview", sent)["previews"] for name in names]
    channels.tell_previews([each for previews in found for each in previews], json=json)


def test(api: Api, channel: str | None, contact: str, wait: int, json: bool) -> None:
    sent = _sent(api, contact, channel or "", code=False)
    channels.tell_tests(trying.watch(sent, _looking(api), wait, delivered=True, every_s=_EVERY_S), json=json)


def _sent(api: Api, contact: str, channel: str, *, code: bool) -> list[trying.Outcome]:
    found = _post(api, contact, "test", {"channel": channel, "code": code})
    asked = (api.get(f"/trials/{part(name)}") for name in found["trials"])
    return [
        trying.Outcome(*(each[name] for name in ("id", "contact", "channel", "address"))) for each in asked
    ]


def _post(api: Api, contact: str, verb: str, sent: Mapping[str, Any]) -> Any:
    """Raises click.ClickException where it is kept, and not decided yet."""
    found = api.post(f"/contacts/{part(contact)}/{verb}", sent)
    if not found.get("decided", True):
        raise click.ClickException(f"kept as {found['entry']}; it will be decided")
    return found


def _looking(api: Api) -> trying.Look:
    def look(outcomes: Sequence[trying.Outcome]) -> None:
        for each in outcomes:
            each.take(api.get(f"/trials/{part(each.id)}"))

    return look


def list_drills(api: Api, limit: int, after: str, json: bool) -> None:
    held: list[Mapping[str, Any]] = []
    while True:
        page = api.get("/drills", limit=min(limit - len(held), _PAGE), after=after)
        held, after = held + page["held"], page["after"]
        if not after or len(held) >= limit:
            break
    drills.tell(page["next"], held, json=json)


def report(api: Api, json: bool) -> None:
    found = api.get("/drills/report")
    if found["cut"] and not json:
        say("only the newest twenty thousand incidents were looked through", "dim")
    drills.tell_report(found["drills"], json=json)


COMMANDS: Mapping[str, Does] = {
    "contacts list": list_contacts, "contacts verify": verify, "channels list": list_channels,
    "channels preview": preview, "channels test": test, "drills list": list_drills, "drills report": report,
}  # fmt: skip
