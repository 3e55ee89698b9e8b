"""How a voice or SMS provider that has no module of its own calls back: signatures, receipts, replies.

Part of the settings of its channel; the process that faces the internet reads them there. Where something is in a
body is said in JMESPath over its JSON, or over the fields of its form or address.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from routing.language import expressions

ReceiptWord = Literal[
    "delivered", "answered", "in-progress", "busy", "no-answer", "failed", "canceled", "undelivered", "machine",
    "opted-out", "ignored",
]  # fmt: skip
"""What we know of how a message went; "ignored" is for words that decide nothing, like "queued"."""


def _path(text: str) -> str:
    try:
        expressions.compiled(text)
    except expressions.BadExpression as error:
        raise ValueError(f"no JMESPath expression: {error.reason}") from error
    return text


Path = Annotated[str, AfterValidator(_path)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Signature(_Part):
    """An HMAC over the raw body, or over "<timestamp>.<body>" where `timestamp` names a header with seconds."""

    header: str = Field(min_length=1)
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    """What stands before it in the header, like "sha256="."""
    timestamp: str = ""


class Receipts(_Part):
    """How a call or message went, one of them in a body or, with `each`, several."""

    status: Path
    words: dict[str, ReceiptWord] = Field(min_length=1)
    """The provider's words, in any case, as ours."""
    each: Path = ""
    id: Path = ""
    delivery: Path = ""
    """Our own name of it, where the address does not say it."""
    detail: Path = ""


class Replies(_Part):
    """What a person wrote back, or which key they pressed."""

    text: Path
    sender: Path = ""
    """The number it came from. Not needed for keys, whose address says which call it is."""
    each: Path = ""
    id: Path = ""
    answer: Any = None
    """JSON to answer with; `{{ said }}` is what the caller is to hear."""


class Callbacks(BaseModel):
    """The part of a channel's settings that its callbacks need; the rest is the worker's."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    signature: Signature | None = None
    receipts: Receipts | None = None
    replies: Replies | None = None


def text_at(path: str, body: Mapping[str, Any]) -> str:
    """What the path leads to, as text; "" where it leads nowhere, or to what is no text."""
    if not path:
        return ""
    try:
        value = expressions.evaluate(path, body)
    except expressions.BadExpression:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)


def items(each: str, body: Any) -> list[Mapping[str, Any]]:
    """What a body tells of, one by one."""
    try:
        value = expressions.evaluate(each, body) if each else body
    except expressions.BadExpression:
        return []
    several = value if isinstance(value, list) else [value]
    return [one for one in several if isinstance(one, dict)]
