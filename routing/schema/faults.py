"""From pydantic's errors to faults: file, line, column, what was found, what to write instead."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from routing.schema.refusal import Refusal, Refusals, shown, suggestion
from routing.schema.wording import fix_of
from routing.schema.yaml_marks import Document, Path

_HIDDEN = {"secrets", "settings", "actions"}
"""Values below these keys may be secret: they are not shown."""


def add_faults(document: Document, model: type[BaseModel], error: ValidationError) -> None:
    """Add every error to the document's faults, but for those whose cause is told already."""
    errors = error.errors(include_url=False)
    for details in errors:
        if details["type"] == "too_short" and any(_below(each["loc"], details["loc"]) for each in errors):
            continue
        for loc, found, fix in _readings(details, model, document):
            path = _locate(document, loc)
            if document.is_unsound(path):
                continue
            names_key = details["type"] in {"extra_forbidden", "missing"} or "[key]" in loc
            mark = document.key_mark(path) if names_key else document.value_mark(path)
            document.refuse(mark, _told(path, loc, details), found, fix)


def _below(loc: Path, above: Path) -> bool:
    """A list that is short only because its items were refused is no fault of its own."""
    return len(loc) > len(above) and loc[: len(above)] == above


def _readings(
    details: ErrorDetails, model: type[BaseModel], document: Document
) -> Iterator[tuple[Path, str, str]]:
    cause = details.get("ctx", {}).get("error")
    if isinstance(cause, Refusals):
        for refusal in cause.refusals:
            yield (*details["loc"], *refusal.at), refusal.found, refusal.fix
    elif isinstance(cause, Refusal):
        yield (*details["loc"], *cause.at), cause.found, cause.fix
    else:
        yield (details["loc"], *_words(details, model, document))


def _words(details: ErrorDetails, model: type[BaseModel], document: Document) -> tuple[str, str]:
    kind, loc = details["type"], details["loc"]
    if kind == "missing":
        return f'"{loc[-1]}" is missing', _how_to_add(model, loc)
    if kind == "extra_forbidden":
        return f'unknown field "{loc[-1]}"', suggestion(str(loc[-1]), _fields(model, loc[:-1]))
    found = _shown(details["input"], _locate(document, loc))
    return found, fix_of(details)


def _shown(value: Any, path: Path) -> str:
    if isinstance(value, dict | list | tuple):
        kind = "a mapping" if isinstance(value, dict) else "a list"
        return f"an empty {kind[2:]}" if not value else kind
    if value is None:
        return "nothing"
    kind = {str: "text", bool: "true or false"}.get(type(value), "a number")
    if _HIDDEN & set(path):
        return kind
    return f"{shown(value)} is {kind}"


def _locate(document: Document, loc: Path) -> Path:
    """The part of pydantic's location that is in the file: its tags and missing fields are not."""
    path: Path = ()
    for part in loc:
        if (*path, part) in document.values:
            path = (*path, part)
    return path


def _told(path: Path, loc: Path, details: ErrorDetails) -> Path:
    return (*path, loc[-1]) if details["type"] == "missing" else path


def _how_to_add(model: type[BaseModel], loc: Path) -> str:
    field = _model_fields(model, loc[:-1]).get(str(loc[-1]))
    what = f": {field}" if field else ""
    return f"add {loc[-1]}{what}"


def _fields(model: type[BaseModel], loc: Path) -> list[str]:
    return list(_model_fields(model, loc))


def _model_fields(model: type[BaseModel], loc: Path) -> Mapping[str, str]:
    """The fields (as written) that may stand at a location, with their descriptions."""
    at: Any = model
    for part in loc:
        at = _step(at, part)
    found = _model(at)
    if found is None:
        return {}
    return {field.alias or name: field.description or "" for name, field in found.model_fields.items()}


def _step(annotation: Any, part: str | int) -> Any:
    """The type of what `part` leads to."""
    model = _model(annotation)
    if model is not None:
        by_alias = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
        return by_alias.get(str(part))
    for each in _unwrapped(annotation):
        arguments = get_args(each)
        if get_origin(each) is dict and part != "[key]":
            return arguments[1]
        if get_origin(each) in {list, tuple} and isinstance(part, int):
            return arguments[0]
    return annotation


def _model(annotation: Any) -> type[BaseModel] | None:
    for each in _unwrapped(annotation):
        if isinstance(each, type) and issubclass(each, BaseModel):
            return each
    return None


def _unwrapped(annotation: Any) -> Iterator[Any]:
    """The annotation without Annotated, and each member of a union."""
    if get_origin(annotation) is Annotated:
        yield from _unwrapped(get_args(annotation)[0])
    elif get_origin(annotation) in {dict, list, tuple} or not get_args(annotation):
        yield annotation
    else:
        for member in get_args(annotation):
            yield from _unwrapped(member)
