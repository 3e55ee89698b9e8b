"""What the receiver is told by its environment. It holds what verifies; it never holds what can send."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network

from ledger.catalogue import callback_secrets
from ledger.settings import LedgerSettings
from ledger.settings import from_env as ledger_from_env

_ENVIRON = os.environ  # noqa: TID251  # settings modules are where the environment is read


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """Every variable that this package reads, besides the secrets that sources name in the configuration."""

    ledger: LedgerSettings
    host: str = "127.0.0.1"
    """`TOCSIN_RECEIVER_HOST`."""
    port: int = 8080
    """`TOCSIN_RECEIVER_PORT`."""
    public_url: str = ""
    """`TOCSIN_PUBLIC_URL`: as the world reaches this process, through whatever stands before it.

    Callbacks are signed over it. The Host header is never believed. "" takes the configuration's.
    """
    link_secret: str = field(default="", repr=False)
    """`TOCSIN_LINK_SECRET`: verifies links to acknowledge."""
    callback_secrets: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """By name, those that verify what providers call back with; several with commas while one is rolled."""
    metrics_tokens: tuple[str, ...] = field(default=(), repr=False)
    """`TOCSIN_METRICS_TOKEN`: opens `/metrics` and `/readyz` to other machines; several with commas."""
    operator_tokens: tuple[str, ...] = field(default=(), repr=False)
    """`TOCSIN_OPERATOR_TOKEN`: opens what the look-alike APIs show and change; several with commas."""
    proxies: tuple[str, ...] = ()
    """`TOCSIN_RECEIVER_PROXIES`: networks of our own proxies, as CIDR with commas; theirs alone is the
    `X-Forwarded-For` that tells who sends, where a source has `networks`."""
    mail_port: int = 0
    """`TOCSIN_MAIL_PORT`: where mail is taken by SMTP; 0 is nowhere."""
    mail_host: str = "127.0.0.1"
    """`TOCSIN_MAIL_HOST`."""
    mail_domain: str = ""
    """`TOCSIN_MAIL_DOMAIN`: of the addresses that are written to; "" is the public URL's host."""
    mail_certificate: str = ""
    """`TOCSIN_MAIL_CERTIFICATE`: a PEM file, its chain in it; "" is no STARTTLS, and so no login."""
    mail_key_file: str = ""
    """`TOCSIN_MAIL_KEY_FILE`: of that certificate; "" where the same file has it."""
    pending: int = 4096
    """`TOCSIN_RECEIVER_PENDING`: requests that may wait for the disk; beyond it the answer is 503."""
    room_bytes: int = 134_217_728
    """`TOCSIN_RECEIVER_BODY_BYTES`: memory for the bodies of all requests under way together."""
    body_wait_s: float = 10.0
    """A body that is not complete after this long is given up."""


def environment() -> Mapping[str, str]:
    return _ENVIRON


def from_env(environ: Mapping[str, str] = _ENVIRON) -> ReceiverSettings:
    """Raises ValueError naming the variable when one cannot be read."""
    return ReceiverSettings(
        ledger=ledger_from_env(environ),
        host=environ.get("TOCSIN_RECEIVER_HOST") or "127.0.0.1",
        port=_whole(environ, "TOCSIN_RECEIVER_PORT", 8080),
        public_url=environ.get("TOCSIN_PUBLIC_URL", "").strip(),
        link_secret=environ.get("TOCSIN_LINK_SECRET", "").strip(),
        callback_secrets={name: _several(environ, name) for name in callback_secrets()},
        metrics_tokens=_several(environ, "TOCSIN_METRICS_TOKEN"),
        operator_tokens=_several(environ, "TOCSIN_OPERATOR_TOKEN"),
        proxies=_networks(environ, "TOCSIN_RECEIVER_PROXIES"),
        mail_port=_whole(environ, "TOCSIN_MAIL_PORT", 0),
        mail_host=environ.get("TOCSIN_MAIL_HOST") or "127.0.0.1",
        mail_domain=environ.get("TOCSIN_MAIL_DOMAIN", "").strip(),
        mail_certificate=environ.get("TOCSIN_MAIL_CERTIFICATE", "").strip(),
        mail_key_file=environ.get("TOCSIN_MAIL_KEY_FILE", "").strip(),
        pending=_whole(environ, "TOCSIN_RECEIVER_PENDING", 4096),
        room_bytes=_whole(environ, "TOCSIN_RECEIVER_BODY_BYTES", 134_217_728),
    )


def _several(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, environ.get(name, "").split(","))))


def _networks(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    try:
        return tuple(str(ip_network(each)) for each in _several(environ, name))
    except ValueError as error:
        raise ValueError(f"{name}: {error}; write networks as CIDR, for example 10.0.0.0/8") from error


def _whole(environ: Mapping[str, str], name: str, default: int) -> int:
    found = environ.get(name, "").strip()
    if not found:
        return default
    if not found.isdigit():
        raise ValueError(f"{name}: {found!r} is not a number; write for example {default}")
    return int(found)
