"""`templates/*.yaml`: what messages say instead of the built-in words, by channel, kind and severity."""

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from routing.policy import Template
from routing.schema.fields import Text
from routing.schema.part import Part, Spot
from routing.schema.refusal import Refusal, shown, suggestion
from routing.schema.yaml_marks import Document, Mark
from routing.templates import choosing


class TemplateFile(Part):
    """What one kind of message says, in Jinja; what is left out stays as it is. Optional."""

    title: Text | None = Field(default=None, description="the first line: subject of a mail, head of a text")
    body: Text | None = Field(default=None, description="what is read below it")
    speech: Text | None = Field(default=None, description="what a phone call says")
    html: Text | None = Field(default=None, description="the whole HTML part of a mail")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise Refusal("a template without any part", f"write one of {', '.join(choosing.PARTS)}")
        return self


def known_names(documents: Mapping[str, Document], channels: frozenset[str] | None) -> None:
    """Refuse files whose name is that of no message."""
    for name, document in documents.items():
        meant = choosing.meant(_name(name))
        if meant is None:
            kinds = ", ".join(choosing.KINDS)
            fix = f"name it KIND.yaml, CHANNEL.KIND.yaml or CHANNEL.KIND.sev-0.yaml; KIND is one of {kinds}"
            document.refuse(Mark(1, 1), (), f"{shown(_name(name))} names no kind of message", fix)
        elif meant.channel and channels is not None and meant.channel not in channels:
            fix = f"{suggestion(meant.channel, channels)} (channel names come from config/channels.yaml)"
            document.refuse(Mark(1, 1), (), f'no channel "{meant.channel}"', fix)


def build_templates(files: Mapping[str, tuple[TemplateFile, Spot]]) -> dict[str, Template]:
    """By name; expects names that `known_names` has found in order."""
    built = (_template(_name(name), part, spot) for name, (part, spot) in files.items())
    return {each.name: each for each in built}


def _template(name: str, part: TemplateFile, spot: Spot) -> Template:
    texts = {each: text for each in choosing.PARTS if (text := getattr(part, each))}
    return Template(name, texts, {each: spot.at(each).origin for each in texts})


def _name(file: str) -> str:
    """Of "templates/sms.page.yaml" what it is called."""
    return file.rpartition("/")[2].removesuffix(".yaml")
