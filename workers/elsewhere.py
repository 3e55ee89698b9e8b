"""Another environment's settings, and the wall that keeps production out of it.

What names a target is taken from the environment alone; only what a module calls `SHARED` (a vendor's own address,
named queries) is taken over from production. A setting that leads to production's hosts, or is its credential, is a
fault; and once the wall stands, no connection of this process to such a host succeeds, whatever a step asks for.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from ledger import catalogue
from routing.policy import Environment, Policy, Secret, Setting
from workers import credentials
from workers.credentials import Resolved

Host = tuple[str, int]
_PORTS: Mapping[str, int] = {"http": 80, "https": 443, "postgresql": 5432, "postgres": 5432, "redis": 6379}


class ForbiddenHostError(OSError):
    """A host of production."""


@dataclass(frozen=True, slots=True)
class Family:
    """`problem`: why no step of it is played; "" when they are."""

    settings: Mapping[str, str]
    problem: str = ""


class Elsewhere:
    """An environment of the policy, with `environ` for its `${NAME}`."""

    def __init__(self, policy: Policy, environment: Environment, environ: Mapping[str, str]) -> None:
        self._policy = policy
        self._environment = environment
        self._environ = environ
        self.forbidden = frozenset(_own_hosts(policy, environ))

    def family(self, name: str) -> Family:
        where = f"environments.{self._environment.name}.actions.{name} in actions.yaml"
        own = self._environment.settings.get(name)
        if not isinstance(own, dict):
            return Family({}, f"not configured there: write {where}")
        usual = _dict(self._policy.settings.get(name))
        shared = {each: usual[each] for each in _shared(name) if each in usual}
        found = credentials.resolve({**shared, **own}, self._environ)
        if found.missing:
            return Family({}, f"not configured there: set {', '.join(found.missing)}, which {where} names")
        return Family(credentials.as_text(found.values), self._conflict(name, own, usual, found))

    def _conflict(
        self, name: str, own: Mapping[str, Setting], usual: Mapping[str, Setting], found: Resolved
    ) -> str:
        """What of it is production's; "" when nothing is."""
        for setting, value in own.items():
            resolved = found.values[setting]
            if setting not in _shared(name) and (host := self._leads_to_production(resolved)):
                return f"{setting} leads to production ({host[0]}): write another host"
            if isinstance(value, Secret) and resolved and resolved == self._usual(usual.get(setting)):
                return f"{setting} is production's own: make one for {self._environment.name}"
        return ""

    def _usual(self, setting: Setting) -> Any:
        """Production's value where it is a credential, which has no default."""
        if not isinstance(setting, Secret) or setting.default is not None:
            return None
        return self._environ.get(setting.name)

    def _leads_to_production(self, value: Any) -> Host | None:
        return next((host for host in _hosts(value) if is_forbidden(host, self.forbidden)), None)


def raise_wall(forbidden: frozenset[Host]) -> None:
    """From now on this process cannot reach these hosts. There is no way back: it is for a process of its own."""

    def look(event: str, given: tuple[Any, ...]) -> None:
        if event not in {"socket.getaddrinfo", "socket.connect"}:
            return
        host, port = given[:2] if event == "socket.getaddrinfo" else _address(given[1])
        name = host.decode(errors="replace") if isinstance(host, bytes) else str(host or "")
        if is_forbidden((name.lower(), port if isinstance(port, int) else 0), forbidden):
            raise ForbiddenHostError(f"{name} is production's: it is not asked")

    sys.addaudithook(look)


def is_forbidden(host: Host, forbidden: frozenset[Host]) -> bool:
    """By name, whatever the port; on this machine, where everything has one address, by port."""
    if _is_this_machine(host[0]):
        return any(_is_this_machine(name) and port == host[1] for name, port in forbidden)
    return any(name == host[0] for name, _ in forbidden)


def _own_hosts(policy: Policy, environ: Mapping[str, str]) -> Iterator[Host]:
    """Those that production's settings name, but for what is the vendors'."""
    yield from _hosts(policy.public_url)
    for name, settings in policy.settings.items():
        own = {key: value for key, value in _dict(settings).items() if key not in _shared(name)}
        yield from _hosts(dict(credentials.resolve(own, environ, unset="").values))


def _hosts(value: Any) -> Iterator[Host]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _hosts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _hosts(each)
    elif isinstance(value, str) and "://" in value:
        scheme, _, rest = value.partition("://")
        # A database's address may name several hosts, with commas.
        for each in urlsplit(f"//{rest}").netloc.rpartition("@")[2].split(","):
            parts = urlsplit(f"//{each}")
            if parts.hostname:
                yield parts.hostname, _port(parts) or _PORTS.get(scheme, 0)


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or 0
    except ValueError:
        return 0


def _address(address: Any) -> tuple[Any, Any]:
    """Of a socket file there is neither."""
    return (address[0], address[1]) if isinstance(address, tuple) else ("", 0)


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _shared(family: str) -> tuple[str, ...]:
    try:
        return tuple(getattr(catalogue.action(family), "SHARED", ()))
    except KeyError:
        return ()


def _dict(found: Setting) -> dict[str, Setting]:
    return dict(found) if isinstance(found, dict) else {}
