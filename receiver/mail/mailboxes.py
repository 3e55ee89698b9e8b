"""Whose mailbox an address is: `<source>+<token>@<domain>`, or `<source>@<domain>` of a session that has logged in."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from receiver import refuse, tokens
from receiver.intake import Gate, unarmed
from receiver.refuse import Refused
from receiver.site import Site
from routing.errors import BadSignature
from routing.ports import Inbound

_LONGEST = 320


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A source that takes mail, and the token that opened it."""

    gate: Gate
    token: str


def find(site: Site, address: str, login: Mailbox | None, peer: str) -> Mailbox:
    """Raises Refused: alike for a domain, a source and a token that are wrong."""
    local, _, found = address[:_LONGEST].rpartition("@")
    name, plus, token = local.partition("+")
    if not found or found.casefold() != domain(site) or not domain(site):
        raise refuse.no_mailbox()
    if not plus and login is not None and login.gate.source.name == name.casefold():
        return login
    return opened(site, name, token, peer)


def opened(site: Site, name: str, token: str, peer: str) -> Mailbox:
    """The mailbox of a source, by its token. Raises Refused."""
    gate = _gate(site, name.casefold())
    if not gate.secrets:
        raise unarmed(gate)
    if gate.allowance is not None:
        gate.allowance.admit(peer)
    try:
        gate.module.verify(Inbound(b"", headers(token), {}, site.now()), gate.secrets, gate.source)
    except BadSignature as error:
        raise refuse.no_mailbox() from error
    return Mailbox(gate, token)


def _gate(site: Site, name: str) -> Gate:
    """Raises Refused."""
    try:
        gate = site.gates.gate(name)
    except Refused as error:
        raise refuse.no_mailbox() if site.gates.version else error from error
    if not getattr(gate.module, "MAIL", False):
        raise refuse.no_mailbox()
    return gate


def headers(token: str) -> Mapping[str, str]:
    """As the same token comes by HTTP."""
    return tokens.bearer(token) if token else {}


def domain(site: Site) -> str:
    """That of our addresses; "" where nobody said, and then no mail is taken."""
    return (site.settings.mail_domain or urlsplit(site.public_url).hostname or "").casefold()


def largest(site: Site) -> int:
    """The largest mail that any source takes, in bytes; never 0."""
    sizes = [gate.source.max_bytes for gate in site.gates.all() if getattr(gate.module, "MAIL", False)]
    return max(sizes, default=1)
