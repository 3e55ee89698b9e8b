"""The sources as they are configured now, each with its module and its secrets; kept fresh from Redis."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import structlog
from redis.exceptions import RedisError

from ledger.handing import SECRET as DOOR
from receiver import refuse
from receiver.allowance import Allowance
from receiver.intake import Gate
from routing.errors import TocsinError
from routing.policy import Channel, Contact, Policy, Secret, Source, StatusPage
from routing.ports import SourceModule

_log = structlog.get_logger(__name__)

_OPTIONAL = ("handshake", "answer", "document", "confirmation", "scrubbed", "greeting")
"""In the order of `Gate`'s members."""

Fetch = Callable[[str], Policy | None]
"""Given the version we have: the policy now in force, or None when that is still it, or there is none."""
Find = Callable[[str], SourceModule]
"""Given a vendor: its module."""


class Gates:
    """Read on every request, replaced as a whole when the policy changes."""

    def __init__(self, fetch: Fetch, find: Find, environ: Mapping[str, str]) -> None:
        self._fetch = fetch
        self._find = find
        self._environ = environ
        self._gates: dict[str, Gate] = {}
        self._of_vendor: dict[str, list[Gate]] = {}
        self.version = ""
        self.public_url = ""
        self.channels: Mapping[str, Channel] = {}
        """The ways out by name, for those whose providers call back as it is configured."""
        self.contacts: Mapping[str, Contact] = {}
        self.status_page: StatusPage | None = None
        self.policy: Policy | None = None
        """What is in force; None before there is any."""
        self.strange: list[str] = []
        """Vendors the policy names and this release does not have."""
        self.fault = "no configuration has been read yet"
        """Why there is no fresher policy; "" when all is well."""

    def gate(self, name: str) -> Gate:
        """Raises Refused: 404 for a name that is not configured, 503 before there is any policy."""
        found = self._gates.get(name)
        if found is None:
            raise refuse.unknown_source() if self.version else refuse.no_policy()
        return found

    def all(self) -> list[Gate]:
        """Every source that is open."""
        return list(self._gates.values())

    def of_vendor(self, vendor: str) -> list[Gate]:
        """Raises Refused (503) before there is any policy."""
        if not self.version:
            raise refuse.no_policy()
        return self._of_vendor.get(vendor, [])

    def unset(self) -> list[str]:
        """Names of secrets that sources need and this process was not given."""
        return sorted({name for gate in self._gates.values() if not gate.secrets for name in gate.unset})

    def take(self, policy: Policy) -> None:
        """From here on this policy's sources are open; until all of them are made, the last one's are."""
        gates: dict[str, Gate] = {}
        of_vendor: dict[str, list[Gate]] = {}
        strange = []
        for name, source in policy.sources.items():
            if not source.secrets:
                continue  # what we report about ourselves: nobody outside may send it
            try:
                gates[name] = self._gate(source)
            except KeyError:  # a policy for a newer release: its other sources must stay open
                strange.append(source.vendor)
            else:
                of_vendor.setdefault(source.vendor, []).append(gates[name])
        self._gates, self._of_vendor, self.strange = gates, of_vendor, strange
        self.policy, self.public_url = policy, policy.public_url
        self.channels, self.contacts = policy.channels, policy.contacts
        self.status_page = policy.process.status_page if policy.process else None
        self.version = policy.version
        _log.info("policy in force", version=policy.version, sources=sorted(self._gates), unset=self.unset())

    def refresh(self) -> None:
        """Look once. Whatever fails, what is in force stays in force."""
        try:
            policy = self._fetch(self.version)
            if policy is not None:
                self.take(policy)
            self.fault = "" if self.version else "no policy has been published"
        except Exception as error:  # noqa: BLE001  # whatever it is, the next look may succeed
            self.fault = f"the policy could not be read: {type(error).__name__}: {error}"
            known = isinstance(error, RedisError | OSError | TocsinError)
            _log.warning("policy not refreshed", error=self.fault, exc_info=not known)

    async def keep_fresh(self, every_s: float = 1.0) -> None:
        while True:
            await asyncio.to_thread(self.refresh)
            await asyncio.sleep(every_s)

    def _gate(self, source: Source) -> Gate:
        secrets, unset = resolve(source, self._environ)
        module = self._find(source.vendor)
        settings = {name: settled(value, self._environ) for name, value in source.settings.items()}
        return Gate(
            replace(source, settings=settings) if settings else source,
            module,
            secrets,
            unset,
            several(self._environ, DOOR),
            frozenset({"POST", *getattr(module, "METHODS", ())}),
            Allowance(source.networks, source.rate) if source.networks or source.rate else None,
            *(getattr(module, name, None) for name in _OPTIONAL),
        )


def several(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    """A variable that may hold several secrets, with commas, while one is rolled."""
    return tuple(filter(None, map(str.strip, environ.get(name, "").split(","))))


def settled(value: Any, environ: Mapping[str, str]) -> Any:
    """A setting as this process has it; None for one it was not given."""
    if isinstance(value, Secret):
        try:
            return value.resolve(environ)
        except KeyError:
            return None
    if isinstance(value, dict):
        return {name: settled(each, environ) for name, each in value.items()}
    return [settled(each, environ) for each in value] if isinstance(value, list) else value


def resolve(source: Source, environ: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The secrets of a source as this process has them, and the names of those it was not given."""
    found: list[str] = []
    unset: list[str] = []
    for secret in source.secrets:
        try:
            found.append(secret.resolve(environ) if isinstance(secret, Secret) else secret)
        except KeyError as error:
            unset.append(str(error.args[0]))
    return tuple(filter(None, found)), tuple(unset)
