"""Environments besides the one that is looked after: what a runbook is rehearsed against."""

from collections.abc import Mapping
from dataclasses import dataclass

from routing.policy.secret import Setting
from routing.reason import Origin


@dataclass(frozen=True, slots=True)
class Environment:
    """`settings` by action family, as the policy's; `labels` are what its events have: {"project": "prj_staging"}."""

    name: str
    settings: Mapping[str, Setting]
    labels: Mapping[str, str]
    origin: Origin
