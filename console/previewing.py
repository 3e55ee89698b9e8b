"""What a channel would send, put together as its worker does, and nothing sent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import click

from console.context import Context
from console.overrides import known_contact
from ledger import catalogue, credentials
from ledger.clock import now_ms
from ledger.settings import environment
from routing.errors import DeliveryError
from routing.incident import Incident
from routing.policy import Channel, Contact, Policy
from routing.ports import Notification, Pace
from routing.response import render
from routing.schema.refusal import suggestion
from routing.severity import Severity
from routing.templates import choosing, samples, wording

NOBODY = "nobody@example.com"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Empty and None stand for all channels, a made-up incident, its severity, whoever is reached."""

    channel: str
    kind: str
    severity: Severity | None
    incident: str
    contact: str


@dataclass(frozen=True, slots=True)
class Preview:
    """`fields` are the vendor's own; `templates` which file gave which part."""

    channel: str
    vendor: str
    to: str
    kind: str
    severity: str
    fields: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    failures: tuple[str, ...] = ()
    paces: tuple[Pace, ...] = ()
    missing: tuple[str, ...] = ()
    refused: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "channel": self.channel, "vendor": self.vendor, "to": self.to, "kind": self.kind, "severity": self.severity,
            "fields": dict(self.fields), "characters": {name: len(value) for name, value in self.fields.items()},
            "templates": dict(self.templates), "failures": list(self.failures), "missing": list(self.missing),
            "paces": [{"key": each.key, "per_s": each.per_s} for each in self.paces], "refused": self.refused,
        }  # fmt: skip


def previews(context: Context, wanted: Wanted) -> list[Preview]:
    """Raises click.UsageError for names that are none."""
    policy = context.policy
    if wanted.channel and wanted.channel not in policy.channels:
        raise click.UsageError(
            f"no channel {wanted.channel!r}; {suggestion(wanted.channel, policy.channels)}"
        )
    contact = policy.contacts[known_contact(context, wanted.contact)] if wanted.contact else None
    incident = _incident(context, wanted.incident) if wanted.incident else None
    names = [wanted.channel] if wanted.channel else list(policy.channels)
    return [_preview(policy, policy.channels[name], wanted, contact, incident) for name in names]


def _incident(context: Context, name: str) -> Incident:
    found = context.store.incident(name)
    if found is None:
        raise click.UsageError(f"no incident {name!r}; see: tocsin incidents list --all")
    return found


def _preview(
    policy: Policy, channel: Channel, wanted: Wanted, contact: Contact | None, incident: Incident | None
) -> Preview:
    asked = _notification(policy, channel, wanted, contact, incident)
    worded = wording.word(policy.templates, asked, channel.name, now_ms())
    known = choosing.chosen(policy.templates, channel.name, wanted.kind, asked.severity)
    shown = Preview(
        channel.name,
        channel.vendor,
        asked.to,
        wanted.kind,
        str(asked.severity),
        templates={part: template.name for part, template in known},
        failures=tuple(each.why for each in worded.failures),
    )
    resolved = credentials.resolve(channel.settings, environment())
    try:
        module = catalogue.channel(channel.vendor)
        settings = credentials.build(module.Settings, resolved)
        sent = replace(asked, message=worded.message)
        fields = module.preview(sent, settings)
        limits = getattr(module, "limits", None)
        paces = tuple(limits(sent, settings)) if limits and not resolved.missing else ()
    except (DeliveryError, KeyError, ValueError) as error:
        return replace(shown, refused=str(error), missing=resolved.missing)
    return replace(shown, fields=fields, paces=paces, missing=resolved.missing)


def _notification(
    policy: Policy, channel: Channel, wanted: Wanted, contact: Contact | None, incident: Incident | None
) -> Notification:
    made_up = samples.samples(wanted.kind, wanted.severity)[0]
    person = contact or next(_reached(policy, channel.name), None)
    methods = person.methods if person else ()
    address = next((each.address for each in methods if each.channel == channel.name), NOBODY)
    severity = wanted.severity or (incident.severity if incident else made_up.severity)
    asked = replace(made_up, to=address, person=person or made_up.person, severity=severity)
    link = f"{policy.public_url.rstrip('/')}/a/sample-of-a-link" if asked.ack_url else ""
    asked = replace(asked, ack_url=link, callback_url=f"{policy.public_url.rstrip('/')}/callbacks")
    if incident is None or asked.person is None:
        return asked
    said = (
        render.page(incident, asked.person, "")
        if wanted.kind == "page"
        else render.update(incident, asked.person, "this is a preview")
    )
    return replace(asked, incident=incident.id, standing=incident, message=said)


def _reached(policy: Policy, channel: str) -> Iterator[Contact]:
    for contact in policy.contacts.values():
        if any(method.channel == channel for method in contact.methods):
            yield contact
