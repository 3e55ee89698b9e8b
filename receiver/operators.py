"""Operators on the look-alike APIs: whoever has the token of TOCSIN_OPERATOR_TOKEN. A source's token is none."""

from collections.abc import Mapping

from receiver import refuse, tokens
from receiver.site import Site
from routing.errors import BadSignature
from routing.ports import Inbound

VARIABLE = "TOCSIN_OPERATOR_TOKEN"
_HINT = (
    f"send the token of {VARIABLE}: `Authorization: Bearer <token>`, or as password; "
    "the token of a source only sends events"
)


def admit(site: Site, headers: Mapping[str, str]) -> str:
    """The name given beside the token, "" where there is none. Raises Refused."""
    if not site.settings.operator_tokens:
        raise refuse.no_secret(VARIABLE)
    try:
        tokens.verify(Inbound(b"", headers, {}, site.now()), site.settings.operator_tokens)
    except BadSignature as error:
        raise refuse.unauthentic(BadSignature(error.reason, _HINT)) from error
    return tokens.user(headers)


def are_these(site: Site, inbound: Inbound) -> bool:
    """Whether the request has an operator's token."""
    try:
        tokens.verify(inbound, site.settings.operator_tokens)
    except BadSignature:
        return False
    return True
