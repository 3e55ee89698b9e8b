"""Actor: who asks, by the session of their browser or by an API token, and what they may do."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from console.serving.site import Site, site_of
from console.trust.acts import Act, Role, Scope
from console.trust.grants import Grants, kept
from ledger import accounts

__all__ = ["COOKIES", "Act", "Actor", "Grants", "Role", "Scope", "actor_of", "bearer_of"]

COOKIES = ("__Host-tocsin", "tocsin")
"""The session's cookie: over TLS with the prefix that binds it to this host, else without."""
EVERY_SCOPE = frozenset(scope.value for scope in Scope)


@dataclass(frozen=True, slots=True)
class Actor:
    """`id` is the session's or the token's, `address` where the request came from.

    Everybody who is known may read everything: at night nobody asks whose page it is. Acting is what roles are for.
    """

    name: str
    grants: Grants
    way: str
    """"session" or "token"."""
    id: str
    scopes: frozenset[str]
    address: str
    contact: str = ""
    """Who they are in contacts.yaml, where the user says so."""
    per_minute: int = 0
    """How often a token may ask; 0 for a session, which may without end."""

    def may(self, act: Act, team: str = "") -> bool:
        """Whether they may do it, to something of `team` where it belongs to one."""
        if act.role is None:
            return True
        if self.way == "token" and act is Act.OWN_ACCOUNT:
            return False  # a token that could make tokens would never end
        return act.scope in self.scopes and self.role_at(act, team).allows(act.role)

    def role_at(self, act: Act, team: str = "") -> Role:
        """As what they come to it: what concerns all teams takes the role for all."""
        return self.grants.everywhere if act.of_all else self.grants.role_for(team)

    @property
    def person(self) -> str:
        """As the policy knows them: who is asked and paged is a contact, whatever name they sign in with."""
        return self.contact or self.name

    @property
    def client(self) -> str:
        """How and from where, for the audit: it goes into every entry they cause."""
        return f"{self.way} {self.id} from {self.address or 'an unknown address'}"


async def actor_of(request: HTTPConnection) -> Actor | None:
    """By bearer token or cookie; None when nobody is known by it. Asked once a request.

    A token counts before a cookie, and one that is wrong is nobody, whatever cookie comes with it.
    """
    if not hasattr(request.state, "actor"):
        site = site_of(request)
        request.state.actor = await site.read(_known, site, request)
    found: Actor | None = request.state.actor
    return found


def bearer_of(request: HTTPConnection) -> str | None:
    """What a request names as its token; None when it names none."""
    header = request.headers.get("authorization", "")
    scheme, _, rest = header.partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else None


def _known(site: Site, request: HTTPConnection) -> Actor | None:
    token = bearer_of(request)
    if token is not None:
        return _by_token(site, token, site.address_of(request))
    secret = next((found for name in COOKIES if (found := request.cookies.get(name))), "")
    return _by_session(site, secret, site.address_of(request)) if secret else None


def _by_session(site: Site, secret: str, address: str) -> Actor | None:
    session = accounts.session(site.client, site.keys, secret)
    if session is None or session.expires_at <= site.now():
        return None
    user = accounts.user(site.client, site.keys, session.user)
    if user is None or user.disabled_at:
        return None
    return Actor(user.name, kept(user), "session", session.id, EVERY_SCOPE, address, user.contact)


def _by_token(site: Site, secret: str, address: str) -> Actor | None:
    token = accounts.token(site.client, site.keys, secret)
    if token is None or token.expires_at <= site.now():
        return None
    grants, contact = kept(token), ""
    if token.user:
        owner = accounts.user(site.client, site.keys, token.user)
        if owner is None or owner.disabled_at:
            return None
        grants, contact = grants.met(kept(owner)), owner.contact
    return Actor(
        token.user or token.name, grants, "token", token.id, frozenset(token.scopes), address, contact,
        token.per_minute,
    )  # fmt: skip
