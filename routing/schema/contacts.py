"""Contacts of `oncall.yaml`: people and rooms, and how each wants to be reached."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from routing.policy import Contact, HourlyPage, Method
from routing.schema.conditions import AtHoursPart
from routing.schema.digest import DigestPart
from routing.schema.fields import (
    ChannelName,
    Duration,
    Language,
    Many,
    Name,
    Some,
    Text,
    Zone,
    severity_field,
)
from routing.schema.part import Known, Part, Spot, known
from routing.schema.refusal import Refusal, refuse_all, suggestion
from routing.schema.written import Form, Short, shown_as
from routing.severity import Severity

DEFAULT = "default"
"""Key under `page` for every severity that has no line of its own."""

_Place = tuple[str | int, ...]


def _severity_or_default(key: str) -> str:
    return key if key == DEFAULT else str(severity_field(key))


def _named(value: Any) -> Any:
    return {"method": value} if isinstance(value, str) else value


class MethodPart(Part):
    channel: ChannelName = Field(description="name of a channel, like voice")
    address: Text = Field(description='number or address there, like "+48500100200"')


_LEVELS = tuple(str(level) for level in Severity)
_REACHABLE: Form = {"anyOf": [{"required": [DEFAULT]}, {"required": [*_LEVELS]}]}


class TurnPart(Part):
    """A method's turn in a page; its name alone means at once."""

    method: str = Field(description="name of one of the contact's methods")
    after: Duration = Field(default=0, description="how long the ones before have, like 3m")


PagePart = dict[
    Annotated[str, BeforeValidator(_severity_or_default), shown_as({"enum": [*_LEVELS, DEFAULT]})],
    Some[Annotated[TurnPart, BeforeValidator(_named), Short("name of one of the contact's methods")]],
]


class HourlyPart(AtHoursPart):
    page: PagePart = Field(min_length=1, description="methods to page by at these hours")


class ContactPart(Part):
    title: Text = Field(description="how people call them, like Anna Nowak")
    timezone: Zone = Field(default="UTC", description="IANA name, like Europe/Warsaw")
    methods: dict[Name, MethodPart] = Field(min_length=1, description="name, then channel and address")
    page: PagePart = Field(
        description="methods to page by, for each severity or default, best first",
        json_schema_extra=_REACHABLE,
    )
    by_hour: Many[HourlyPart] = Field(default=(), description="during or outside, and page; the first counts")
    quiet_hours: AtHoursPart | None = Field(default=None, description="nothing rings then but SEV-0")
    quiet: Many[str] | None = Field(default=None, description="methods for what must not ring")
    digest: DigestPart | None = Field(default=None, description="severities and at")
    language: Language = Field(default="", description="what a voice speaks to them, like pl-PL")
    voice: Text | None = Field(default=None, description="which voice, by its name at the provider")

    @field_validator("page")
    @classmethod
    def _reachable(cls, page: PagePart, info: ValidationInfo) -> PagePart:
        """Of `page` alone, so that it is told beside a fault of the methods."""
        gaps = [str(level) for level in Severity if str(level) not in page and DEFAULT not in page]
        if gaps:
            named = [turn.method for turns in page.values() for turn in turns] or list(
                info.data.get("methods", ())
            )
            fix = f"add {DEFAULT}: [{named[0] if named else 'mail'}], or a line for each"
            raise Refusal(f"unreachable for {', '.join(gaps)}: no method to page by", fix)
        return page

    @model_validator(mode="after")
    def _sound(self, info: ValidationInfo) -> "ContactPart":
        refuse_all([*self._unknown_methods(), *self._late(), *self._loud(known(info))])
        return self

    def _turns(self) -> Iterator[tuple[_Place, tuple[TurnPart, ...]]]:
        """Every list of methods to page by, with its place."""
        for key, turns in self.page.items():
            yield ("page", key), turns
        for number, hourly in enumerate(self.by_hour):
            for key, turns in hourly.page.items():
                yield ("by_hour", number, "page", key), turns

    def _unknown_methods(self) -> list[Refusal]:
        named: list[tuple[_Place, str]] = [
            ((*place, number), turn.method)
            for place, turns in self._turns()
            for number, turn in enumerate(turns)
        ]
        named += [(("quiet", number), name) for number, name in enumerate(self.quiet or ())]
        return [
            Refusal(f'no method "{name}" of this contact', suggestion(name, self.methods), at)
            for at, name in named
            if name not in self.methods
        ]

    def _late(self) -> list[Refusal]:
        fix = "leave out after of the first, which is to be tried at once"
        return [
            Refusal("no method that is tried at once", fix, place)
            for place, turns in self._turns()
            if all(turn.after for turn in turns)
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
        by_severity=_pages(part.page, methods),
        quiet=tuple(methods[key] for key in part.quiet or silent),
        origin=spot.origin,
        by_hour=tuple(HourlyPage(each.at, _pages(each.page, methods)) for each in part.by_hour),
        quiet_hours=part.quiet_hours.at if part.quiet_hours else None,
        digest=part.digest.build(part.timezone) if part.digest else None,
        language=part.language,
        voice=part.voice or "",
    )


def _pages(page: PagePart, methods: Mapping[str, Method]) -> dict[Severity, tuple[Method, ...]]:
    """For each severity that has a line of its own, or the default."""
    found = {level: page.get(str(level)) or page.get(DEFAULT) for level in Severity}
    return {
        level: tuple(_method(methods[turn.method], turn) for turn in turns)
        for level, turns in found.items()
        if turns
    }


def _method(method: Method, turn: TurnPart) -> Method:
    return Method(method.channel, method.address, turn.after)
