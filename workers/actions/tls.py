"""TLS certificates: how long they last, whom they name, and whether clients trust them.

Settings: ca_file (a private authority to trust besides the public ones), allow_private (true lets hosts lead to
private and loopback addresses, as for http), base_url (of the site that is looked at where no host is given).
Sources: RFC 5280, RFC 6125.
"""

import ssl
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.instant import iso
from routing.ports import Action, Step
from workers import addresses, http
from workers.addresses import ForbiddenAddressError, Guard
from workers.deadline import Deadline
from workers.journal import note

TITLE = "TLS certificates"
SETTINGS = ("ca_file", "allow_private", "base_url")

_DAY_MS = 86_400_000
_MOST_NAMES = 100


class Certificate(BaseModel):
    """`names` must all be in the certificate, besides `host`. `min_days`: fewer left is ill.

    `host` "": that of the site, and its port.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(default="", pattern=r"^[A-Za-z0-9.:_-]{1,253}$", json_schema_extra={"x-literal": True})
    port: int = Field(default=443, ge=1, le=65_535)
    min_days: int = Field(default=14, ge=0, le=3_650)
    names: list[str] = []


@dataclass(frozen=True, slots=True)
class _Shown:
    """`chain`: what the server sent, its own certificate first, each as `ssl` tells it. `distrust`: why not."""

    chain: list[dict[str, Any]]
    protocol: str
    distrust: str = ""


def certificate(step: Step, params: Certificate) -> dict[str, Any]:
    """A certificate that is ill is a result, not an error; so is a server that does not speak TLS.

    {"ok", "error", "trusted", "days_left", "not_after", "subject", "issuer", "names": [...], "missing": [...],
    "protocol", "chain": [{"subject", "issuer", "not_after", "days_left"}], "ms"}
    """
    params = _whole(step, params)
    deadline = Deadline(step.timeout_s)
    guard = Guard(allow_private=step.settings.get("allow_private") == "true")
    try:
        shown = _look(step, params, guard, deadline)
    except ForbiddenAddressError as error:
        raise ActionError(str(error), outcome=Outcome.REFUSED) from error
    except (OSError, UnicodeError) as error:
        note(f"TLS {params.host}:{params.port} failed")
        return _nothing(str(error) or type(error).__name__, deadline)
    note(f"TLS {params.host}:{params.port} {'distrusted' if shown.distrust else 'trusted'}")
    return _told(shown, params, step.now, deadline)


def _whole(step: Step, params: Certificate) -> Certificate:
    """With the site's host and port where none is given. Raises ActionError when there is no site either."""
    if params.host:
        return params
    site = urlsplit(step.settings.get("base_url", ""))
    if not site.hostname:
        raise ActionError("no host, and no tls.base_url in config/actions.yaml", outcome=Outcome.PERMANENT)
    return params.model_copy(update={"host": site.hostname, "port": site.port or params.port})


def _look(step: Step, params: Certificate, guard: Guard, deadline: Deadline) -> _Shown:
    """As a client that insists; where that fails, once more as one that takes anything, to see why."""
    found = addresses.resolve(params.host, params.port, guard)
    try:
        return _shake(_strict(step), found, params, deadline)
    except ssl.SSLCertVerificationError as error:
        anything = ssl.create_default_context()
        anything.check_hostname = False
        anything.verify_mode = ssl.CERT_NONE
        shown = _shake(anything, found, params, deadline)
        return _Shown(shown.chain, shown.protocol, error.verify_message)


def _shake(context: ssl.SSLContext, found: list[str], params: Certificate, deadline: Deadline) -> _Shown:
    plain = addresses.connect(found, params.port, deadline)
    with closing(plain):
        plain.settimeout(deadline.left())
        with context.wrap_socket(plain, server_hostname=params.host) as secure:
            # Python says what the chain is from 3.13 on, and only as bytes; this object has known it since 3.10.
            chain = secure._sslobj.get_unverified_chain() or []  # type: ignore[attr-defined]  # noqa: SLF001
            return _Shown([each.get_info() for each in chain], secure.version() or "")


def _strict(step: Step) -> ssl.SSLContext:
    """Raises ActionError when the authority cannot be read."""
    file = step.settings.get("ca_file", "")
    if not file:
        return http.tls_context()
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(file)
    except OSError as error:
        fix = "check tls.ca_file in config/actions.yaml"
        raise ActionError(f"{file} is no certificate to trust: {error}; {fix}") from error
    return context


def _told(shown: _Shown, params: Certificate, now: int, deadline: Deadline) -> dict[str, Any]:
    own = shown.chain[0] if shown.chain else {}
    names = [value for kind, value in own.get("subjectAltName", ()) if kind in {"DNS", "IP Address"}]
    missing = [name for name in params.names if not _covered(name, names)]
    told = _lasting(own, now)
    return {
        "ok": not _ailment(shown, told["days_left"], missing, params),
        "error": _ailment(shown, told["days_left"], missing, params),
        "trusted": not shown.distrust,
        **told,
        "names": names[:_MOST_NAMES],
        "missing": missing,
        "protocol": shown.protocol,
        "chain": [_lasting(each, now) for each in shown.chain],
        "ms": deadline.passed_ms,
    }


def _ailment(shown: _Shown, days_left: int, missing: list[str], params: Certificate) -> str:
    """What is wrong; "" when nothing is."""
    if shown.distrust:
        return f"clients do not trust it: {shown.distrust}"
    if missing:
        return f"it does not name {', '.join(missing)}"
    if days_left < params.min_days:
        return f"{days_left} days left, fewer than {params.min_days}"
    return ""


def _lasting(certificate: dict[str, Any], now: int) -> dict[str, Any]:
    """`days_left` in whole days, negative once it is over."""
    until = ssl.cert_time_to_seconds(certificate["notAfter"]) * 1000 if "notAfter" in certificate else 0
    return {
        "subject": _name(certificate.get("subject", ())),
        "issuer": _name(certificate.get("issuer", ())),
        "not_after": iso(until),
        "days_left": (until - now) // _DAY_MS,
    }


def _name(parts: Any) -> str:
    """The common name, else all of it."""
    found = {key: value for part in parts for key, value in part}
    return str(found.get("commonName") or ", ".join(found.values()))


def _covered(name: str, names: list[str]) -> bool:
    """Whether one of the certificate's names stands for it; a star stands for one label (RFC 6125)."""
    wanted = name.lower()
    behind = wanted.partition(".")[2]
    return any(each.lower() in {wanted, f"*.{behind}"} for each in names)


def _nothing(error: str, deadline: Deadline) -> dict[str, Any]:
    empty = {"trusted": False, "days_left": 0, "not_after": "", "subject": "", "issuer": ""}
    none: dict[str, Any] = {"names": [], "missing": [], "protocol": "", "chain": []}
    return {"ok": False, "error": error, **empty, **none, "ms": deadline.passed_ms}


def _plan(step: Step, params: Certificate) -> dict[str, Any]:
    params = _whole(step, params)
    return {"would": {"connect": f"{params.host}:{params.port}"}}


ACTIONS = {
    "certificate": Action(params=Certificate, mutates=False, run=certificate, plan=_plan),
}
