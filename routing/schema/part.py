"""Part: base of every model of the configuration; Spot: a place in a file; Known: what may be referred to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationInfo

from routing.catalogue import Catalogue
from routing.reason import Origin
from routing.schema.refusal import Refusal, suggestion
from routing.schema.yaml_marks import Document, Path


class Part(BaseModel):
    """Strict: no unknown fields, no type is guessed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a file, to say later where a rule came from."""

    document: Document
    path: Path = ()

    def at(self, *parts: str | int) -> "Spot":
        return Spot(self.document, (*self.path, *parts))

    @property
    def origin(self) -> Origin:
        return Origin(self.document.file, self.document.key_mark(self.path).line)


@dataclass(frozen=True, slots=True)
class Known:
    """Context of validation. `names`: by kind, what the files define; None where a file could not be read."""

    names: Mapping[str, frozenset[str] | None]
    homes: Mapping[str, str]
    """By kind, the file it is defined in."""
    voices: frozenset[str]
    """Channels that ring."""
    catalogue: Catalogue | None
    env: Mapping[str, str] | None
    pages: frozenset[str] = frozenset()
    """Channels that lead to a status page, which everybody reads."""

    def check(self, kind: str, name: str) -> str:
        """The name, when something of this kind has it. Raises Refusal."""
        names = self.names.get(kind)
        if names is None or name in names:
            return name
        fix = f"{suggestion(name, names)} ({kind} names come from {self.homes[kind]})"
        raise Refusal(f'no {kind} "{name}"', fix)


def known(info: ValidationInfo) -> Known:
    context: Any = info.context
    if not isinstance(context, Known):
        raise TypeError("the models of the configuration are validated with a Known as context")
    return context
