"""Values of the configuration that only the process that needs them resolves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Secret:
    """A `${NAME}` or `${NAME:-default}` of the configuration, resolved only by the process that needs it."""

    name: str
    default: str | None = None

    def resolve(self, env: Mapping[str, str]) -> str:
        """Raises KeyError with the name when it is unset and has no default."""
        found = env.get(self.name, "")
        if found:
            return found
        if self.default is None:
            raise KeyError(self.name)
        return self.default


Setting = str | int | float | bool | None | Secret | list[Any] | dict[str, Any]
