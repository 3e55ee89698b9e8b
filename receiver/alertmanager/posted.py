"""A silence as it is posted: read and checked as Alertmanager does, and the entries that it becomes.

Source: api/v2/api.go (postSilencesHandler) and silence/silence.go (Set, canUpdate) of Alertmanager.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from receiver import instants, strict_json
from receiver.alertmanager.shown import state
from routing.entry import SilenceSet
from routing.errors import Unreadable
from routing.instant import SECOND
from routing.language import matchers
from routing.language.matchers import BadMatcher, Matcher
from routing.noise import silences

_MOST, _LONGEST, _LONGEST_NAME = 64, 4096, 200
_REQUIRED = ("matchers", "startsAt", "endsAt", "createdBy", "comment")
_REQUIRED_CODE, _FEW_CODE = 602, 612
"""The numbers that Alertmanager's generated server answers with."""
_OPS = {(True, False): "=", (False, False): "!=", (True, True): "=~", (False, True): "!~"}
"""By isEqual and isRegex."""


class Unfit(Exception):
    """It cannot be set: `status` and `payload` are the answer."""

    def __init__(self, status: int, payload: str | dict[str, Any]) -> None:
        super().__init__(str(payload))
        self.status, self.payload = status, payload


@dataclass(frozen=True, slots=True)
class Wanted:
    """`id` "" makes a new one. Instants in ms; `from_at` 0 is now."""

    id: str
    matchers: tuple[Matcher, ...]
    from_at: int
    until_at: int
    by: str
    comment: str
    annotations: dict[str, str]


def read(body: bytes) -> Wanted:
    """Raises Unfit."""
    try:
        told = strict_json.object_of(strict_json.loads(body))
        _require(told, _REQUIRED)
        return Wanted(
            id=_text(told, "id", _LONGEST_NAME),
            matchers=_matchers(told["matchers"]),
            from_at=instants.rfc3339(told, "startsAt"),
            until_at=instants.rfc3339(told, "endsAt"),
            by=_text(told, "createdBy", _LONGEST_NAME),
            comment=_text(told, "comment", _LONGEST),
            annotations=_annotations(told.get("annotations")),
        )
    except Unreadable as error:
        message = f'parsing silence body from "" failed, because {error}'
        raise Unfit(400, {"code": 400, "message": message}) from error


def entries(known: SilenceSet | None, wanted: Wanted, now: int, new_id: str) -> Sequence[SilenceSet]:
    """What is to be appended, the silence itself last. `known` has the id that was asked for. Raises Unfit.

    What may not change of a silence (what it matches, when it began) ends it, and another takes its place.
    """
    if wanted.id and known is None:
        raise Unfit(404, "silence not found")
    _check(wanted, now)
    made = SilenceSet(
        at=now,
        by=wanted.by,
        id=new_id,
        matchers=[str(each) for each in wanted.matchers],
        from_at=max(wanted.from_at, now),
        until_at=wanted.until_at,
        reason=wanted.comment,
        annotations=wanted.annotations,
    )
    if known is None:
        return (made,)
    if _may_change(known, wanted, now):
        began = known.from_at if state(known, now) == "active" else made.from_at
        return (msgspec.structs.replace(made, id=known.id, from_at=began),)
    return (made,) if known.until_at <= now else (silences.ended(known, now, wanted.by), made)


def _check(wanted: Wanted, now: int) -> None:
    if (wanted.from_at or now) >= wanted.until_at:
        raise Unfit(400, "Failed to create silence: start time must be before end time")
    if wanted.until_at < now:
        raise Unfit(400, "Failed to create silence: end time can't be in the past")
    if all(each.matches({}) for each in wanted.matchers):
        raise Unfit(400, "invalid silence: at least one matcher must not match the empty string")


def _may_change(known: SilenceSet, wanted: Wanted, now: int) -> bool:
    if [matchers.parse(each) for each in known.matchers] != list(wanted.matchers):
        return False
    match state(known, now):
        case "active":
            return known.from_at // SECOND == wanted.from_at // SECOND
        case "pending":
            return wanted.from_at >= now
        case _:
            return False


def _matchers(found: Any) -> tuple[Matcher, ...]:
    if not isinstance(found, list):
        raise Unreadable("expected a list", "matchers")
    if not found:
        raise Unfit(422, {"code": _FEW_CODE, "message": "matchers in body should have at least 1 items"})
    if len(found) > _MOST:
        raise Unfit(400, f"invalid silence: more than {_MOST} matchers")
    return tuple(_matcher(each, f"matchers.{number}") for number, each in enumerate(found))


def _matcher(found: Any, where: str) -> Matcher:
    told = strict_json.object_of(found, where)
    _require(told, ("name", "value", "isRegex"), f"{where}.")
    op = _OPS[_flag(told, "isEqual", where), _flag(told, "isRegex", where)]
    name = _text(told, "name", _LONGEST, where)
    if not name:
        raise Unfit(400, f"invalid silence: invalid label matcher at {where}: invalid label name")
    try:
        return Matcher(name, op, _text(told, "value", _LONGEST, where))
    except BadMatcher as error:
        raise Unfit(400, f"invalid silence: invalid label matcher at {where}: {error}") from error


def _require(told: dict[str, Any], names: Sequence[str], before: str = "") -> None:
    for name in names:
        if told.get(name) is None:
            raise Unfit(422, {"code": _REQUIRED_CODE, "message": f"{before}{name} in body is required"})


def _flag(told: dict[str, Any], name: str, where: str) -> bool:
    found = told.get(name)
    if found is None:
        return True
    if not isinstance(found, bool):
        raise Unreadable("expected true or false", f"{where}.{name}")
    return found


def _text(told: dict[str, Any], name: str, most: int, where: str = "") -> str:
    found, place = told.get(name), f"{where}.{name}" if where else name
    if found is None:
        return ""
    if not isinstance(found, str):
        raise Unreadable("expected a string", place)
    if len(found) > most:
        raise Unreadable(f"longer than {most} characters", place)
    return found


def _annotations(found: Any) -> dict[str, str]:
    if found is None:
        return {}
    told = strict_json.object_of(found, "annotations")
    if len(told) > _MOST:
        raise Unreadable(f"more than {_MOST} of them", "annotations")
    return {name[:_LONGEST_NAME]: _text(told, name, _LONGEST, "annotations") for name in told}
