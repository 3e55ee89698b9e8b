"""What all pollers take from `poll` of their source."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from routing.schema.fields import PositiveDuration


class Polling(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    every: PositiveDuration = Field(default=300_000, description="how often the vendor is asked, like 5m")
    first: PositiveDuration | None = Field(default=None, description="how far back the first look goes")
    pages: int = Field(default=5, ge=1, le=50, description="so much of its list is read at once, in pages")


def text(holder: Mapping[str, Any], name: str) -> str:
    found = holder.get(name)
    return found[:500] if isinstance(found, str) else ""


def number(holder: Mapping[str, Any], name: str) -> int:
    found = holder.get(name)
    return found if isinstance(found, int) else 0
