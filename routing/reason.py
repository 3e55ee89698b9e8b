"""Reasons: every decision says why, in words a tired person understands, and which rule said so."""

from dataclasses import dataclass

from routing.record import Record


@dataclass(frozen=True, slots=True)
class Origin:
    """Where in the configuration something was written; `str()` gives "config/routes.yaml:14"."""

    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.file else ""


BUILT_IN = Origin("(built in)", 0)


class Reason(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One sentence, and the rule and place it came from: "rule", "outage", "config/severity.yaml:31"."""

    text: str
    rule: str = ""
    origin: str = ""

    def __str__(self) -> str:
        place = ", ".join(part for part in (self.rule, self.origin) if part)
        return f"{self.text} ({place})" if place else self.text
