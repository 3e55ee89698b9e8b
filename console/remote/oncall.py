"""On call over a console: who is, what is laid over the schedules, calendars in and out."""

from collections.abc import Iterable, Mapping
from typing import Any

import click

from console import importing
from console import oncall as duties
from console import overrides as laying
from console.calendar_text import calendar_text
from console.options import local_instant
from console.output import say
from console.remote.api import Api, part
from console.remote.over import Does
from ledger.clock import now_ms
from routing import duration
from routing.instant import iso


def oncall(api: Api, at: int | None, json: bool) -> None:
    found = api.get("/oncall", at=iso(at) if at else "")
    duties.tell(found["schedules"], found["remarks"], json=json)


def overrides(api: Api, json: bool) -> None:
    laying.tell(api.get("/oncall/overrides")["overrides"], json=json)


def remove(api: Api, id: str) -> None:  # noqa: A002  # the command's own name for it
    schedule = api.get(f"/oncall/overrides/{part(id)}")["schedule"]
    if _decided(api.delete(f"/oncall/overrides/{part(id)}")):
        say(f"override {id} removed; {schedule} is as it was without it")


def override(
    api: Api, schedule: str, contact: str, from_: str, until: str, instead_of: str, kind: str | None
) -> None:
    zone, now = _zone(api, schedule), now_ms()
    since = local_instant(from_, zone, now)
    sent = {"schedule": schedule, "contact": contact, "from": iso(since), "kind": kind or "replace"}
    if until:
        sent["until"] = iso(local_instant(until, zone, since))
    if instead_of:
        sent["instead_of"] = instead_of
    _tell(api, api.post("/oncall/overrides", sent), zone)


def swap(api: Api, schedule: str, one: str, other: str, from_: str) -> None:
    zone = _zone(api, schedule)
    since = iso(local_instant(from_, zone, now_ms()))
    sent = {"schedule": schedule, "one": one, "other": other, "from": since}
    _tell(api, api.post("/oncall/swaps", sent), zone)


def temporary(api: Api, schedule: str, given: Iterable[tuple[str, str, str]]) -> None:
    zone = _zone(api, schedule)
    shifts = [
        {"contact": each.contact, "from": iso(each.from_at), "until": iso(each.until_at)}
        for each in laying.shifts(given, zone)
    ]
    _tell(api, api.post("/oncall/temporary", {"schedule": schedule, "shifts": shifts}), zone)


def export(api: Api, person: str, schedule: str, from_at: int, length: int) -> None:
    asked = {"person": person, "schedule": schedule, "from": iso(from_at), "for": duration.text(length)}
    click.echo(api.text("/oncall/calendar.ics", **asked), nl=False)


def import_(
    api: Api, schedule: str, file: str, names: tuple[str, ...], skip: tuple[str, ...], from_: str, length: int,
    exclusive: bool, dry_run: bool, json: bool,
) -> None:  # fmt: skip
    """The file, or the address, is read here: the console asks no address that it is told of."""
    zone = _zone(api, schedule)
    sent: dict[str, Any] = {
        "schedule": schedule, "names": importing.named(names), "skip": list(skip), "for": duration.text(length),
        "exclusive": exclusive, "dry_run": dry_run, "file": importing.place(file)[-200:],
        "calendar": _text(file),
    }  # fmt: skip
    if from_:
        sent["from"] = iso(local_instant(from_, zone, now_ms()))
    found = api.post("/oncall/import", sent)
    if _decided(found):
        answer = {"entry", "decided", "said"}
        importing.tell({name: value for name, value in found.items() if name not in answer}, zone, json=json)


def _text(file: str) -> str:
    data = calendar_text(file)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise click.ClickException(
            f"{importing.place(file)}: line {line}: it is not UTF-8; save it as UTF-8"
        ) from error


def _zone(api: Api, schedule: str) -> str:
    """Whose clock times without an offset are read by. Raises click.UsageError."""
    found = api.get("/oncall")["schedules"]
    if schedule not in found:
        raise click.UsageError(f"no schedule {schedule!r}; there are {', '.join(found)}")
    return str(found[schedule]["timezone"])


def _tell(api: Api, set_: Mapping[str, Any], zone: str) -> None:
    if _decided(set_):
        say(laying.told(api.get(f"/oncall/overrides/{part(set_['override'])}"), zone))


def _decided(done: Mapping[str, Any]) -> bool:
    """Says so where it is not, yet."""
    if not done["decided"]:
        say(f"kept as {done['entry']}; it will be decided")
    return bool(done["decided"])


COMMANDS: Mapping[str, Does] = {
    "oncall": oncall, "oncall overrides": overrides, "oncall override": override, "oncall swap": swap,
    "oncall temporary": temporary, "oncall remove": remove, "oncall export": export, "oncall import": import_,
}  # fmt: skip
