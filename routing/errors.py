"""The exception tree.

    TocsinError
    ├── BadSignature        a request is not from whom it claims to be
    ├── Unreadable          authentic, but not what the vendor documents
    ├── ConfigError         the configuration has faults, all of them listed
    ├── DeliveryError       a channel could not deliver; says whether repeating can help
    ├── ActionError         a runbook step could not be carried out; says how it failed
    ├── CalendarError       a calendar's text cannot be used (`routing.oncall.importing`)
    ├── BadExpression       a condition cannot be read, or not be evaluated (`routing.language.expressions`)
    └── TemplateGap         a placeholder's path leads nowhere (`routing.language.template`)

Messages say what, where, what was found and what to do; never a secret, never a body.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from routing.entry import Outcome


class TocsinError(Exception):
    """Base of all our own errors."""


class BadSignature(TocsinError):
    """`hint` tells the person setting the source up what to check."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class Unreadable(TocsinError):
    """`where` is a path into the body ("alerts[3].labels") or ""."""

    def __init__(self, reason: str, where: str = "") -> None:
        super().__init__(f"{where}: {reason}" if where else reason)
        self.reason = reason
        self.where = where


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to say about a place of the configuration. `line` and `column` count from 1; 0 for none."""

    file: str
    line: int
    column: int
    path: str
    found: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self._said()}"

    def _said(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{where}{self.found}; {self.fix}"


@dataclass(frozen=True, slots=True)
class Fault(Remark):
    """Nothing of a configuration that has one goes live."""


@dataclass(frozen=True, slots=True)
class ConfigWarning(Remark):
    """It goes live all the same, but is hardly meant (`routing.warnings`)."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: warning: {self._said()}"


class ConfigError(TocsinError):
    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


class DeliveryError(TocsinError):
    """`outcome` is TEMPORARY, PERMANENT or UNKNOWN (no answer: it may have arrived).

    `opted_out`: whose address it is wants nothing from us, until they say otherwise.
    """

    def __init__(
        self,
        reason: str,
        *,
        outcome: Outcome = Outcome.TEMPORARY,
        retry_after_ms: int = 0,
        answer: str = "",
        opted_out: bool = False,
    ) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.retry_after_ms = retry_after_ms
        self.answer = answer
        self.opted_out = opted_out


class ActionError(TocsinError):
    """`outcome` as for deliveries, or REFUSED when nothing was attempted."""

    def __init__(
        self, reason: str, *, outcome: Outcome = Outcome.PERMANENT, retry_after_ms: int = 0, request: str = ""
    ) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.retry_after_ms = retry_after_ms
        self.request = request
