"""Whether settings or parameters fit what a vendor's module declares, before they are resolved or filled."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from routing.policy import Secret
from routing.schema.refusal import Refusal, suggestion
from routing.schema.wording import fix_of

LITERAL, LITERAL_HOST = "x-literal", "x-literal-host"
_HOST_FIRST = re.compile(r"(https?://[^/?#\\\s@{]+)?/")
SURE = "sure"
"""Type of an error that is one whatever is filled in later."""
_KEY = "[key]"
"""Pydantic's word for a mistake in the name itself."""


def misfits(model: type[BaseModel], values: Mapping[str, Any]) -> list[Refusal]:
    """Unknown and missing names, and wrong values where a value is written out.

    What holds a placeholder or a ${NAME} is known later only, so it is not judged; a field that is marked
    `x-literal` may hold none, one that is marked `x-literal-host` none before the path of its URL.
    """
    return [*_chosen(model, values), *_unfit(model, values)]


def _chosen(model: type[BaseModel], values: Mapping[str, Any]) -> list[Refusal]:
    """Placeholders where only what is written out may stand, as a payload could choose it otherwise."""
    fix = "write it out: nothing that happened may choose it"
    marks = {name: _mark(field) for name, field in model.model_fields.items()}
    open_ = {name: mark for name, mark in marks.items() if mark and is_open(values.get(name))}
    return [
        Refusal(f"a placeholder in {what}", fix, (name,))
        for name, what in ((name, _chooses(name, mark, values[name])) for name, mark in open_.items())
        if what
    ]


def _mark(field: FieldInfo) -> str:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return next((mark for mark in (LITERAL, LITERAL_HOST) if extra.get(mark)), "")


def _chooses(name: str, mark: str, value: Any) -> str:
    """What of an open field a payload could choose; "" when that is as it should be."""
    if mark == LITERAL:
        return name
    return "" if isinstance(value, str) and _HOST_FIRST.match(value) else f"the host of {name}"


def _unfit(model: type[BaseModel], values: Mapping[str, Any]) -> list[Refusal]:
    try:
        model.model_validate({name: _stand_in(value) for name, value in values.items()})
    except ValidationError as error:
        refusals = [_refusal(model, dict(details), values) for details in error.errors(include_url=False)]
        return [refusal for refusal in refusals if refusal is not None]
    return []


def is_open(value: Any) -> bool:
    """Whether the value, or anything in it, is decided only later."""
    if isinstance(value, Secret):
        return True
    if isinstance(value, str):
        return "{{" in value
    if isinstance(value, Mapping):
        return any(is_open(each) for each in value.values())
    return isinstance(value, list | tuple) and any(is_open(each) for each in value)


def _stand_in(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _stand_in(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_stand_in(each) for each in value]
    return "" if isinstance(value, Secret) else value


def _refusal(model: type[BaseModel], details: dict[str, Any], values: Mapping[str, Any]) -> Refusal | None:
    loc = tuple(part for part in details["loc"] if part != _KEY)
    if details["type"] == "missing":
        return Refusal(f'"{loc[-1]}" is missing', f"add {loc[-1]}", loc[:-1])
    if details["type"] == "extra_forbidden":
        fix = (
            suggestion(str(loc[0]), model.model_fields) if len(loc) == 1 else "leave it out, or see the docs"
        )
        return Refusal(f'unknown name "{loc[-1]}"', fix, loc)
    if details["type"] != SURE and is_open(_judged(values, loc)):
        return None
    return Refusal("a value that does not fit", fix_of(details), loc)


def _judged(values: Any, loc: Sequence[str | int]) -> Any:
    """The innermost value that the place leads to. Pydantic's places also name branches that are no values."""
    for part in loc:
        inner = dict(enumerate(values)) if isinstance(values, list) else values
        if isinstance(inner, Mapping) and part in inner:
            values = inner[part]
    return values
