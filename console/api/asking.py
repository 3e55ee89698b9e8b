"""Reading a request: its query, its body, its preconditions; refused as a whole with every fault named."""

import hashlib
import re
from typing import Any, get_origin

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from console.api.declared import Operation
from console.api.problems import Problem, invalid

KEY = re.compile(r"[\x21-\x7e]{1,200}")


def query_of(request: Request, model: type[BaseModel] | None) -> BaseModel | None:
    """Raises Problem. One name twice is a fault, except of a list."""
    known = model.model_fields if model else {}
    found: dict[str, Any] = {}
    for name in request.query_params:
        values = request.query_params.getlist(name)
        many = name in known and get_origin(known[name].annotation) is list
        if len(values) > 1 and not many:
            raise Problem(422, f"query.{name}: it is there {len(values)} times", "leave one of them")
        found[name] = values if many else values[0]
    if model is None:
        if found:
            raise Problem(422, f"query.{next(iter(found))}: there is no such parameter", "leave it out")
        return None
    try:
        return model.model_validate(found)
    except ValidationError as error:
        raise invalid("query", error) from None


async def body_of(request: Request, operation: Operation) -> tuple[BaseModel | None, bytes]:
    """What was sent, read and as bytes. Raises Problem."""
    raw = await _bytes(request, operation.most_bytes)
    if operation.body is None:
        if raw.strip():
            raise Problem(422, "body: nothing is read from it", "send none")
        return None, b""
    if not raw and operation.optional_body:
        return operation.body(), raw
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise Problem(415, f"content-type: {media[:100] or 'none'}", "send application/json")
    try:
        return operation.body.model_validate_json(raw), raw
    except ValidationError as error:
        raise invalid("body", error) from None


async def _bytes(request: Request, most: int) -> bytes:
    too_large = Problem(413, f"body: more than {most:,} bytes", "send less at once")
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > most:
        raise too_large
    found = bytearray()
    try:
        async for part in request.stream():
            found += part
            if len(found) > most:
                raise too_large
    except ClientDisconnect as error:
        raise Problem(400, "body: it ends too early") from error
    return bytes(found)


def idempotency_key(request: Request) -> str:
    """Empty when there is none. Raises Problem."""
    found = request.headers.get("idempotency-key")
    if found is None:
        return ""
    if not KEY.fullmatch(found):
        raise Problem(
            422,
            "Idempotency-Key: not 1 to 200 printable characters",
            "send a UUID, one for each thing you do",
        )
    return found


def digest_of(request: Request, raw: bytes) -> str:
    """The same for the same request."""
    return hashlib.sha256(b"\0".join((request.method.encode(), request.url.path.encode(), raw))).hexdigest()
