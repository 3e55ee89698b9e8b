"""Environment variables of production. A new value takes effect with the next deployment."""

from typing import Annotated, Any, Self

import orjson
from pydantic import Field, model_validator

from routing.errors import ActionError
from routing.ports import Step
from workers import once
from workers.vercel import api
from workers.vercel.api import Project

_LONGEST = 65_536
_NAME = r"^[a-z][a-z0-9_]{0,62}$"

Values = dict[Annotated[str, Field(pattern=_NAME)], str]
"""The setting `values`: secrets by name."""


class SetEnv(Project):
    """`value` as it stands; or `secret`, a name in the setting `values`, for what must not be in a runbook."""

    key: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,255}$")
    value: str | None = Field(default=None, max_length=_LONGEST)
    secret: str = Field(default="", pattern=rf"^$|{_NAME}")

    @model_validator(mode="after")
    def _one_value(self) -> Self:
        if (self.value is None) is (self.secret == ""):
            raise ValueError("give value or secret")
        return self


class Variable(Project):
    """`secret`: a name in the setting `values` that it may be set to."""

    key: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,255}$")
    secret: str = Field(default="", pattern=rf"^$|{_NAME}")


def variable(step: Step, params: Variable) -> dict[str, Any]:
    """{"key", "value": of a plain one; null of what is kept secret, "ready": whether there is a value called `secret`,
    "same": whether it has that value already, null where nobody can tell}. A value called so is not put out.
    """
    found, wanted = _find(step, params), _values(step).get(params.secret, "")
    plain = _plain(found)
    same = None if plain is None or not wanted else plain == wanted
    return {"key": params.key, "value": plain, "ready": bool(wanted), "same": same}


def set_env(step: Step, params: SetEnv) -> dict[str, Any]:
    """{"key", "id", "was"}: of a plain variable its old value, which takes it back; null of what is kept secret.

    Only a variable that production has already. The same value twice is the same as once.
    """
    value = _value(step, params)
    before = _find(step, params)
    variable = str(before.get("id", ""))
    facts = {"key": params.key, "id": variable, "was": _plain(before)}
    if facts["was"] == value:
        return {**facts, "already": True}

    def look() -> dict[str, Any] | None:
        found = _find(step, params)
        return facts if _updated_at(found) > _updated_at(before) else None

    def ask() -> dict[str, Any]:
        path = api.path_of("v9", "projects", params.project, "env", variable)
        api.changed(step, "PATCH", path, json={"value": value})
        return facts

    return once.settled(look, ask)


def _value(step: Step, params: SetEnv) -> str:
    if params.value is not None:
        return params.value
    found = _values(step).get(params.secret)
    if not found:
        raise ActionError(
            f"nothing called {params.secret} in vercel.values in config/actions.yaml, or it is empty"
        )
    return found


def _values(step: Step) -> dict[str, str]:
    return {name: str(value) for name, value in orjson.loads(step.settings.get("values") or "{}").items()}


def _find(step: Step, params: SetEnv | Variable) -> dict[str, Any]:
    answer = api.ask(step, "GET", api.path_of("v10", "projects", params.project, "env"))
    listed = api.listed(api.asked(answer).get("envs"))
    named = [each for each in listed if each.get("key") == params.key and _of_production(each)]
    if len(named) != 1:
        count = "no" if not named else "more than one"
        raise ActionError(
            f"there is {count} variable {params.key} of production in {params.project}: look there"
        )
    return named[0]


def _of_production(variable: dict[str, Any]) -> bool:
    target = variable.get("target")
    return "production" in (target if isinstance(target, list) else [target])


def _plain(variable: dict[str, Any]) -> str | None:
    value = variable.get("value")
    return value if variable.get("type") == "plain" and isinstance(value, str) else None


def _updated_at(variable: dict[str, Any]) -> float:
    at = variable.get("updatedAt")
    return at if isinstance(at, int | float) else 0


def plan_variable(step: Step, params: Variable) -> dict[str, Any]:
    return api.would(step, "GET", api.path_of("v10", "projects", params.project, "env"), key=params.key)


def plan(step: Step, params: SetEnv) -> dict[str, Any]:
    return api.would(
        step, "PATCH", api.path_of("v9", "projects", params.project, "env", "(id)"), key=params.key
    )
