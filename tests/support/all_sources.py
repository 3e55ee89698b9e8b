"""Forty configured sources, every vendor among them: for what must not depend on how many there are."""

from pathlib import Path
from typing import Any

import senders
import yaml

from ledger import catalogue

SHIPPED = Path(__file__).parents[2] / "config/sources.yaml"
SECRET = "EVERY_SOURCE_SECRET"
"""The variable that all but the shipped ones are verified by."""


def vendors(many: int = 40) -> dict[str, str]:
    """Name of a source -> its vendor: the shipped ones first, then one of each other, then further ones."""
    shipped = {name: part["vendor"] for name, part in _shipped().items()}
    found = shipped | {vendor: vendor for vendor in catalogue.sources() if vendor not in shipped.values()}
    number = 1
    while len(found) < many:
        number += 1
        found |= {f"{vendor}-{number}": vendor for vendor in catalogue.sources()[: many - len(found)]}
    return found


def text(many: int = 40) -> str:
    """A `sources.yaml` of them."""
    shipped = _shipped()
    parts = {name: shipped.get(name) or _part(vendor) for name, vendor in vendors(many).items()}
    return str(yaml.safe_dump({"sources": parts}, sort_keys=False))


def _shipped() -> dict[str, Any]:
    return dict(yaml.safe_load(SHIPPED.read_text())["sources"])


def _part(vendor: str) -> dict[str, Any]:
    settings = senders.SETTINGS.get(vendor)
    part = {"vendor": vendor, "secrets": [f"${{{SECRET}}}"], "team": "platform", "service": "site"}
    return part | ({"settings": settings} if settings else {})
