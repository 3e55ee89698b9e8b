"""The description of the API, made of the same declarations as its routes: what is not true cannot be in it."""

import importlib
import importlib.metadata
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import console.api
from console.api.declared import PREFIX, Asked, Operation
from console.api.problems import MEDIA, TITLES
from console.api.serving import routes
from console.api.shapes import Done, ProblemShape
from console.trust.acts import Act

PLACE = "/openapi.json"
Schemas = dict[type[BaseModel], dict[str, Any]]
ALWAYS = (401, 403, 429, 503)
_PARAMETER = re.compile(r"\{(\w+)\}")
_REF = "#/components/schemas/{model}"


def operations() -> Iterator[Operation]:
    """Of every module of the API, by name."""
    for found in sorted(pkgutil.iter_modules(console.api.__path__), key=lambda each: each.name):
        yield from getattr(importlib.import_module(f"console.api.{found.name}"), "OPERATIONS", ())


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    known = list(operations())
    models: set[type[BaseModel]] = {Done, ProblemShape}
    models |= {model for each in known for model in (each.answer, each.body, each.query) if model}
    ordered = sorted(models, key=lambda model: (model.__module__, model.__qualname__))
    asked: Any = [(model, "validation") for model in ordered]
    names, found = models_json_schema(asked, ref_template=_REF)
    schemas: Schemas = {model: names[model, "validation"] for model in ordered}
    paths: dict[str, dict[str, Any]] = {}
    for each in known:
        paths.setdefault(PREFIX + each.path, {})[each.method.lower()] = _operation(
            each, schemas, found["$defs"]
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tocsin",
            "version": importlib.metadata.version("tocsin"),
            "description": "Everything that the command line reads and does. See docs/api.md.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in sorted({each.group for each in known})],
        "security": [{"token": []}, {"session": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": found["$defs"],
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "An API token."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "tocsin",
                    "description": "Of somebody signed in.",
                },
            },
        },
    }


def _operation(each: Operation, schemas: Schemas, defs: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": each.name,
        "summary": each.summary.rstrip("."),
        "description": _description(each),
        "tags": [each.group],
        "parameters": [*_of_path(each), *_of_query(each, defs), *_of_headers(each)],
        "responses": _responses(each, schemas),
    }
    if each.body is not None:
        content = {"application/json": {"schema": schemas[each.body]}}
        found["requestBody"] = {"required": not each.optional_body, "content": content}
    return found


def _description(each: Operation) -> str:
    scope = f"Takes the role {each.act.role} and, of a token, the scope `{each.act.scope}`."
    return f"{each.description}\n\n{scope}".strip()


def _of_path(each: Operation) -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 1}
    return [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name in _PARAMETER.findall(each.path)
    ]


def _of_query(each: Operation, defs: dict[str, Any]) -> list[dict[str, Any]]:
    if each.query is None:
        return []
    whole = each.query.model_json_schema(ref_template=_REF)
    defs.update(whole.get("$defs", {}))
    needed = whole.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in needed, "description": schema.get("description", ""),
         "schema": _not_null(schema)}
        for name, schema in whole["properties"].items()
    ]  # fmt: skip


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query cannot say null: what may be left out is left out."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind.get("type") != "null"]
    rest = {name: value for name, value in schema.items() if name not in {"anyOf", "default", "title"}}
    return {**kinds[0], **rest} if len(kinds) == 1 else {**rest, **({"anyOf": kinds} if kinds else {})}


def _of_headers(each: Operation) -> list[dict[str, Any]]:
    if not each.writes:
        return [_header("If-None-Match", "Answer 304 when the ETag is still this one.")]
    key = _header(
        "Idempotency-Key",
        "The same request with the same key is carried out once, and answered alike for 24 h.",
    )
    key["schema"] |= {"minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}
    match = (
        [_header("If-Match", "Do it only if the ETag of its GET is still this one.")] if each.reads else []
    )
    return [key, *match]


def _header(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string"},
    }


def _responses(each: Operation, schemas: Schemas) -> dict[str, Any]:
    found: dict[str, Any] = {str(each.status): _success(each, schemas)}
    if each.waits:
        found["202"] = {"description": "Kept, and not decided yet.", "content": _json(schemas[Done])}
    if not each.writes:
        found["304"] = {"description": "As you have it already."}
    more = {*ALWAYS, *each.refusals, *_of_reading(each)}
    for status in sorted(more):
        headers = {"Retry-After": {"schema": {"type": "integer"}}} if status in {429, 503} else {}
        found[str(status)] = {
            "description": TITLES[status].capitalize() + ".",
            "content": {MEDIA: {"schema": schemas[ProblemShape]}},
            **({"headers": headers} if headers else {}),
        }
    return found


def _of_reading(each: Operation) -> set[int]:
    """What may be wrong with any request of its kind."""
    found = {422}
    if each.writes:
        found |= {409, 413}
    if each.body is not None:
        found |= {400, 415}
    if each.writes and each.reads is None:
        found |= {412}
    return found


def _success(each: Operation, schemas: Schemas) -> dict[str, Any]:
    if each.answer is None and each.media == "application/json":
        return {"description": "Done."}
    schema = schemas[each.answer] if each.answer else {"type": "string"}
    return {
        "description": "So it is." if not each.writes else "Done.",
        "headers": {"ETag": {"schema": {"type": "string"}}},
        "content": {each.media: {"schema": schema}},
    }


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def describe(asked: Asked) -> dict[str, Any]:  # noqa: ARG001  # an operation like any other
    return document()


class Anything(BaseModel):
    """A document in the form of OpenAPI 3.1."""


OPERATIONS = (Operation("GET", PLACE, Act.READ, "This description.", describe, Anything),)
ROUTES = routes(OPERATIONS)
