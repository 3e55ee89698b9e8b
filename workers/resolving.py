"""Asking name servers: the one module that knows dnspython. Sources: RFC 1035, RFC 2308 (no such name, no data)."""

import ipaddress
from dataclasses import dataclass
from typing import Any, Final

import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.rdtypes.ANY.TXT
import dns.resolver

from routing.errors import TocsinError

_PORT: Final = 53


class UnaskableError(TocsinError):
    """What was asked for is no name."""


@dataclass(frozen=True, slots=True)
class Found:
    """`status` is NOERROR, NXDOMAIN, NODATA, SERVFAIL or TIMEOUT; `answers` are as `plain` writes them, sorted."""

    status: str
    answers: tuple[str, ...] = ()
    ttl_s: int = 0


def ask(servers: str, name: str, kind: str, timeout_s: float) -> Found:
    """`servers` with commas; "" are those of this machine.

    Raises UnaskableError, ValueError when a server is no address or there is none.
    """
    resolver = _resolver(servers)
    try:
        asked = dns.name.from_text(name)
        found = resolver.resolve(asked, kind, lifetime=timeout_s, search=False, raise_on_no_answer=False)
    except dns.resolver.NXDOMAIN:
        return Found("NXDOMAIN")
    except dns.resolver.NoNameservers:
        return Found("SERVFAIL")
    except dns.resolver.LifetimeTimeout:
        return Found("TIMEOUT")
    except (dns.exception.DNSException, UnicodeError) as error:
        raise UnaskableError(f"{name!r} is no name to ask DNS for: {error}") from error
    if found.rrset is None:
        return Found("NODATA")
    return Found("NOERROR", tuple(sorted(_written(each) for each in found.rrset)), found.rrset.ttl)


def plain(text: str, kind: str) -> str:
    """As answers are compared: case counts in a TXT only, and names end without a dot."""
    if kind == "TXT":
        return text
    if kind == "AAAA":
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            return text.lower()
    return text.lower().removesuffix(".")


def server(text: str) -> dns.nameserver.Nameserver:
    """Of "192.0.2.1", "192.0.2.1:5353", "2001:db8::1" or "[2001:db8::1]:5353". Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.startswith("[")):
        host, port = text, ""
    address = ipaddress.ip_address(host.strip("[]"))
    return dns.nameserver.Do53Nameserver(str(address), int(port or _PORT))


def _resolver(servers: str) -> dns.resolver.Resolver:
    """Raises ValueError."""
    asked = [each.strip() for each in servers.split(",") if each.strip()]
    try:
        resolver = dns.resolver.Resolver(configure=not asked)
    except dns.resolver.NoResolverConfiguration as error:
        raise ValueError(str(error)) from error
    if asked:
        resolver.nameservers = [server(each) for each in asked]
    return resolver


def _written(found: Any) -> str:
    if isinstance(found, dns.rdtypes.ANY.TXT.TXT):
        return b"".join(found.strings).decode(errors="replace")
    return plain(found.to_text(), dns.rdatatype.to_text(found.rdtype))
