"""What the console's process is told by its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network

from console.trust.oidc.settings import OidcSettings
from ledger.settings import LedgerSettings
from ledger.settings import from_env as ledger_from_env

_ENVIRON = os.environ  # noqa: TID251  # settings modules are where the environment is read


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """It holds no secret, besides the database's URL and what the provider of `oidc` knows us by."""

    ledger: LedgerSettings
    host: str = "127.0.0.1"
    """`TOCSIN_CONSOLE_HOST`."""
    port: int = 8081
    """`TOCSIN_CONSOLE_PORT`."""
    url: str = ""
    """`TOCSIN_CONSOLE_URL`: as browsers reach it, through whatever stands before it; "" is the host and the port."""
    proxies: tuple[str, ...] = ()
    """`TOCSIN_CONSOLE_PROXIES`: networks of our own proxies, as CIDR with commas; theirs alone is the
    `X-Forwarded-For` that tells where somebody acts from."""
    oidc: OidcSettings | None = None
    """`TOCSIN_CONSOLE_OIDC_…`: the provider through which people sign in; read by what serves, not by every command."""

    @property
    def origin(self) -> str:
        """Scheme, host and port that browsers reach it by, without a slash at the end."""
        return self.url.rstrip("/") or f"http://{self.host}:{self.port}"


def environment() -> Mapping[str, str]:
    return _ENVIRON


def from_env(environ: Mapping[str, str] = _ENVIRON) -> ConsoleSettings:
    """Raises ValueError naming the variable when one cannot be read."""
    return ConsoleSettings(
        ledger=ledger_from_env(environ),
        host=environ.get("TOCSIN_CONSOLE_HOST") or "127.0.0.1",
        port=_port(environ, "TOCSIN_CONSOLE_PORT", 8081),
        url=_url(environ, "TOCSIN_CONSOLE_URL"),
        proxies=_networks(environ, "TOCSIN_CONSOLE_PROXIES"),
    )


def _url(environ: Mapping[str, str], name: str) -> str:
    found = environ.get(name, "").strip()
    if found and not found.startswith(("http://", "https://")):
        raise ValueError(f"{name}: {found!r} is no address; write https://console.example.com")
    return found


def _networks(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    named = filter(None, map(str.strip, environ.get(name, "").split(",")))
    try:
        return tuple(str(ip_network(each)) for each in named)
    except ValueError as error:
        raise ValueError(f"{name}: {error}; write networks as CIDR, for example 10.0.0.0/8") from error


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    found = environ.get(name, "").strip()
    if not found:
        return default
    if not found.isdigit():
        raise ValueError(f"{name}: {found!r} is not a number; write for example {default}")
    return int(found)
