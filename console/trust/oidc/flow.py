"""To the provider and back: who was sent is who returns, from the same browser, once, and within ten minutes."""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from console.serving.site import Site
from console.trust.grants import Grants
from console.trust.guard import Refused, TooMany
from console.trust.oidc import mapping
from console.trust.oidc.id_token import Disbelieved, Expected
from console.trust.oidc.provider import Provider, ProviderFailed, known_error
from console.trust.people import Doer, Mistaken, People
from ledger import accounts
from ledger.accounts import Audited, SignIn
from routing.instant import MINUTE

CALLBACK = "/oidc/callback"
LASTS_MS = 10 * MINUTE
WINDOW_MS, BY_ADDRESS = 15 * MINUTE, 100
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


class NotLetIn(Refused):
    """`status` as for a wrong password."""

    status = 403


class NoProvider(Refused):
    """It cannot be asked, or answers badly: nobody's fault who signs in."""

    status = 502


@dataclass(frozen=True, slots=True)
class Sent:
    """Where the browser goes, and what it holds until it is back."""

    url: str
    secret: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody is back: with this answer of the provider, and holding this since they were sent."""

    query: Mapping[str, str]
    held: str
    address: str
    agent: str

    @property
    def state(self) -> str:
        return self.query.get("state", "")


@dataclass(frozen=True, slots=True)
class Entered:
    """`secret` of the session; `id_token` for when they leave."""

    secret: str
    after: str
    id_token: str


def provider_of(site: Site) -> Provider:
    """Raises Refused where people sign in with passwords alone."""
    if site.oidc is None:
        raise Refused("people sign in here with a name and a password", "see docs/console.md")
    return site.oidc


async def begin(site: Site, held: str, after: str, address: str) -> Sent:
    """`held`: what their browser holds already, from another tab. Raises Refused."""
    provider = provider_of(site)
    tried, left = await site.read(accounts.spend, site.client, site.keys, f"oidc:@{address}", WINDOW_MS)
    if tried > BY_ADDRESS:
        raise TooMany("too many tries", left)
    try:
        described = await provider.described()
    except ProviderFailed as error:
        raise await _no_provider(site, provider, address, error) from error
    secret = held if _SECRET.fullmatch(held) else secrets.token_urlsafe(32)
    state = secrets.token_urlsafe(32)
    one = SignIn(browser=accounts.digest(secret), after=after)
    await site.read(accounts.begin_sign_in, site.client, site.keys, state, one, LASTS_MS)
    query = {
        "response_type": "code", "client_id": provider.settings.client_id, "redirect_uri": redirect_uri(site),
        "scope": provider.settings.scopes, "state": state, "nonce": _derived(secret, "nonce", state),
        "code_challenge": _coded(hashlib.sha256(_derived(secret, "verifier", state).encode()).digest()),
        "code_challenge_method": "S256",
    }  # fmt: skip
    joint = "&" if urlsplit(described.authorization).query else "?"
    return Sent(f"{described.authorization}{joint}{urlencode(query)}", secret)


async def finish(site: Site, arrival: Arrival) -> Entered:
    """Whoever came back is signed in. Raises Refused."""
    provider, address = provider_of(site), arrival.address
    begun = await site.read(accounts.take_sign_in, site.client, site.keys, arrival.state)
    held = accounts.digest(arrival.held)
    if begun is None or not arrival.held or not hmac.compare_digest(begun.browser, held):
        raise NotLetIn("this way in was used, took too long, or began in another browser", "sign in again")
    try:
        return await _entered(site, provider, arrival, begun.after)
    except (Disbelieved, ProviderFailed) as error:
        raise await _no_provider(site, provider, address, error) from error
    except (NotLetIn, Mistaken) as error:
        await _audit(site, provider, address, str(error))
        raise NotLetIn(str(error), getattr(error, "hint", "")) from error


async def _entered(site: Site, provider: Provider, arrival: Arrival, after: str) -> Entered:
    settings, state = provider.settings, arrival.state
    await _check_answer(provider, arrival.query)
    verifier, nonce = (_derived(arrival.held, what, state) for what in ("verifier", "nonce"))
    tokens = await provider.redeemed(arrival.query["code"], verifier, redirect_uri(site))
    now_s = provider.now() / 1000
    expected = Expected(settings.issuer, settings.client_id, nonce, now_s, tokens.access_token)
    claims = await provider.believed(tokens.id_token, expected)
    wanted = [settings.name_claim, *([settings.groups_claim] if settings.grants else [])]
    if any(mapping.claim(claims, each) is None for each in wanted):
        claims = {**await provider.told(tokens.access_token, claims["sub"]), **claims}
    secret = await site.read(_let_in, site, provider, claims, arrival)
    return Entered(secret, after, tokens.id_token)


async def _check_answer(provider: Provider, query: Mapping[str, str]) -> None:
    """Raises NotLetIn, Disbelieved: also when another provider answers than was asked (RFC 9207)."""
    described = await provider.described()
    named = query.get("iss")
    if (named is not None or described.names_itself) and named != provider.settings.issuer:
        raise Disbelieved("the answer is from another issuer")
    if error := query.get("error"):
        raise NotLetIn(
            f"{provider.settings.called} says {error if known_error(error) else 'no'}", "sign in again"
        )
    if not query.get("code"):
        raise Disbelieved("the answer has no code")


def _let_in(site: Site, provider: Provider, claims: Mapping[str, Any], arrival: Arrival) -> str:
    """The user is made, or made what the provider says now. Raises NotLetIn, Mistaken."""
    settings = provider.settings
    by = Doer(settings.host, f"through {settings.host} from {arrival.address}")
    people = People(site.client, site.keys, by, site.now())
    subject = f"{settings.issuer} {claims['sub']}"
    groups = mapping.groups_of(mapping.claim(claims, settings.groups_claim))
    grant = mapping.granted(groups, settings.grants, settings.others)
    user = people.by_subject(subject)
    if user and user.disabled_at:
        raise NotLetIn(f"{user.name} is disabled", "ask an admin")
    if grant is None:
        if user:
            people.end_all(user.name)
        raise NotLetIn(
            f"{user.name if user else settings.called + ' knows you, and you'} may do nothing here",
            "ask whoever gives people their groups",
        )
    name = user.name if user else _first_time(people, provider, claims, subject, grant)
    if settings.grants:  # else roles are given here, and who comes for the first time looks on
        people.grant(name, grant)
    address, agent, lasts_ms = arrival.address, arrival.agent, settings.session_ms
    return people.begin_session(name, address, agent, via=settings.host, lasts_ms=lasts_ms)


def _first_time(
    people: People, provider: Provider, claims: Mapping[str, Any], subject: str, grant: Grants
) -> str:
    settings = provider.settings
    name = mapping.name_of(claims, settings.name_claim)
    if not name:
        raise NotLetIn(
            f"{settings.called} gives you no name that will do: a-z, 0-9 and . _ @ -, in {settings.name_claim}",
            "an admin sets TOCSIN_CONSOLE_OIDC_NAME_CLAIM to another claim",
        )
    people.add(name, grant, subject=subject)
    return name


async def _no_provider(site: Site, provider: Provider, address: str, error: Exception) -> NoProvider:
    await _audit(site, provider, address, str(error))
    return NoProvider(
        f"{provider.settings.called} cannot tell who you are: {error}", "try again, or use a password"
    )


async def _audit(site: Site, provider: Provider, address: str, why: str) -> None:
    host, what = provider.settings.host, f"failed to sign in: {why}"[:300]
    line = Audited(at=site.now(), by=host, what=what, client=f"through {host} from {address}")
    await site.read(accounts.audit, site.client, site.keys, line)


def redirect_uri(site: Site) -> str:
    """From the address that is set, never from what a request calls us."""
    return site.settings.origin + CALLBACK


async def leaving(site: Site, id_token: str) -> str:
    """Where to go to be signed out at the provider as well; "" where it offers nothing, or does not answer."""
    if site.oidc is None:
        return ""
    try:
        end = (await site.oidc.described()).end_session
    except ProviderFailed:
        return ""
    if not end:
        return ""
    query = {
        "client_id": site.oidc.settings.client_id,
        "post_logout_redirect_uri": f"{site.settings.origin}/login",
    }
    hint = {"id_token_hint": id_token} if id_token else {}
    return f"{end}{'&' if urlsplit(end).query else '?'}{urlencode({**hint, **query})}"


def _derived(secret: str, what: str, state: str) -> str:
    """What belongs to this state, out of what the browser alone holds: the database knows none of it."""
    return _coded(hmac.new(secret.encode(), f"{what}:{state}".encode(), hashlib.sha256).digest())


def _coded(digest: bytes) -> str:
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
