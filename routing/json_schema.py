"""JSON Schema of each file of the configuration: what may be written in it, for editors.

A schema tells shape: names of fields, types, ranges, forms of text. What a file means, and what its names lead
to, is for `routing.load`, which says it better. So whatever loads fits its schema, but not the other way round.
"""

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from routing import duration
from routing.catalogue import Catalogue
from routing.load import FILES
from routing.schema.part import Part
from routing.schema.runbooks import RunbookFile
from routing.schema.scenario import ScenarioFile
from routing.schema.templates import TemplateFile
from routing.schema.written import Form
from routing.severity import Severity
from routing.vendor_forms import tell

SHAPES: Mapping[str, type[Part]] = {
    **FILES,
    "runbooks/*.yaml": RunbookFile,
    "templates/*.yaml": TemplateFile,
    "tests/*.yaml": ScenarioFile,
}
"""By the file's name below the folder of the configuration, or the pattern of it."""


def file_of(path: str) -> str | None:
    """What `SHAPES` has for a path like "config/runbooks/rollback.yaml", "routes.yaml" or "routes"."""
    *_, folder, name = ["", *path.split("/")]
    meant = (f"{folder}/*.yaml", f"{name.removesuffix('.yaml')}.yaml", f"{name}/*.yaml")
    return next((file for file in meant if file in SHAPES), None)


def json_schema(file: str, catalogue: Catalogue | None = None) -> Form:
    """The schema (draft 2020-12) of what `SHAPES` has under this name; None leaves vendors unchecked."""
    found = SHAPES[file].model_json_schema(schema_generator=_AsWritten)
    for part in found.get("$defs", {}).values():
        part.pop("title", None)
    if catalogue is not None:
        tell(found, catalogue)
    return {"$schema": _AsWritten.schema_dialect} | found | {"title": file}


def purpose(file: str) -> str:
    """What the file is for, in one line."""
    return SHAPES[file].__doc__ or ""


class _AsWritten(GenerateJsonSchema):
    """Fields in our order, without titles made of their names; defaults as a person would write them."""

    def sort(self, value: Form, parent_key: str | None = None) -> Form:  # noqa: ARG002  # pydantic's signature
        return value

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> Form:
        """One choice of all forms: editors show what a choice within a choice offers badly."""
        found = self.generate_inner(schema["schema"])
        return {"anyOf": [*found.get("anyOf", [found]), {"type": "null"}]}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Form:
        found = self.generate_inner(schema["schema"])
        default = _as_written(self.get_default_value(schema), found)
        return found if default is None else found | {"default": default}

    def dict_schema(self, schema: core_schema.DictSchema) -> Form:
        """Names are checked too, which pydantic leaves to patterns that let every other name pass."""
        names, values = (self.generate_inner(schema[part]) for part in ("keys_schema", "values_schema"))
        if "enum" in names:
            found = {"properties": dict.fromkeys(names["enum"], values), "additionalProperties": False}
        else:
            found = {"propertyNames": names, "additionalProperties": values or True}
        self.update_with_validations(found, schema, self.ValidationsMapping.object)
        return {"type": "object"} | found


def _as_written(default: Any, form: Form) -> Any:
    """None where there is nothing to show: no default, or one that nobody would write."""
    if isinstance(default, Severity):
        return str(default)
    if isinstance(default, bool):
        return default
    if isinstance(default, int) and form.get("type") == "string":
        return duration.text(default) if default else None
    if isinstance(default, int | float):
        return default if default >= form.get("minimum", default) else None
    return default if isinstance(default, str) and default else None
