"""What people do with dead letters. What no entry of the log says is told to the audit."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console import mending, reviving
from console.context import Context
from console.doing.entries import Who
from console.refusals import Clash, Nowhere
from ledger import accounts, dead, faults
from ledger.clock import now_ms
from ledger.dead import DeadLetter, Fate
from routing.errors import TocsinError


@dataclass(frozen=True, slots=True)
class Selection:
    """Which letters: those named, else all that match. `mark`: behind which to go on."""

    ids: Sequence[str] = ()
    kind: str = ""
    source: str = ""
    text: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one letter. `entered`: ids of what went into the log again; `error`: why it is kept."""

    letter: DeadLetter
    entered: tuple[str, ...] = ()
    error: str = ""


def one(context: Context, letter_id: str) -> DeadLetter:
    """Raises Nowhere."""
    found = dead.get(context.client, context.keys, letter_id) or context.store.settled(letter_id)
    if found is None:
        raise Nowhere(f"no dead letter {letter_id[:100]!r}; see: tocsin dead list")
    return found


def reads_as(context: Context, letter: DeadLetter) -> str:
    """What its body reads as now. Raises TocsinError saying why it cannot be read."""
    if letter.kind not in reviving.MENDABLE:
        raise Clash(f"nothing is read from an {letter.kind} letter; retry it, or act on {letter.subject}")
    return reviving.check(context, letter)


def mended_with(letter: DeadLetter, values: Mapping[str, Any]) -> bytes:
    """Its JSON body with each path set to its value. Raises click.UsageError."""
    return mending.with_values(letter.raw, [(path, json.dumps(value)) for path, value in values.items()])


def edit(context: Context, who: Who, letter_id: str, raw: bytes) -> DeadLetter:
    """Raises Nowhere, Clash, and NotThere once the archive alone has it."""
    before = one(context, letter_id)
    if before.kind not in reviving.MENDABLE:
        raise Clash(f"nothing is read from an {before.kind} letter; retry it, or act on {before.subject}")
    letter = dead.edit(context.client, context.keys, letter_id, raw, who.name, now_ms())
    _audit(context, who, f"edited the dead letter {letter_id}")
    return letter


def retry(context: Context, who: Who, letters: Sequence[DeadLetter]) -> Iterator[Outcome]:
    """Bring them through; what fails again is kept."""
    for letter in letters:
        try:
            entered = reviving.revive(context, letter, who.name)
        except TocsinError as error:
            yield Outcome(letter, error=str(error))
        else:
            _audit(context, who, f"retried the dead letter {letter.id}")
            yield Outcome(letter, tuple(entered))


def drop(context: Context, who: Who, letters: Sequence[DeadLetter], job: str = "") -> Iterator[Outcome]:
    """Give them up; they stay readable, and can be restored for a while. `job`: as pieces of this one."""
    for letter in letters:
        try:
            dead.drop(context.client, context.keys, letter.id, who.name, now_ms(), job)
        except TocsinError as error:
            yield Outcome(letter, error=str(error))
        else:
            faults.reach("dead.dropped")
            _audit(context, who, f"dropped the dead letter {letter.id}")
            yield Outcome(letter)


def restore(context: Context, who: Who, letter_id: str) -> DeadLetter:
    """It waits again. Raises Nowhere, Clash, and NotThere once the archive alone has it."""
    before = one(context, letter_id)
    if before.status is Fate.WAITING:
        raise Clash(f"{letter_id} waits already; nothing to restore")
    letter = dead.restore(context.client, context.keys, letter_id, who.name, now_ms())
    _audit(context, who, f"restored the dead letter {letter_id}")
    return letter


def chosen(context: Context, which: Selection, most: int) -> tuple[list[DeadLetter], str]:
    """Some of the letters that are meant, and the mark behind which to go on; "" when these are the last.

    Raises Nowhere for a name that is none, ValueError for a mark that is none.
    """
    if which.ids:
        return [one(context, each) for each in which.ids], ""
    cursor = dead.place(context.client, context.keys, which.mark) if which.mark else ""
    found = dead.listing(
        context.client, context.keys, cursor=cursor, limit=most, kind=which.kind, source=which.source,
        text=which.text, most=10 * most,
    )  # fmt: skip
    return found.letters, found.mark if found.next else ""


def _audit(context: Context, who: Who, what: str) -> None:
    line = accounts.Audited(at=now_ms(), by=who.name, what=what, client=who.client)
    accounts.audit(context.client, context.keys, line)
