"""Which OpenID Connect provider people sign in through, and what its groups may do here."""

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from console.trust.acts import Role
from console.trust.grants import Grants
from console.trust.oidc.mapping import parsed
from routing import duration
from routing.instant import DAY, MINUTE
from routing.schema.refusal import Refusal

# the names of variables
ISSUER, CLIENT, SECRET = (
    "TOCSIN_CONSOLE_OIDC_ISSUER", "TOCSIN_CONSOLE_OIDC_CLIENT_ID", "TOCSIN_CONSOLE_OIDC_CLIENT_SECRET",
)  # fmt: skip
TITLE, SCOPES = "TOCSIN_CONSOLE_OIDC_TITLE", "TOCSIN_CONSOLE_OIDC_SCOPES"
NAME_CLAIM, GROUPS_CLAIM = "TOCSIN_CONSOLE_OIDC_NAME_CLAIM", "TOCSIN_CONSOLE_OIDC_GROUPS_CLAIM"
ROLES, OTHERS = "TOCSIN_CONSOLE_OIDC_ROLES", "TOCSIN_CONSOLE_OIDC_OTHERS"
SESSION = "TOCSIN_CONSOLE_OIDC_SESSION"
_ALL = (ISSUER, CLIENT, SECRET, TITLE, SCOPES, NAME_CLAIM, GROUPS_CLAIM, ROLES, OTHERS, SESSION)
_OTHERS = {"nobody": None, "viewer": Role.VIEWER}
_EXAMPLE = '{"sre": "admin", "payments-oncall": "responder of payments", "staff": "viewer"}'
_LONGEST_MS = 30 * DAY


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """`client_secret` is kept out of `repr()`; "" for a client that has none and proves itself by PKCE alone."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False, default="")
    title: str = ""
    """What the button says; "" is the issuer's host."""
    scopes: str = "openid profile email"
    name_claim: str = "preferred_username"
    groups_claim: str = "groups"
    grants: Mapping[str, Grants] = field(default_factory=dict)
    """Group -> what it may."""
    others: Role | None = None
    """Who is in none of these groups; None: they are not let in."""
    session_ms: int = DAY

    @property
    def called(self) -> str:
        return self.title or self.host

    @property
    def host(self) -> str:
        """The provider's, as the audit names it."""
        return urlsplit(self.issuer).hostname or self.issuer


def from_env(environ: Mapping[str, str], origin: str) -> OidcSettings | None:
    """None where no provider is set. `origin`: the console's own. Raises ValueError: which variable, what to write."""
    issuer = environ.get(ISSUER, "").strip()
    if not issuer:
        _none_without_issuer(environ)
        return None
    if importlib.util.find_spec("jwt") is None:
        raise ValueError(f"{ISSUER} is set, and the extra oidc is not installed: pip install 'tocsin[oidc]'")
    if wrong := unsafe(issuer):
        raise ValueError(f"{ISSUER}: {issuer!r} {wrong}; write https://accounts.example.com")
    if wrong := unsafe(origin):
        raise ValueError(
            f"TOCSIN_CONSOLE_URL: {origin!r} {wrong}, and the provider sends people back there; "
            "write https://console.example.com"
        )
    found = OidcSettings(
        issuer=issuer,
        client_id=_client(environ),
        client_secret=environ.get(SECRET, "").strip(),
        title=environ.get(TITLE, "").strip()[:60],
        scopes=_scopes(environ.get(SCOPES, "")),
        name_claim=environ.get(NAME_CLAIM, "").strip() or "preferred_username",
        groups_claim=environ.get(GROUPS_CLAIM, "").strip() or "groups",
        grants=_grants(environ),
        others=_others(environ),
        session_ms=_session(environ),
    )
    if not found.grants and found.others is None:
        raise ValueError(f"{ROLES} is not set, so nobody could sign in; write {_EXAMPLE}")
    return found


def unsafe(url: str) -> str:
    """Why an address will not do; "" when it will: https, or http on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None or parts.fragment:
        return "is no address"
    if parts.scheme == "http" and host not in {"127.0.0.1", "::1", "localhost"}:
        return "is not https"
    return ""


def _none_without_issuer(environ: Mapping[str, str]) -> None:
    stray = next((name for name in _ALL if environ.get(name, "").strip()), "")
    if stray:
        raise ValueError(f"{stray} is set, and {ISSUER} is not; write https://accounts.example.com")


def _client(environ: Mapping[str, str]) -> str:
    found = environ.get(CLIENT, "").strip()
    if not found:
        raise ValueError(f"{CLIENT} is not set; write the name that the provider knows this console by")
    return found


def _scopes(text: str) -> str:
    words = text.split() or ["openid", "profile", "email"]
    return " ".join(dict.fromkeys(["openid", *words]))


def _grants(environ: Mapping[str, str]) -> dict[str, Grants]:
    text = environ.get(ROLES, "").strip()
    if not text:
        return {}
    try:
        found = json.loads(text)
        if not isinstance(found, dict):
            raise TypeError("it is no object")  # noqa: TRY301  # said with the others
        return {group: parsed(group, said) for group, said in found.items()}
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{ROLES}: {error}; write {_EXAMPLE}") from error


def _others(environ: Mapping[str, str]) -> Role | None:
    found = environ.get(OTHERS, "").strip().lower() or "nobody"
    if found not in _OTHERS:
        raise ValueError(f"{OTHERS}: {found!r} is neither; write nobody or viewer")
    return _OTHERS[found]


def _session(environ: Mapping[str, str]) -> int:
    text = environ.get(SESSION, "").strip() or "24h"
    try:
        found = duration.parse(text)
    except Refusal as error:
        raise ValueError(f"{SESSION}: {error}") from error
    if not MINUTE <= found <= _LONGEST_MS:
        raise ValueError(f"{SESSION}: {text!r} is not between 1m and 30d; write for example 24h")
    return found
