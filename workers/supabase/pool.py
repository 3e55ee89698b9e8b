"""The shared connection pooler: how many connections it holds to the database."""

import math
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers import once
from workers.supabase import api
from workers.supabase.api import Project

PATH = "config/database/pooler"
MOST = 3000
"""Supabase takes no more."""


class SetPool(Project):
    """`size` outright, "default" being what Supabase chooses for the size of the machine; or `percent` more (less,
    when negative) than `of`, the size that was read before, and at most `most`.

    A percentage is of a number that is given, so that asking twice does not raise twice. With `of`, a size that
    somebody else set meanwhile is left alone.
    """

    size: int | Literal["default"] | None = None
    percent: int | None = Field(default=None, ge=-90, le=200)
    of: int | None = Field(default=None, ge=1, le=MOST)
    most: int = Field(default=MOST, ge=1, le=MOST)

    @field_validator("size")
    @classmethod
    def _within(cls, size: int | str | None) -> int | str | None:
        if isinstance(size, int) and not 1 <= size <= MOST:
            raise ValueError(f"from 1 to {MOST}, or default")
        return size

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.size is None) is (self.percent is None) or (self.percent is not None and self.of is None):
            raise ValueError("give size, or percent with of")
        return self

    @property
    def wanted(self) -> int | None:
        """None for the default."""
        if self.percent is not None and self.of is not None:
            return max(1, min(self.of + math.ceil(self.of * self.percent / 100), self.most))
        return self.size if isinstance(self.size, int) else None


def pool(step: Step, params: Project) -> dict[str, Any]:
    """{"size", "mode", "max_clients"}; `size` null: what Supabase chooses for the size of the machine."""
    found = api.read_list(step, api.address(step, params, PATH))
    primary = next((each for each in found if each.get("database_type") == "PRIMARY"), None)
    if primary is None:
        raise ActionError("Supabase: no pooler of a primary database is told of", outcome=Outcome.TEMPORARY)
    return {
        "size": primary.get("default_pool_size"),
        "mode": str(primary.get("pool_mode", "")),
        "max_clients": primary.get("max_client_conn"),
    }


def set_pool(step: Step, params: SetPool) -> dict[str, Any]:
    """{"size", "was"}: setting `size` to `was` takes it back. What neither is wanted nor `of` is refused."""
    before, wanted = pool(step, params)["size"], params.wanted
    if before == wanted:
        return {"size": _told(wanted), "was": _told(params.of or wanted), "already": True}
    if params.of is not None and before != params.of:
        reason = f"the pool's size is {_told(before)} by now, not {params.of}: somebody changed it"
        raise ActionError(reason, outcome=Outcome.REFUSED)
    done = {"size": _told(wanted), "was": _told(before)}

    def look() -> dict[str, Any] | None:
        return done if pool(step, params)["size"] == wanted else None

    def ask() -> dict[str, Any]:
        api.change(step, "PATCH", api.address(step, params, PATH), {"default_pool_size": wanted})
        return done

    return once.settled(look, ask)


def _told(size: int | None) -> int | str:
    return "default" if size is None else size


def plan_set_pool(step: Step, params: SetPool) -> dict[str, Any]:
    return api.would(step, params, "PATCH", PATH, json={"default_pool_size": params.wanted})


def plan_pool(step: Step, params: Project) -> dict[str, Any]:
    return api.would(step, params, "GET", PATH)
