"""Shapes that several resources share. What an answer says is all here: it is refused when it says more."""

import base64
import binascii
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from console.api.problems import Problem
from console.doing import entries


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Sent(BaseModel):
    """What a request says: no more, and nothing of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


_LENGTH = r"^([0-9]{1,4}w)?([0-9]{1,4}d)?([0-9]{1,4}h)?([0-9]{1,4}m)?([0-9]{1,4}s)?$"
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
MaybeText = Annotated[str, StringConstraints(max_length=4_000)]
Length = Annotated[
    str,
    StringConstraints(pattern=_LENGTH, min_length=2),
    Field(description="How long, like 90s, 30m, 2h or 1d12h.", examples=["2h"]),
]  # fmt: skip
Instant = str | None
"""ISO 8601 in UTC with milliseconds; null for what has not happened."""
Level = Annotated[
    Literal["SEV-0", "SEV-1", "SEV-2", "SEV-3", "SEV-4"], Field(description="SEV-0 is the worst.")
]
Toggle = Literal["true", "false"]


class Paged(BaseModel):
    model_config = ConfigDict(extra="forbid")
    limit: Annotated[int, Field(ge=1, le=500, description="At most so many.")] = 50
    after: Annotated[
        str, StringConstraints(max_length=200), Field(description="`after` of the page before.")
    ] = ""


class Why(Shape):
    text: str
    rule: str
    origin: str


class Done(Shape):
    """What came of it. `decided` false (202): it is kept under `entry`, and will be decided."""

    entry: str
    decided: bool
    said: list[str]


class Fault(Shape):
    where: str
    what: str


class ProblemShape(BaseModel):
    """RFC 9457. `hint` says what to do."""

    model_config = ConfigDict(title="Problem")
    type: str
    title: str
    status: int
    detail: str = ""
    hint: str
    errors: list[Fault] = []


Free = dict[str, Any]


def told(done: entries.Done) -> Free:
    """As `Done`."""
    return {"entry": done.entry, "decided": True, "said": list(done.said)}


def sent_bytes(text: str | None, encoded: str | None) -> bytes:
    """A body that was sent as one of the two. Raises Problem."""
    if (text is None) is (encoded is None):
        raise Problem(
            422, "body: give one of the text and `base64`", "see /api/v1/openapi.json for what it takes"
        )
    if text is not None:
        return text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(encoded or "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Problem(422, f"body.base64: {error}", "encode it as RFC 4648 says") from error
