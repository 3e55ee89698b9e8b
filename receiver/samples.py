"""Samples: bodies of each vendor's documented shape, with fresh ids and times filled in where a vendor would.

A string may hold `{{fresh}}` (20 random letters and digits), `{{id}}` (the same, or what the caller wants as the
event's id; with a prefix as `{{id:evt_}}`) and an instant, with an offset in seconds if need be: `{{seconds}}`,
`{{ms-600}}`, `{{iso}}`. A string that is nothing but `{{seconds}}` or `{{ms}}` becomes a number.
"""

import json
import re
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from routing.errors import TocsinError
from routing.instant import SECOND, iso

ROOM = Path(__file__).parent / "samples"
_PLACE = re.compile(r"\{\{(?P<what>id|fresh|seconds|ms|iso)(?::(?P<prefix>[^}]*))?(?P<offset>[+-]\d+)?\}\}")
_ALPHABET = string.ascii_letters + string.digits


class NoSuchSample(TocsinError):
    """Says which there are."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`id` "" is a fresh one. `changes`: (dotted path, value as written) to set in the body."""

    id: str = ""
    changes: Sequence[tuple[str, str]] = ()


@dataclass(slots=True)
class _Filling:
    wanted: Wanted
    at: int
    named: bool = field(default=False)
    """Whether the sample has an id to choose."""


def vendors() -> list[str]:
    return sorted(path.name for path in ROOM.iterdir() if path.is_dir())


def names(vendor: str) -> list[str]:
    return sorted(path.stem for path in (ROOM / vendor).glob("*.json"))


def make(vendor: str, name: str, wanted: Wanted, at: int) -> bytes:
    """One body, as the vendor would send it at `at` (ms).

    Raises NoSuchSample, or ValueError when `wanted` cannot be done with this sample.
    """
    if name not in names(vendor):
        raise NoSuchSample(f"no sample {name!r} of {vendor}; there are: {', '.join(names(vendor)) or 'none'}")
    filling = _Filling(wanted, at)
    body = _fill(json.loads((ROOM / vendor / f"{name}.json").read_text()), filling)
    if wanted.id and not filling.named:
        raise ValueError(f"sample {name!r} of {vendor} has no id to set; try --set PATH=VALUE")
    for path, value in wanted.changes:
        _change(body, path, value)
    return json.dumps(body, ensure_ascii=False, indent=2).encode()


def _fill(value: Any, filling: _Filling) -> Any:
    if isinstance(value, dict):
        return {key: _fill(inner, filling) for key, inner in value.items()}
    if isinstance(value, list):
        return [_fill(inner, filling) for inner in value]
    if not isinstance(value, str):
        return value
    whole = _PLACE.fullmatch(value)
    if whole and whole["what"] in {"seconds", "ms"}:
        return int(_filled(whole, filling))
    return _PLACE.sub(lambda found: _filled(found, filling), value)


def _filled(found: re.Match[str], filling: _Filling) -> str:
    at = filling.at + int(found["offset"] or 0) * SECOND
    match found["what"]:
        case "seconds":
            return str(at // SECOND)
        case "ms":
            return str(at)
        case "iso":
            return iso(at)
        case "id":
            filling.named = True
            return filling.wanted.id or f"{found['prefix'] or ''}{_fresh()}"
        case _:
            return f"{found['prefix'] or ''}{_fresh()}"


def _fresh() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(20))


def _change(body: Any, path: str, written: str) -> None:
    """Raises ValueError when the path leads nowhere. The value is JSON, or else a string."""
    *way, last = path.split(".")
    holder = body
    for step in way:
        holder = _step(holder, step, path)
    try:
        value = json.loads(written)
    except ValueError:
        value = written
    if isinstance(holder, dict):
        holder[last] = value
    elif isinstance(holder, list) and last.isdigit() and int(last) < len(holder):
        holder[int(last)] = value
    else:
        raise ValueError(f"--set {path}: nothing to set there")


def _step(holder: Any, step: str, path: str) -> Any:
    if isinstance(holder, dict) and step in holder:
        return holder[step]
    if isinstance(holder, list) and step.isdigit() and int(step) < len(holder):
        return holder[int(step)]
    raise ValueError(f"--set {path}: the sample has no {step!r} there")
