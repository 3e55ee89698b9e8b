"""`channels.yaml` and `actions.yaml`: the ways out, and what runbook steps connect to."""

from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from routing.catalogue import Catalogue, ChannelFacts
from routing.policy import Channel, Environment, Setting
from routing.schema.fields import ActionFamily, ChannelVendor, Labels, Name, PositiveDuration, SettingValue
from routing.schema.fitting import misfits
from routing.schema.part import Part, Spot, known
from routing.schema.refusal import Refusal, refuse_all, suggestion

MOST_ATTEMPTS = 10


class ChannelPart(Part):
    vendor: ChannelVendor = Field(description="name of the vendor's module, like twilio_voice")
    timeout: PositiveDuration = Field(default=10_000, description="how long one attempt may take, like 10s")
    attempts: int = Field(default=3, ge=1, le=MOST_ATTEMPTS, description="how often a message is tried")
    settings: dict[str, SettingValue] = Field(
        default={}, validate_default=True, description="what the vendor's module takes"
    )

    bounces: dict[str, SettingValue] = Field(
        default={}, description="the mailbox where mail that came back is read: host, username, password"
    )

    @field_validator("bounces")
    @classmethod
    def _come_back(cls, bounces: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        catalogue = known(info).catalogue
        facts = catalogue.channels.get(info.data.get("vendor", "")) if catalogue else None
        if not bounces or facts is None or facts.settings is None:
            return bounces
        if facts.bounces is None:
            vendor = info.data["vendor"]
            raise Refusal(f"bounces of {vendor}", f"leave it out: {vendor} reports in no mailbox")
        refuse_all(misfits(facts.bounces, bounces))
        return bounces

    @field_validator("settings")
    @classmethod
    def _fit(cls, settings: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        catalogue = known(info).catalogue
        facts = catalogue.channels.get(info.data.get("vendor", "")) if catalogue else None
        if facts is not None and facts.settings is not None:
            refuse_all(misfits(facts.settings, settings))
        return settings


class ChannelsFile(Part):
    """The ways out: how messages reach people."""

    channels: dict[Name, ChannelPart] = Field(description="name, then vendor and settings")


class FamilySettings(Part):
    """Checked as a mapping of its own, so that every unknown name is told."""


def _fits(family: str, settings: dict[str, Any], info: ValidationInfo) -> list[Refusal]:
    catalogue = known(info).catalogue
    shape = catalogue.shapes.get(family) if catalogue else None
    if shape is None:
        return _names_known(family, settings, info)
    return [Refusal(each.found, each.fix, (family, *each.at)) for each in misfits(shape, settings)]


def _names_known(family: str, settings: dict[str, Any], info: ValidationInfo) -> list[Refusal]:
    catalogue = known(info).catalogue
    names = catalogue.families.get(family) if catalogue else None
    if names is None:
        return []
    return [
        Refusal(f'unknown setting "{name}" of {family}', suggestion(name, names), (family, name))
        for name in settings
        if name not in names
    ]


class EnvironmentPart(Part):
    """Where a runbook may be rehearsed. Nothing that names a target is taken over from `actions`."""

    actions: dict[ActionFamily, dict[str, SettingValue]] = Field(
        description="family, then its settings there"
    )
    labels: Labels = Field(
        default={}, description="labels of what happens there, like {project: prj_staging}"
    )

    @field_validator("actions")
    @classmethod
    def _named(cls, actions: dict[str, dict[str, Any]], info: ValidationInfo) -> dict[str, dict[str, Any]]:
        refuse_all([refusal for family, each in actions.items() for refusal in _fits(family, each, info)])
        return actions


class ActionsFile(Part):
    """What runbook steps connect to. Optional."""

    actions: dict[ActionFamily, dict[str, SettingValue]] = Field(description="family, then its settings")
    environments: dict[Name, EnvironmentPart] = Field(
        default={}, description="name, like staging, then actions and labels: where runbooks are rehearsed"
    )

    @field_validator("actions")
    @classmethod
    def _named(cls, actions: dict[str, dict[str, Any]], info: ValidationInfo) -> dict[str, dict[str, Any]]:
        refuse_all([refusal for family, each in actions.items() for refusal in _fits(family, each, info)])
        return actions


def build_channels(
    file: ChannelsFile, spot: Spot, voices: frozenset[str], catalogue: Catalogue
) -> dict[str, Channel]:
    facts = catalogue.channels
    unknown = ChannelFacts(voice=False)
    return {
        name: Channel(
            name=name,
            vendor=part.vendor,
            settings=part.settings,
            origin=spot.at("channels", name).origin,
            voice=name in voices,
            timeout_ms=part.timeout,
            attempts=part.attempts,
            bounces=part.bounces,
            threads=facts.get(part.vendor, unknown).threads,
            letters=facts.get(part.vendor, unknown).letters,
            machine=facts.get(part.vendor, unknown).machine,
            best_effort=facts.get(part.vendor, unknown).best_effort,
            address=facts.get(part.vendor, unknown).address,
            recalls=facts.get(part.vendor, unknown).recalls,
        )
        for name, part in file.channels.items()
    }


def build_settings(file: ActionsFile | None) -> dict[str, Setting]:
    return dict(file.actions) if file else {}


def build_environments(file: ActionsFile | None, spot: Spot | None) -> dict[str, Environment]:
    if file is None or spot is None:
        return {}
    return {
        name: Environment(name, dict(part.actions), part.labels, spot.at("environments", name).origin)
        for name, part in file.environments.items()
    }
