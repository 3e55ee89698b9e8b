"""Who may read what this process says about itself: this machine, and whoever has the token."""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request as WebRequest
from starlette.types import Scope

from receiver import refuse, tokens
from receiver.site import Site
from receiver.take import headers_of
from routing.errors import BadSignature
from routing.ports import Inbound

_FORWARDED = frozenset({"forwarded", "via", "x-real-ip", "true-client-ip", "cf-connecting-ip"})


def admit(site: Site, request: WebRequest) -> None:
    """Raises Refused (401) for anybody else."""
    headers = headers_of(request.scope)
    if from_here(request.scope, headers, site.settings.host):
        return
    try:
        tokens.verify(Inbound(b"", headers, {}, site.now()), site.settings.metrics_tokens)
    except BadSignature as error:
        raise refuse.outsider() from error


def from_here(scope: Scope, headers: Mapping[str, str], host: str) -> bool:
    """Whether it was asked on this machine, by no proxy, under a name of this machine or as `host`.

    A proxy on the same machine comes from here too. It tells itself apart by what it adds (RFC 7239 and the
    older headers), or by the public name it was asked under.
    """
    client, server = scope.get("client"), scope.get("server")
    if not client or any(name in _FORWARDED or name.startswith("x-forwarded-") for name in headers):
        return False
    own = {host, "localhost", server[0] if server else host}
    name = _hostname(headers.get("host", host))
    return (_loopback(client[0]) or client[0] in own) and (_loopback(name) or name in own)


def _hostname(header: str) -> str:
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _loopback(name: str) -> bool:
    try:
        found = ip_address(name)
    except ValueError:
        return False
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback
