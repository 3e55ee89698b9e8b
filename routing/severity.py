"""Severity levels SEV-0 (worst) to SEV-4, and what each one promises."""

from dataclasses import dataclass
from enum import IntEnum

from routing.reason import BUILT_IN, Origin


class Severity(IntEnum):
    """Smaller is worse, so `min()` of several is the one that wins when unsure."""

    SEV0 = 0
    SEV1 = 1
    SEV2 = 2
    SEV3 = 3
    SEV4 = 4

    def __str__(self) -> str:
        return _NAMES[self]

    @classmethod
    def parse(cls, text: str) -> "Severity":
        """Read "SEV-1", "sev1" or "1". Raises ValueError naming what was found."""
        digits = text.strip().upper().removeprefix("SEV").lstrip("-")
        if digits in {"0", "1", "2", "3", "4"}:
            return cls(int(digits))
        raise ValueError(f"not a severity: {text!r}; write SEV-0, SEV-1, SEV-2, SEV-3 or SEV-4")


_NAMES = tuple(f"SEV-{each.value}" for each in Severity)
"""Every message and every reason writes one; asking an enum for its value takes longer than all the rest."""


@dataclass(frozen=True, slots=True)
class Level:
    """What a severity promises. Times in ms after opening; None: no time that is counted in hours."""

    severity: Severity
    meaning: str
    respond_ms: int
    resolve_ms: int | None
    hold_ms: int
    """How long a page may wait for a runbook. 0: page and repair at the same time."""
    ack_expires_ms: int | None
    """After this an acknowledged, unresolved incident is paged again. None: at its resolve-by time."""
    resolve_sprints: int = 0
    """Where `resolve_ms` is None: resolved by the end of this sprint (1), of the next (2); 0: no promise."""
    origin: Origin = BUILT_IN
