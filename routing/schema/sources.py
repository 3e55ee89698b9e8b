"""`sources.yaml`: who may send us events, and how they are verified."""

from ipaddress import ip_network
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo, field_validator

from routing.policy import Source
from routing.reason import BUILT_IN
from routing.schema.fields import (
    Duration,
    LabelName,
    Labels,
    Many,
    Matchers,
    Name,
    PositiveDuration,
    SecretValue,
    SettingValue,
    Some,
    SourceVendor,
    VendorSeverities,
    positive_duration,
)
from routing.schema.fitting import misfits
from routing.schema.part import Part, Spot, known
from routing.schema.refusal import Refusal, refuse_all, shown, suggestion
from routing.schema.written import LABEL_NAME, NAMED, NETWORK, POSITIVE_DURATION, shown_as

OURSELVES = "tocsin"
"""The source of alarms about ourselves; built in, and reachable from within only."""
PROBES = "probes"
"""The source of what our own probes see; likewise."""
CALENDAR = "calendar"
"""The source of scheduled work; likewise."""
BUILT_INS = (OURSELVES, PROBES, CALENDAR)

MOST_BYTES = 26_214_400


def _not_ourselves(name: str) -> str:
    if name in BUILT_INS:
        raise Refusal(f'source "{name}" is built in', "give the source another name")
    return name


def _lasting(label: str) -> str:
    if label in FLEETING:
        raise Refusal(f'label "{label}" changes while an alert lasts', "name labels that stay what they are")
    return label


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise Refusal(f"{shown(text)} is no network", "write it as CIDR, like 192.0.2.0/24") from error


FLEETING = frozenset({"status", "severity", "vendor_severity"})
"""An alert that is told apart by them would never be resolved."""

MarkLabel = Annotated[
    LabelName, AfterValidator(_lasting), shown_as(LABEL_NAME | {"not": {"enum": sorted(FLEETING)}})
]


def _quiet(value: object) -> int | None:
    """0 for learned, None for never, else ms. Raises Refusal."""
    if not isinstance(value, str):
        raise Refusal(
            f"{shown(value)} says not when it is quiet", "write learned, never, or a duration like 2h"
        )
    return _QUIET_WORDS[value] if value in _QUIET_WORDS else positive_duration(value)


_QUIET_WORDS: dict[str, int | None] = {"learned": 0, "never": None}
QuietField = Annotated[
    int | None,
    PlainValidator(_quiet),
    shown_as({"anyOf": [{"enum": sorted(_QUIET_WORDS)}, POSITIVE_DURATION]}),
]
Network = Annotated[str, AfterValidator(_network), shown_as(NETWORK)]
SourceKey = Annotated[Name, AfterValidator(_not_ourselves), shown_as(NAMED | {"not": {"enum": [*BUILT_INS]}})]


class SourcePart(Part):
    vendor: SourceVendor = Field(description="name of the vendor's module, like stripe")
    secrets: Some[SecretValue] = Field(description='what verifies it, like ["${STRIPE_WEBHOOK_SECRET}"]')
    team: str = Field(default="", description="the team of its events where no rule says")
    service: str = Field(default="", description="the service its events are about where no rule says")
    services: dict[LabelName, dict[str, str]] = Field(
        default={}, description="what its labels say of the service, like {project_name: {shop-web: site}}"
    )
    labels: Labels = Field(default={}, description="labels its events get")
    fingerprint: Many[MarkLabel] = Field(default=(), description="labels that tell its alerts apart")
    urgent: Many[Matchers] = Field(default=(), description="events of the urgent lane, one matcher list each")
    max_bytes: int = Field(
        default=1_048_576, ge=1, le=MOST_BYTES, description="the largest body that is read, in bytes"
    )
    networks: Many[Network] = Field(
        default=(), description="where it may send from, like [192.0.2.0/24]; none: from anywhere"
    )
    rate: int = Field(
        default=0, ge=0, le=100_000, description="requests a second; 0 for as many as there is room"
    )
    tolerance: PositiveDuration = Field(default=300_000, description="how old a signature may be, like 5m")
    dedup: PositiveDuration = Field(
        default=259_200_000, description="how long an event's id is remembered, like 3d"
    )
    keep_bodies: Duration | None = Field(
        default=None,
        description="how long its requests are kept as they came, where not as long as all others",
    )
    settings: dict[str, SettingValue] = Field(default={}, description="what the vendor's module takes")
    quiet: QuietField = Field(
        default="learned",
        validate_default=True,
        description="when it has gone quiet: learned from its rhythm, after 2h of silence, or never",
    )
    poll: dict[str, SettingValue] = Field(
        default={}, description="how the vendor is asked for what we missed, for those that can be"
    )
    vendor_severity: VendorSeverities = Field(
        default={}, description="what its own words for a severity mean, like {page: SEV-1}"
    )

    @field_validator("settings")
    @classmethod
    def _fit(cls, settings: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        catalogue = known(info).catalogue
        facts = catalogue.source(info.data.get("vendor", "")) if catalogue and settings else None
        if facts is None:
            return settings
        refuse_all([
            Refusal(f'{info.data["vendor"]} takes no "{name}"', suggestion(name, facts.settings), (name,))
            for name in settings
            if name not in facts.settings
        ])  # fmt: skip
        refuse_all(facts.faults(settings))
        return settings

    @field_validator("poll")
    @classmethod
    def _asked(cls, poll: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        catalogue, vendor = known(info).catalogue, info.data.get("vendor", "")
        facts = catalogue.source(vendor) if catalogue and poll else None
        if facts is None:
            return poll
        if facts.poll is None:
            raise Refusal(f"poll of {vendor}", f"leave it out: {vendor} cannot be asked for what we missed")
        refuse_all(misfits(facts.poll, poll))
        return poll


class SourcesFile(Part):
    """Who may send us events, and how they are verified."""

    sources: dict[SourceKey, SourcePart] = Field(description="name, then vendor and secrets")


def build_sources(file: SourcesFile, spot: Spot) -> dict[str, Source]:
    sources = {name: _source(name, part, spot.at("sources", name)) for name, part in file.sources.items()}
    own = {name: Source(name=name, vendor=OURSELVES, secrets=(), origin=BUILT_IN) for name in BUILT_INS}
    return sources | own


def _source(name: str, part: SourcePart, spot: Spot) -> Source:
    return Source(
        name=name,
        vendor=part.vendor,
        secrets=part.secrets,
        origin=spot.origin,
        team=part.team,
        service=part.service,
        services=part.services,
        networks=part.networks,
        rate=part.rate,
        labels=part.labels,
        urgent_kinds=tuple(matcher for matchers in part.urgent for matcher in matchers),
        max_bytes=part.max_bytes,
        tolerance_ms=part.tolerance,
        dedup_ms=part.dedup,
        settings=part.settings,
        fingerprint=part.fingerprint,
        bodies_ms=part.keep_bodies,
        vendor_severities=part.vendor_severity,
        quiet_ms=part.quiet,
        poll=part.poll,
    )
