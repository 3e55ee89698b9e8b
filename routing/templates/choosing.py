"""Which template gives which part of a message: the most special file that has it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from routing.delivery import Purpose
from routing.policy.templates import Template
from routing.severity import Severity

PARTS = ("title", "body", "speech", "html")
BUNDLE = "bundle"
"""The kind of a message that tells of several incidents at once."""
_WORDLESS = frozenset({Purpose.PUBLIC, Purpose.RECALL})
KINDS = (*(each.value for each in Purpose if each not in _WORDLESS), BUNDLE)

_NAME = re.compile(r"(?:(?P<channel>[a-z][a-z0-9_-]*)\.)?(?P<kind>[a-z]+)(?:\.sev-(?P<level>[0-4]))?")


@dataclass(frozen=True, slots=True)
class Meant:
    """What a template is for; `channel` "" for all of them, `severity` None for all."""

    kind: str
    channel: str = ""
    severity: Severity | None = None


def meant(name: str) -> Meant | None:
    """Read "sms.page.sev-0"; None when it is no such name."""
    found = _NAME.fullmatch(name)
    if found is None or found["kind"] not in KINDS:
        return None
    level = found["level"]
    return Meant(found["kind"], found["channel"] or "", Severity(int(level)) if level else None)


def names(channel: str, kind: str, severity: Severity) -> tuple[str, ...]:
    """The files that may give a part, in the order they are asked."""
    level = f"sev-{severity.value}"
    return (f"{channel}.{kind}.{level}", f"{channel}.{kind}", f"{kind}.{level}", kind)


def chosen(
    templates: Mapping[str, Template], channel: str, kind: str, severity: Severity
) -> Iterator[tuple[str, Template]]:
    """Each part that a template gives, with the template. Parts that none gives stay as they are."""
    found = [templates[name] for name in names(channel, kind, severity) if name in templates]
    for part in PARTS:
        for template in found:
            if part in template.parts:
                yield part, template
                break
