"""Actions of PostgreSQL as a worker calls them."""

from typing import Any

import pytest

from routing.errors import ActionError
from routing.ports import Step
from workers.actions import postgres


def act(name: str, at: Step, **params: Any) -> dict[str, Any]:
    action = postgres.ACTIONS[name]
    found: dict[str, Any] = action.run(at, action.params.model_validate(params))
    return found


def failure(name: str, at: Step, **params: Any) -> ActionError:
    with pytest.raises(ActionError) as failed:
        act(name, at, **params)
    return failed.value
