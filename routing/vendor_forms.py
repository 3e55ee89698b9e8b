"""What the schemas for editors know of the vendors' modules: their names, settings and parameters.

Names alone: a value may hold a placeholder or ${NAME}, and is judged by the vendor's own model when it is read.
"""

from collections.abc import Collection, Iterator
from typing import Any

from pydantic import BaseModel

from routing.catalogue import Catalogue
from routing.schema.written import SETTING, Form


def tell(schema: Form, catalogue: Catalogue) -> None:
    """Add to a file's schema, where it names vendors, which there are and what each takes."""
    parts = schema.get("$defs", {})
    if "SourcePart" in parts:
        _one_of(parts["SourcePart"], "vendor", catalogue.sources)
    if "ChannelPart" in parts:
        _one_of(parts["ChannelPart"], "vendor", catalogue.channels)
        parts["ChannelPart"]["allOf"] = list(_channels(catalogue))
    if "actions" in schema["properties"]:
        schema["properties"]["actions"] |= _families(catalogue)
    if "EnvironmentPart" in parts:
        parts["EnvironmentPart"]["properties"]["actions"] |= _families(catalogue)
    for name in {"ProbePart", "ReadingPart", "RepairPart", "UndoPart", "VerifyPart"} & parts.keys():
        acts = name in {"RepairPart", "UndoPart"}
        fitting = [action for action, facts in catalogue.actions.items() if acts or not facts.mutates]
        _one_of(parts[name], "action", fitting)
        parts[name]["allOf"] = list(_params(catalogue, fitting))
        if name == "RepairPart":
            parts[name]["allOf"] += _recovered(catalogue)


def _one_of(part: Form, field: str, names: Collection[str]) -> None:
    part["properties"][field]["enum"] = sorted(names)


def _channels(catalogue: Catalogue) -> Iterator[Form]:
    for vendor, facts in sorted(catalogue.channels.items()):
        if facts.settings is not None:
            yield _where("vendor", vendor, _taking("settings", _names(facts.settings, SETTING)))
            box = _names(facts.bounces, SETTING) if facts.bounces else {"maxProperties": 0}
            yield _where("vendor", vendor, {"properties": {"bounces": box}})


def _params(catalogue: Catalogue, actions: Collection[str]) -> Iterator[Form]:
    for action in sorted(actions):
        params = catalogue.actions[action].params
        if params is not None:
            yield _where("action", action, _taking("params", _names(params, {})))


def _recovered(catalogue: Catalogue) -> Iterator[Form]:
    """A step that changes something says how that is recovered from."""
    said: Form = {"required": ["recover"], "properties": {"recover": {"minLength": 1}}}
    for action, facts in sorted(catalogue.actions.items()):
        if facts.mutates:
            yield _where("action", action, said)


def _families(catalogue: Catalogue) -> Form:
    known = {
        family: {"type": "object", "properties": dict.fromkeys(names, SETTING), "additionalProperties": False}
        for family, names in sorted(catalogue.families.items())
    }
    return {"properties": known, "additionalProperties": False}


def _where(field: str, value: str, then: Form) -> Form:
    return {"if": {"properties": {field: {"const": value}}, "required": [field]}, "then": then}


def _taking(field: str, names: Form) -> Form:
    return {"properties": {field: names}} | ({"required": [field]} if "required" in names else {})


def _names(model: type[BaseModel], value: Form) -> Form:
    """What the model takes, each with its description and default."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    found: Form = {"properties": {name: value | _told(field) for name, field in fields.items()}}
    wanted = [name for name, field in fields.items() if field.is_required()]
    if wanted:
        found["required"] = wanted
    if model.model_config.get("extra") == "forbid":
        found["additionalProperties"] = False
    return found


def _told(field: Any) -> Form:
    told = {"description": field.description} if field.description else {}
    if isinstance(field.default, str | int | float) and field.default != "":
        told["default"] = field.default
    return told
