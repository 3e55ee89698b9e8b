"""What one source may do: from where it may send, and how often. One that is noisy takes no other's room."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from receiver import refuse

_BURST_S = 10


@dataclass(slots=True)
class Allowance:
    """`networks` as CIDR, none for anywhere; `rate` in requests a second, 0 for as many as come.

    Kept by each process on its own.
    """

    networks: Sequence[str] = ()
    rate: int = 0
    _left: float = field(init=False)
    _at: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._left = self.rate * _BURST_S

    def admit(self, sender: str) -> None:
        """Anybody at this address. Raises Refused."""
        if self.networks and not within(sender, self.networks):
            raise refuse.outside()

    def spend(self, now: int) -> None:
        """One request at this instant (ms), verified already: a stranger uses nothing up. Raises Refused."""
        if not self.rate:
            return
        gained = max(0, now - self._at) * self.rate / 1000 if self._at else 0
        self._left, self._at = min(self.rate * _BURST_S, self._left + gained), max(now, self._at)
        if self._left < 1:
            raise refuse.too_often()
        self._left -= 1


def within(sender: str, networks: Sequence[str]) -> bool:
    """Whether the address is in one of the networks; what is no address is in none."""
    try:
        found = ip_address(sender)
    except ValueError:
        return False
    plain = getattr(found, "ipv4_mapped", None) or found
    return any(plain in ip_network(network) for network in networks)


def sender_of(client: str, forwarded: str, proxies: Sequence[str]) -> str:
    """Who sent a request that `client` brought: the nearest address that is none of our own proxies.

    `forwarded` is the X-Forwarded-For header, to which each proxy adds whom it heard it from. Of a stranger it is
    not believed.
    """
    chain = [part.strip() for part in forwarded.split(",") if part.strip()] if proxies else []
    sender = client
    while chain and within(sender, proxies):
        sender = chain.pop()
    return sender
