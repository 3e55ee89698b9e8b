"""Which process gets which variables. The one place where it is said; compose and the docs follow it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from ledger import catalogue, handing
from routing.policy import Channel, Policy, Secret

_EVERYONE: Final = frozenset(
    {
        "PATH", "HOME", "USER", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "VIRTUAL_ENV", "NO_COLOR",
        "PYTHONPATH", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE", "PYTHONWARNINGS", "PYTHONTZPATH",
        "COVERAGE_PROCESS_START", "SSL_CERT_FILE", "SSL_CERT_DIR",
        "SENTRY_DSN", "SENTRY_ENVIRONMENT", "SENTRY_RELEASE",
    }
)  # fmt: skip
_SECRET: Final = re.compile(r"_(SECRET|TOKEN|PASSWORD|KEY)S?$|^TOCSIN_HEARTBEAT_URL$")


class Role(StrEnum):
    RECEIVER = "receiver"
    DISPATCH = "dispatch"
    DELIVER = "deliver"
    REMEDIATE = "remediate"
    WATCHDOG = "watchdog"
    UPKEEP = "upkeep"
    PROBER = "prober"
    CONSOLE = "console"


FIXED: Final[Mapping[Role, frozenset[str]]] = {
    Role.RECEIVER: frozenset(
        {"TOCSIN_LINK_SECRET", "TOCSIN_OPERATOR_TOKEN", "TOCSIN_METRICS_TOKEN", handing.SECRET}
    ),
    Role.DISPATCH: frozenset(),
    Role.DELIVER: frozenset({"TOCSIN_LINK_SECRET"}),
    Role.REMEDIATE: frozenset(),
    Role.WATCHDOG: frozenset({"TOCSIN_HEARTBEAT_URL"}),
    Role.UPKEEP: frozenset({handing.SECRET}),
    Role.PROBER: frozenset(),
    Role.CONSOLE: frozenset({"TOCSIN_CONSOLE_OIDC_CLIENT_SECRET"}),
}
"""Secrets of each role by name. What verifies callbacks and the configuration's `${NAME}` come on top."""


def environment_of(role: Role, environ: Mapping[str, str], policy: Policy) -> dict[str, str]:
    """What a process of this role is started with: no secret that is not its own."""
    secrets = secrets_of(role, policy)
    return {name: value for name, value in environ.items() if _harmless(name) or name in secrets}


def harmless(environ: Mapping[str, str]) -> dict[str, str]:
    """What a process of any role may have: no secret."""
    return {name: value for name, value in environ.items() if _harmless(name)}


def secrets_of(role: Role, policy: Policy) -> frozenset[str]:
    """Their names: sources' for the receiver, channels' for who sends, actions' for who acts; for upkeep feeds', those
    with which vendors are asked for what we missed, of mailboxes where mail comes back and of status pages in folders.

    The receiver also verifies what vendors call back with; it never holds what can send.
    """
    named: dict[Role, Iterable[Any]] = {
        Role.RECEIVER: [(source.secrets, source.settings) for source in policy.sources.values()],
        Role.DELIVER: [channel.settings for channel in policy.channels.values()],
        Role.WATCHDOG: [channel.settings for channel in policy.channels.values()],
        Role.REMEDIATE: [policy.settings],
        Role.PROBER: [policy.settings[each] for each in _looked_with(policy)],
        Role.UPKEEP: [
            *(schedule.feed.url for schedule in policy.schedules.values() if schedule.feed),
            *(source.poll for source in policy.sources.values()),
            *(channel.bounces for channel in policy.channels.values()),
            *(channel.settings for channel in policy.channels.values() if _is_refreshed(channel)),
        ],
    }
    called_back = catalogue.callback_secrets() if role is Role.RECEIVER else frozenset()
    return FIXED[role] | called_back | frozenset(_names(named.get(role, ())))


def _is_refreshed(channel: Channel) -> bool:
    """A status page that upkeep writes anew now and then."""
    return hasattr(catalogue.channel(channel.vendor), "refresh")


def _looked_with(policy: Policy) -> list[str]:
    """The action families that probes use: the prober gets no other vendor's credentials."""
    families = {probe.action.partition(".")[0] for probe in policy.probes}
    return sorted(families & policy.settings.keys())


def _harmless(name: str) -> bool:
    """Needed to run at all, or a setting of ours that is no secret."""
    return name in _EVERYONE or (name.startswith("TOCSIN_") and not _SECRET.search(name))


def _names(setting: Any) -> Iterator[str]:
    if isinstance(setting, Secret):
        yield setting.name
    elif isinstance(setting, Mapping):
        for each in setting.values():
            yield from _names(each)
    elif isinstance(setting, Iterable) and not isinstance(setting, str):
        for each in setting:
            yield from _names(each)
