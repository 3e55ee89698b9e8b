"""Probes: what is looked at again and again, and what is said when it is not well."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from routing.reason import Origin


@dataclass(frozen=True, slots=True)
class Probe:
    """One reading action, `every_ms`. Well is where the condition `ok` holds over what it gives.

    It fires an alert once `fails` of the last `of` looks were not well, and ends it after `recovers` good ones.
    """

    name: str
    action: str
    params: Mapping[str, Any]
    every_ms: int
    timeout_ms: int
    ok: str
    fails: int
    of: int
    recovers: int
    kind: str
    title: str
    origin: Origin
    severity: str = ""
    """In a vendor's words, like "critical", for the rules of severity.yaml."""
    labels: Mapping[str, str] = field(default_factory=dict)
