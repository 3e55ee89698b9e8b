"""Contacts of `oncall.yaml`: people and rooms, and how each wants to be reached."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from routing.policy import Contact, Method
from routing.schema.fields import ChannelName, Many, Name, Some, Text, Zone, severity_field
from routing.schema.part import Known, Part, Spot, known
from routing.schema.refusal import Refusal, refuse_all, suggestion
from routing.severity import Severity

DEFAULT = "default"
"""Key under `page` for every severity that has no line of its own."""


def _severity_or_default(key: str) -> str:
    return key if key == DEFAULT else str(severity_field(key))


class MethodPart(Part):
    channel: ChannelName = Field(description="name of a channel, like voice")
    address: Text = Field(description='number or address there, like "+48500100200"')


class ContactPart(Part):
    title: Text = Field(description="how people call them, like Anna Nowak")
    timezone: Zone = "UTC"
    methods: dict[Name, MethodPart] = Field(min_length=1, description="name, then channel and address")
    page: dict[Annotated[str, BeforeValidator(_severity_or_default)], Some[str]] = Field(
        description="methods to page by, for each severity or default, best first"
    )
    quiet: Many[str] | None = Field(default=None, description="methods for what must not ring")

    @field_validator("page")
    @classmethod
    def _reachable(cls, page: dict[str, tuple[str, ...]], info: ValidationInfo) -> dict[str, tuple[str, ...]]:
        """Of `page` alone, so that it is told beside a fault of the methods."""
        gaps = [str(level) for level in Severity if str(level) not in page and DEFAULT not in page]
        if gaps:
            named = [name for names in page.values() for name in names] or list(info.data.get("methods", ()))
            fix = f"add {DEFAULT}: [{named[0] if named else 'mail'}], or a line for each"
            raise Refusal(f"unreachable for {', '.join(gaps)}: no method to page by", fix)
        return page

    @model_validator(mode="after")
    def _sound(self, info: ValidationInfo) -> "ContactPart":
        refuse_all([*self._unknown_methods(), *self._loud(known(info))])
        return self

    def _unknown_methods(self) -> list[Refusal]:
        named: list[tuple[tuple[str | int, ...], str]] = [
            (("page", key, number), name)
            for key, names in self.page.items()
            for number, name in enumerate(names)
        ]
        named += [(("quiet", number), name) for number, name in enumerate(self.quiet or ())]
        return [
            Refusal(f'no method "{name}" of this contact', suggestion(name, self.methods), at)
            for at, name in named
            if name not in self.methods
        ]

    def _loud(self, names: Known) -> list[Refusal]:
        """A resolve or an ack must reach everyone who was paged, and never by ringing."""
        found = [
            Refusal(
                f'"{name}" rings a phone', "name a method that does not, like e-mail or SMS", ("quiet", at)
            )
            for at, name in enumerate(self.quiet or ())
            if name in self.methods and self.methods[name].channel in names.voices
        ]
        silent = [method for method in self.methods.values() if method.channel not in names.voices]
        if self.quiet == () or not silent:
            fix = "add one by e-mail or SMS: acks and resolves are told without ringing"
            found.append(Refusal("no method that does not ring", fix, ("methods",)))
        return found


def build_contacts(
    parts: Mapping[str, ContactPart], spot: Spot, voices: frozenset[str]
) -> dict[str, Contact]:
    return {name: _contact(name, part, spot.at("contacts", name), voices) for name, part in parts.items()}


def _contact(name: str, part: ContactPart, spot: Spot, voices: frozenset[str]) -> Contact:
    methods = {key: Method(method.channel, method.address) for key, method in part.methods.items()}
    silent = tuple(key for key, method in methods.items() if method.channel not in voices)
    return Contact(
        name=name,
        title=part.title,
        timezone=part.timezone,
        methods=tuple(methods.values()),
        by_severity={level: _pages(part, level, methods) for level in Severity},
        quiet=tuple(methods[key] for key in part.quiet or silent),
        origin=spot.origin,
    )


def _pages(part: ContactPart, level: Severity, methods: Mapping[str, Method]) -> tuple[Method, ...]:
    names = part.page.get(str(level)) or part.page[DEFAULT]
    return tuple(methods[name] for name in names)
