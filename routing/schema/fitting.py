"""Whether settings or parameters fit what a vendor's module declares, before they are resolved or filled."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from routing.policy import Secret
from routing.schema.refusal import Refusal, suggestion
from routing.schema.wording import fix_of

_KEY = "[key]"
"""Pydantic's word for a mistake in the name itself."""


def misfits(model: type[BaseModel], values: Mapping[str, Any]) -> list[Refusal]:
    """Unknown and missing names, and wrong values where a value is written out.

    What holds a placeholder or a ${NAME} is known later only, so it is not judged; a field that is marked
    `x-literal` may hold none.
    """
    return [*_chosen(model, values), *_unfit(model, values)]


def _chosen(model: type[BaseModel], values: Mapping[str, Any]) -> list[Refusal]:
    """Placeholders where only what is written out may stand, as a payload could choose it otherwise."""
    fix = "write it out: nothing that happened may choose it"
    return [
        Refusal(f"a placeholder in {name}", fix, (name,))
        for name, field in model.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("x-literal")
        if is_open(values.get(name))
    ]


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
    if is_open(_judged(values, loc)):
        return None
    return Refusal("a value that does not fit", fix_of(details), loc)


def _judged(values: Any, loc: Sequence[str | int]) -> Any:
    """The innermost value that the place leads to. Pydantic's places also name branches that are no values."""
    for part in loc:
        inner = dict(enumerate(values)) if isinstance(values, list) else values
        if isinstance(inner, Mapping) and part in inner:
            values = inner[part]
    return values
