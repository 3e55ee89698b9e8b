"""SQL that may be run, by name. Its text stands in the configuration; of a runbook come values only, and these
are bound, never written into the text.
"""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from routing.errors import ActionError
from routing.ports import Step
from workers.credentials import faults

_PLACE = re.compile(r"\$(\d+)")
_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_TRUTH = {"true": True, "false": False}
_LONGEST_TEXT = 1_000
NAME = r"^[a-z][a-z0-9_]{0,62}$"

Value = str | int | float | bool


class Parameter(BaseModel):
    """`least` and `most` bound a number; of a text, `most` is its greatest length (1000 when unset)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=NAME)
    type: Literal["integer", "number", "text", "boolean"] = "text"
    least: float | None = None
    most: float | None = None
    default: Value | None = None

    def bind(self, value: Value) -> Value:
        """Raises ValueError with what is wrong, never the value."""
        if self.type == "text":
            return self._text(str(value))
        if self.type == "boolean":
            return _boolean(value)
        number = _integer(value) if self.type == "integer" else _number(value)
        if self.least is not None and number < self.least:
            raise ValueError(f"less than {self.least:g}")
        if self.most is not None and number > self.most:
            raise ValueError(f"more than {self.most:g}")
        return number

    def _text(self, value: str) -> str:
        longest = int(_LONGEST_TEXT if self.most is None else self.most)
        if len(value) > longest:
            raise ValueError(f"longer than {longest} characters")
        if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise ValueError("holds a character that PostgreSQL takes in no text")
        return value


class Query(BaseModel):
    """`params` are bound to $1, $2, ... in their order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sql: str = Field(min_length=1)
    params: tuple[Parameter, ...] = ()

    @model_validator(mode="after")
    def _every_place_has_its_parameter(self) -> Self:
        places = {int(number) for number in _PLACE.findall(self.sql)}
        if places != set(range(1, len(self.params) + 1)):
            found = ", ".join(f"${number}" for number in sorted(places)) or "no place"
            raise ValueError(f"the SQL has {found} for {len(self.params)} params")
        return self

    def bind(self, values: Mapping[str, Value]) -> list[Value]:
        """In the order of their places. Raises ActionError naming the faulty ones."""
        names = [param.name for param in self.params]
        wrong = [f"{name} is no parameter of it" for name in values if name not in names]
        bound: list[Value] = []
        for param in self.params:
            value = values.get(param.name, param.default)
            if value is None:
                wrong.append(f"{param.name} is missing")
                continue
            try:
                bound.append(param.bind(value))
            except ValueError as error:
                wrong.append(f"{param.name}: {error}")
        if wrong:
            raise ActionError(f"cannot be bound: {'; '.join(wrong)}")
        return bound


class Statement(Query):
    """SQL that changes something, and how a repeat of it is kept harmless.

    `done` names a query with a column `done`, true in the first row once there is nothing left to do. `repeatable`:
    done twice it has the effect of once.
    """

    done: str = Field(default="", pattern=rf"^$|{NAME}")
    repeatable: bool = False

    @model_validator(mode="after")
    def _safe_to_repeat(self) -> Self:
        if not self.done and not self.repeatable:
            raise ValueError("add done: <a query that tells>, or repeatable: true, for after silence")
        return self

    def untold(self, queries: Mapping[str, Query]) -> str:
        """What keeps `done` from being asked; "" when nothing does."""
        if not self.done:
            return ""
        if self.done not in queries:
            return f"done names no query: {self.done}"
        ours = {param.name for param in self.params}
        needed = [param.name for param in queries[self.done].params if param.default is None]
        lacking = [name for name in needed if name not in ours]
        return (
            f"{self.done} needs {', '.join(lacking)}, which is no parameter of the statement"
            if lacking
            else ""
        )


Queries = dict[Annotated[str, Field(pattern=NAME)], Query]
Statements = dict[Annotated[str, Field(pattern=NAME)], Statement]

Kind = TypeVar("Kind", bound=Query)


def named(step: Step, setting: str, name: str, kind: type[Kind]) -> Kind:
    """The entry of `setting` ("queries") with this name. Raises ActionError saying where to write it."""
    place = f"supabase.{setting} in config/actions.yaml"
    entries = orjson.loads(step.settings.get(setting) or "{}")
    if not isinstance(entries, dict) or name not in entries:
        known = f", there are {', '.join(sorted(entries))}" if entries else ""
        raise ActionError(f"nothing called {name} in {place}{known}")
    try:
        return kind.model_validate(entries[name])
    except ValidationError as error:
        raise ActionError(f"{name} in {place}: {faults(error)}") from error


def _integer(value: Value) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    raise ValueError("is no whole number")


def _number(value: Value) -> float:
    try:
        number = float("nan") if isinstance(value, bool) else float(value)
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError("is no number")
    return number


def _boolean(value: Value) -> bool:
    found = value if isinstance(value, bool) else _TRUTH.get(str(value))
    if found is None:
        raise ValueError("is neither true nor false")
    return found
