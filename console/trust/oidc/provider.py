"""The provider as it describes itself: its addresses, its keys, and what it answers to us.

Nothing it says leads a request of ours out of TLS; no redirect is followed, no answer is longer than it may be.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote_plus

import anyio

from console import web
from console.trust.oidc import id_token
from console.trust.oidc.id_token import Expected, UnknownKey
from console.trust.oidc.settings import OidcSettings, unsafe
from routing.errors import TocsinError
from routing.instant import HOUR, MINUTE

TIMEOUT_S = 8.0
MOST_BYTES = 262_144
MOST_KEYS = 100
FRESH_MS = HOUR
"""So long keys and addresses count as they were read; a key that the provider took back is gone after that."""
AGAIN_MS = MINUTE
"""An unknown key makes us ask anew, and no more often than that: whoever invents keys is not served by us asking."""


class ProviderFailed(TocsinError):
    """It does not answer, or not as it must. Says what, and holds nothing secret."""


@dataclass(frozen=True, slots=True)
class Described:
    """Its discovery document, as far as it is used. "" is what it does not offer."""

    authorization: str
    token: str
    keys: str
    userinfo: str = ""
    end_session: str = ""
    basic: bool = True
    """Whether a client's secret goes into a header, else into the form."""
    names_itself: bool = False
    """It adds `iss` to its answers (RFC 9207)."""


@dataclass(frozen=True, slots=True)
class Tokens:
    id_token: str
    access_token: str


@dataclass(slots=True)
class Provider:
    """`now` gives ms since the epoch."""

    settings: OidcSettings
    now: Callable[[], int]
    timeout_s: float = TIMEOUT_S
    _described: Described | None = None
    _described_at: int = 0
    _keys: list[dict[str, Any]] = field(default_factory=list)
    _keys_at: int | None = None
    _turn: anyio.Lock = field(default_factory=anyio.Lock)

    async def described(self) -> Described:
        """Raises ProviderFailed."""
        async with self._turn:
            if self._described is None or self.now() - self._described_at >= FRESH_MS:
                url = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
                self._described = _read(await self._document(url), self.settings)
                self._described_at = self.now()
            return self._described

    async def redeemed(self, code: str, verifier: str, redirect_uri: str) -> Tokens:
        """What the code is good for, once. Raises ProviderFailed."""
        found = await self.described()
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier,
            "client_id": self.settings.client_id,
        }  # fmt: skip
        headers = {"accept": "application/json"}
        if self.settings.client_secret and found.basic:
            headers["authorization"] = _basic(self.settings.client_id, self.settings.client_secret)
            del form["client_id"]
        elif self.settings.client_secret:
            form["client_secret"] = self.settings.client_secret
        answer = await self._asked("POST", found.token, headers, form)
        if answer.status != HTTPStatus.OK:
            raise ProviderFailed(f"it gives no token: {answer.status}{_error(answer.body)}")
        body = _json(answer.body, "its token endpoint")
        token, access = body.get("id_token"), body.get("access_token", "")
        if not isinstance(token, str) or not isinstance(access, str):
            raise ProviderFailed("it answers without an ID token")
        return Tokens(token, access)

    async def believed(self, token: str, expected: Expected) -> dict[str, Any]:
        """The claims of an ID token. Raises Disbelieved, ProviderFailed."""
        try:
            return id_token.believed(token, await self._published(FRESH_MS), expected)
        except UnknownKey:
            before = self._keys_at
            keys = await self._published(AGAIN_MS)
            if self._keys_at == before:
                raise
            return id_token.believed(token, keys, expected)

    async def told(self, access_token: str, subject: str) -> dict[str, Any]:
        """What else it says of them, for providers whose ID tokens are short. {} where it offers nothing.

        Raises ProviderFailed, also when it speaks of somebody else.
        """
        found = await self.described()
        if not found.userinfo or not access_token:
            return {}
        headers = {"accept": "application/json", "authorization": f"Bearer {access_token}"}
        answer = await self._asked("GET", found.userinfo, headers)
        if answer.status != HTTPStatus.OK:
            raise ProviderFailed(f"it says nothing of them: {answer.status}")
        body = _json(answer.body, "its userinfo endpoint")
        if body.get("sub") != subject:
            raise ProviderFailed("it speaks of somebody else")
        return body

    async def _published(self, fresh_ms: int) -> Sequence[Mapping[str, Any]]:
        """Its keys, not older than that."""
        url = (await self.described()).keys
        async with self._turn:
            if self._keys_at is None or self.now() - self._keys_at >= fresh_ms:
                found = (await self._document(url)).get("keys")
                if not isinstance(found, list):
                    raise ProviderFailed("it publishes no keys")
                self._keys = [each for each in found[:MOST_KEYS] if isinstance(each, dict)]
                self._keys_at = self.now()
            return self._keys

    async def _document(self, url: str) -> dict[str, Any]:
        answer = await self._asked("GET", url, {"accept": "application/json"})
        if answer.status != HTTPStatus.OK:
            raise ProviderFailed(f"{url} answers {answer.status}")
        return _json(answer.body, url)

    async def _asked(
        self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None
    ) -> web.Answer:
        try:
            return await web.asked(
                method, url, timeout_s=self.timeout_s, most=MOST_BYTES, headers=headers, form=form
            )
        except web.Unanswered as error:
            raise ProviderFailed(str(error)) from error


def _read(document: Mapping[str, Any], settings: OidcSettings) -> Described:
    """Raises ProviderFailed when it is another's, or lacks what is needed."""
    if document.get("issuer") != settings.issuer:
        raise ProviderFailed("it calls itself another issuer than TOCSIN_CONSOLE_OIDC_ISSUER does")
    methods = document.get("token_endpoint_auth_methods_supported")
    basic = not isinstance(methods, list) or "client_secret_basic" in methods
    return Described(
        authorization=_address(document, "authorization_endpoint", needed=True),
        token=_address(document, "token_endpoint", needed=True),
        keys=_address(document, "jwks_uri", needed=True),
        userinfo=_address(document, "userinfo_endpoint"),
        end_session=_address(document, "end_session_endpoint"),
        basic=basic,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _address(document: Mapping[str, Any], name: str, *, needed: bool = False) -> str:
    found = document.get(name)
    if found is None and not needed:
        return ""
    if not isinstance(found, str) or unsafe(found):
        raise ProviderFailed(f"its {name} is no https address")
    return found


def _json(body: bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProviderFailed(f"{what} answers with no JSON") from error
    if not isinstance(found, dict):
        raise ProviderFailed(f"{what} answers with no JSON object")
    return found


def _basic(client_id: str, secret: str) -> str:
    """Both form-encoded first (RFC 6749, 2.3.1)."""
    return "Basic " + b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()


def _error(body: bytes) -> str:
    """The name of the error, as RFC 6749 has them; nothing else of an answer is repeated."""
    try:
        name = json.loads(body).get("error", "")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return f", {name}" if isinstance(name, str) and known_error(name) else ""


def known_error(name: str) -> bool:
    return 0 < len(name) <= 40 and name.replace("_", "").isascii() and name.replace("_", "").isalpha()  # noqa: PLR2004
