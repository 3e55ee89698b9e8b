"""What actions need of settings besides their values (`ledger.credentials`): text, and a word when they are missing."""

from collections.abc import Mapping
from typing import Any

import orjson

from ledger.credentials import Resolved, build, faults, resolve
from routing.entry import Outcome
from routing.errors import ActionError

__all__ = ["NoCredentialsError", "Resolved", "as_text", "build", "faults", "resolve"]


class NoCredentialsError(ActionError):
    """The vendor cannot be asked: the operator has not set what it takes. Says which variable is missing."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, outcome=Outcome.REFUSED)


def as_text(values: Mapping[str, Any]) -> dict[str, str]:
    """Settings for actions, which take text: True becomes "true", None is left out, the rest is JSON."""
    return {name: _text(value) for name, value in values.items() if value is not None}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
