"""Whether settings or parameters fit what a vendor's module declares, before they are resolved or filled."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from routing.policy import Secret
from routing.schema.refusal import Refusal, suggestion
from routing.schema.wording import fix_of


def misfits(model: type[BaseModel], values: Mapping[str, Any]) -> list[Refusal]:
    """Unknown and missing names, and wrong values where a value is written out.

    What holds a placeholder or a ${NAME} is known later only, so it is not judged.
    """
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
    return "" if isinstance(value, Secret) else value


def _refusal(model: type[BaseModel], details: dict[str, Any], values: Mapping[str, Any]) -> Refusal | None:
    loc = details["loc"]
    if details["type"] == "missing" and len(loc) == 1:
        return Refusal(f'"{loc[0]}" is missing', f"add {loc[0]}")
    if details["type"] == "extra_forbidden" and len(loc) == 1:
        return Refusal(f'unknown name "{loc[0]}"', suggestion(str(loc[0]), model.model_fields), loc)
    judged = values.get(loc[0]) if loc else values
    if is_open(judged):
        return None
    return Refusal("a value that does not fit", fix_of(details), loc)
