"""Which addresses a URL may lead to, when a payload may have had a hand in the URL (SSRF).

`ipaddress.is_global` alone is not enough: it holds for NAT64 (64:ff9b::/96), 6to4 (2002::/16) and multicast,
through which a private IPv4 address can be reached or disguised.
"""

import ipaddress
import socket
from dataclasses import dataclass

from routing.errors import TocsinError
from workers.deadline import Deadline

CONNECT_S = 5.0
"""One address is not waited for longer: the next one may answer."""
_DISGUISES = tuple(
    ipaddress.IPv6Network(network)
    for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96", "fec0::/10")
)


class ForbiddenAddressError(TocsinError):
    """The URL leads somewhere it may not."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Public addresses are allowed; private and loopback ones only with `allow_private`."""

    allow_private: bool = False

    def allows(self, address: str) -> bool:
        ip = ipaddress.ip_address(address)
        if isinstance(ip, ipaddress.IPv6Address):
            if ip.ipv4_mapped is not None:
                return self.allows(str(ip.ipv4_mapped))
            if any(ip in network for network in _DISGUISES) and not ip.is_loopback:
                return False
        if ip.is_multicast or ip.is_unspecified or ip.is_link_local:
            return False  # link-local holds the clouds' metadata services: never wanted
        return ip.is_global or self.allow_private


def found(host: str, port: int = 0) -> list[str]:
    """The addresses of the host. Raises OSError when the name does not resolve."""
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in entries))


def resolve(host: str, port: int, guard: Guard) -> list[str]:
    """The addresses of the host, all of them checked.

    Raises ForbiddenAddressError when any is forbidden, OSError when the name does not resolve.
    """
    addresses = found(host, port)
    for address in addresses:
        if not guard.allows(address):
            raise ForbiddenAddressError(
                f"{host} leads to {address}, which is not a public address; if that is wanted, set"
                " allow_private: true where it is configured"
            )
    return addresses


def connect(addresses: list[str], port: int, deadline: Deadline) -> socket.socket:
    """A connection to the first address that answers. Raises OSError."""
    for address in addresses[:-1]:
        try:
            return socket.create_connection((address, port), min(deadline.left(), CONNECT_S))
        except OSError:
            continue
    return socket.create_connection((addresses[-1], port), min(deadline.left(), CONNECT_S))
