"""`process.yaml`: what its audiences hear, and what the status page says."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from routing.instant import DAY, MINUTE
from routing.language import template
from routing.policy import Audience, StatusPage
from routing.public import Said
from routing.schema.fields import (
    Name,
    PositiveDuration,
    RunbookName,
    ServiceName,
    SeverityField,
    Some,
    StatusPageName,
    Text,
    Url,
    Zone,
)
from routing.schema.part import Part, Spot
from routing.schema.refusal import Refusal, shown, suggestion
from routing.schema.target import TargetPart

SAFE = frozenset({"component", "status", "every"})
"""All that a public text may name: nothing that an event says."""

HEADING = "Trouble with {{ component }}"
TEXTS = {
    Said.INVESTIGATING: "{{ component }} does not work as it should. We know of it and are looking for the cause.",
    Said.IDENTIFIED: "We have found the cause of the trouble with {{ component }} and are mending it.",
    Said.MONITORING: "{{ component }} should work again. We are watching it before we call it mended.",
    Said.RESOLVED: "{{ component }} works as it should again. We are sorry for the trouble.",
}


def _public(text: str) -> str:
    if template.is_malformed(text):
        raise Refusal("braces that are no placeholder", "write {{ component }}, nothing else inside")
    for path in template.paths(text):
        if path not in SAFE:
            fix = suggestion(path, SAFE)
            raise Refusal(f"{{{{ {path} }}}} in a text that everybody reads", fix)
    return text


def _path(text: str) -> str:
    if not text.startswith("/") or text.endswith("/") or set(text) & set(" ?#%\\.") or "//" in text:
        raise Refusal(f"{shown(text)} is no path to serve a page at", "write it like /status")
    if text.split("/")[1] in {"hooks", "api", "v1", "v2", "callbacks", "a", "healthz", "readyz", "metrics"}:
        raise Refusal(f"{shown(text)} is taken", "write another, like /status")
    return text


PublicText = Annotated[Text, AfterValidator(_public)]
PagePath = Annotated[str, AfterValidator(_path)]


class AudiencePart(Part):
    severity: Some[SeverityField] = Field(description="of which incidents, like [SEV-0, SEV-1]")
    to: tuple[TargetPart, ...] = Field(
        default=(), strict=False, description="who hears, like [{contact: cto}]"
    )
    runbook: RunbookName | None = Field(
        default=None, description="what reaches them instead, like tell-customers, which asks first"
    )
    hears: Some[Literal["opened", "updates", "resolved"]] = Field(
        default=("opened", "updates", "resolved"), description="of what"
    )

    @model_validator(mode="after")
    def _one_way(self) -> "AudiencePart":
        if bool(self.to) is (self.runbook is not None):
            found = "both to and runbook" if self.to else "nobody who hears"
            raise Refusal(found, "write one of the two, like to: [{contact: cto}]", ("to",))
        return self


class PlacePart(Part):
    channel: StatusPageName = Field(description="a channel whose vendor is statuspage or status_page")
    address: Text = Field(description="which page there: Statuspage's page id; of a folder any word")


class StatusPagePart(Part):
    """What customers read. Its texts may name {{ component }}, {{ status }} and {{ every }}, and nothing else."""

    title: Text = Field(description="of the page, like Mariia Hub status")
    components: dict[ServiceName, Text] = Field(
        min_length=1, description="a service of services.yaml, then its name for customers"
    )
    severity: tuple[SeverityField, ...] = Field(
        default=(), strict=False, description="of which incidents it speaks by itself, like [SEV-0, SEV-1]"
    )
    every: PositiveDuration = Field(default=30 * MINUTE, description="how often a public word is owed")
    from_: Text = Field(alias="from", description="the role that owes it")
    history: PositiveDuration = Field(default=90 * DAY, description="how long what is over is shown")
    per_hour: int = Field(default=3, ge=1, le=100, description="how many it opens by itself within an hour")
    timezone: Zone = Field(default="UTC", description="whose times it shows")
    url: Url | None = Field(default=None, description="where the world reads it")
    path: PagePath | None = Field(default=None, description="where the receiver serves it, like /status")
    pages: tuple[PlacePart, ...] = Field(
        default=(),
        strict=False,
        description="status pages that are told, like [{channel: statuspage, address: abc}]",
    )
    heading: PublicText = Field(default=HEADING, description="the title of what it says")
    texts: dict[Literal["investigating", "identified", "monitoring", "resolved"], PublicText] = Field(
        default={}, description="what it says where no person does"
    )


def build_audiences(parts: dict[Name, AudiencePart], spot: Spot) -> tuple[Audience, ...]:
    return tuple(
        Audience(
            name, part.severity, tuple(each.pair for each in part.to), frozenset(part.hears), spot.at(name).origin,
            part.runbook or "",
        )
        for name, part in parts.items()
    )  # fmt: skip


def build_status_page(part: StatusPagePart, spot: Spot) -> StatusPage:
    return StatusPage(
        title=part.title,
        components=dict(part.components),
        severities=part.severity,
        update_ms=part.every,
        update_from=part.from_,
        history_ms=part.history,
        per_hour=part.per_hour,
        texts={**TEXTS, **{Said(word): text for word, text in part.texts.items()}},
        heading=part.heading,
        timezone=part.timezone,
        url=part.url or "",
        path=part.path or "",
        places=tuple(("channel", f"{each.channel}:{each.address}") for each in part.pages),
        origin=spot.origin,
    )
