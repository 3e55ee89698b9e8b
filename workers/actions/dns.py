"""DNS: what a name leads to, and whether that is what it should.

Settings: nameservers (addresses of the servers to ask, with commas, each with or without a port; left out, those
of this machine). Sources: RFC 1035, RFC 2308 (no such name, no such data).
"""

import ipaddress
from typing import Any, Literal

import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.rdtypes.ANY.TXT
import dns.resolver
from pydantic import BaseModel, ConfigDict, Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Action, Step
from workers.deadline import Deadline
from workers.journal import note

TITLE = "DNS"
SETTINGS = ("nameservers",)

_PORT = 53
_MOST_SHOWN = 50


class Resolve(BaseModel):
    """`expect` []: any answer will do. `exact`: nothing but what is expected may be there.

    Answers are written as in a zone file: "192.0.2.7", "10 mail.example.com", names without the last dot.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=255)
    type: Literal["A", "AAAA", "CNAME", "MX", "TXT"] = "A"
    expect: list[str] = []
    exact: bool = False


def resolve(step: Step, params: Resolve) -> dict[str, Any]:
    """A name that is ill is a result, not an error.

    {"ok", "status": NOERROR | NXDOMAIN | NODATA | SERVFAIL | TIMEOUT, "answers": [...], "missing": [...],
    "unexpected": [...], "ttl_s", "ms"}; `missing` of what was expected, `unexpected` beyond it if `exact`.
    """
    deadline = Deadline(step.timeout_s)
    status, answers, ttl_s = _ask(step, params)
    note(f"DNS {params.type} {params.name} {status}")
    expected = {_plain(each, params.type) for each in params.expect}
    missing = sorted(expected - set(answers))
    unexpected = sorted(set(answers) - expected) if params.exact else []
    return {
        "ok": bool(answers) and not missing and not unexpected,
        "status": status,
        "answers": answers[:_MOST_SHOWN],
        "missing": missing,
        "unexpected": unexpected[:_MOST_SHOWN],
        "ttl_s": ttl_s,
        "ms": deadline.passed_ms,
    }


def _ask(step: Step, params: Resolve) -> tuple[str, list[str], int]:
    """(Status, answers, TTL in seconds). Raises ActionError for what is no name."""
    try:
        name = dns.name.from_text(params.name)
        found = _resolver(step).resolve(
            name, params.type, lifetime=step.timeout_s, search=False, raise_on_no_answer=False
        )
    except dns.resolver.NXDOMAIN:
        return "NXDOMAIN", [], 0
    except dns.resolver.NoNameservers:
        return "SERVFAIL", [], 0
    except dns.resolver.LifetimeTimeout:
        return "TIMEOUT", [], 0
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ActionError(
            f"{params.name!r} is no name to ask DNS for: {error}", outcome=Outcome.PERMANENT
        ) from error
    if found.rrset is None:
        return "NODATA", [], 0
    return "NOERROR", sorted(_written(each) for each in found.rrset), found.rrset.ttl


def _resolver(step: Step) -> dns.resolver.Resolver:
    """Raises ActionError."""
    asked = [each.strip() for each in step.settings.get("nameservers", "").split(",") if each.strip()]
    try:
        resolver = dns.resolver.Resolver(configure=not asked)
        if asked:
            resolver.nameservers = [_server(each) for each in asked]
    except (ValueError, dns.resolver.NoResolverConfiguration) as error:
        fix = "write dns.nameservers in config/actions.yaml like 192.0.2.1, 192.0.2.2:5353"
        raise ActionError(f"no name server to ask: {error}; {fix}", outcome=Outcome.PERMANENT) from error
    return resolver


def _server(text: str) -> dns.nameserver.Nameserver:
    """Of "192.0.2.1", "192.0.2.1:5353", "2001:db8::1" or "[2001:db8::1]:5353". Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.startswith("[")):
        host, port = text, ""
    address = ipaddress.ip_address(host.strip("[]"))
    return dns.nameserver.Do53Nameserver(str(address), int(port or _PORT))


def _written(found: Any) -> str:
    if isinstance(found, dns.rdtypes.ANY.TXT.TXT):
        return b"".join(found.strings).decode(errors="replace")
    return _plain(found.to_text(), dns.rdatatype.to_text(found.rdtype))


def _plain(text: str, kind: str) -> str:
    """As answers are compared: case counts in a TXT only, and names end without a dot."""
    if kind == "TXT":
        return text
    if kind == "AAAA":
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            return text.lower()
    return text.lower().removesuffix(".")


def _plan(_: Step, params: Resolve) -> dict[str, Any]:
    return {"would": {"resolve": params.name, "type": params.type}}


ACTIONS = {
    "resolve": Action(params=Resolve, mutates=False, run=resolve, plan=_plan),
}
