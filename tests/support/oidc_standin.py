"""An OpenID Connect provider, as strict as real ones are, which lies as it is told to.

Its tokens are signed here, by `cryptography` alone: what reads them is not what made them.
"""

import hashlib
import hmac
import json
import secrets
import time
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any
from urllib.parse import unquote_plus, urlencode

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from vendor_server import Asked, Reply, VendorServer

CLIENT, SECRET = "tocsin-console", "s3cret: with/odd+signs%"
Claims = dict[str, Any]
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def coded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _packed(found: object) -> str:
    return coded(json.dumps(found).encode())


def _number(value: int) -> str:
    return coded(value.to_bytes((value.bit_length() + 7) // 8))


@cache
def rsa_key(bits: int = 2_048) -> rsa.RSAPrivateKey:
    """One for all tests: making it takes long."""
    return rsa.generate_private_key(65_537, bits)


def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def jwk(key: Key, kid: str, **more: str) -> dict[str, str]:
    """As it is published."""
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.public_key().public_numbers()
        kind = {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        point = key.public_key().public_numbers()
        kind = {
            "kty": "EC",
            "crv": "P-256",
            "x": coded(point.x.to_bytes(32)),
            "y": coded(point.y.to_bytes(32)),
        }
    else:
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        kind = {"kty": "OKP", "crv": "Ed25519", "x": coded(raw)}
    return {**kind, "kid": kid, "use": "sig", **more}


def signed(key: Key | bytes | None, header: dict[str, Any], claims: Claims) -> str:
    """A JWS. With bytes as the key: by HMAC; with none: not at all."""
    text = f"{_packed({'typ': 'JWT', **header})}.{_packed(claims)}"
    return f"{text}.{coded(_signature(key, text.encode()))}"


def _signature(key: Key | bytes | None, text: bytes) -> bytes:
    if key is None:
        return b""
    if isinstance(key, bytes):
        return hmac.digest(key, text, "sha256")
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(text, padding.PKCS1v15(), SHA256())
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(text)
    r, s = decode_dss_signature(key.sign(text, ec.ECDSA(SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def algorithm(key: Key) -> str:
    if isinstance(key, rsa.RSAPrivateKey):
        return "RS256"
    return "ES256" if isinstance(key, ec.EllipticCurvePrivateKey) else "EdDSA"


def public_pem(key: Key) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@dataclass
class Grant:
    """What was agreed to, and waits for its code to be redeemed."""

    asked: dict[str, str]
    person: Claims
    used: bool = False


class OidcStandin(VendorServer):
    """One client, whose `redirect_uri` must be registered. `person` is who is signed in at the provider."""

    def __init__(self, redirect_uri: str = "", *, secret: str = SECRET) -> None:
        super().__init__()
        self.registered = {redirect_uri}
        self.secret = secret
        self.person: Claims = {"sub": "u-1", "preferred_username": "anna", "groups": ["sre"]}
        self.asks = False
        """It shows a page on which one agrees first."""
        self.thin = False
        """Groups are told by its userinfo endpoint alone."""
        self.key: Key = ec_key()
        self.kid = "k1"
        self.document: dict[str, Any] = {}
        """What its own description says otherwise; None takes a line out."""
        self.crooked: Callable[[dict[str, Any], Claims], str] | None = None
        """Makes the ID token of a header and claims, instead of signing them."""
        self.answers_iss: str | None = None
        self.refuses = ""
        """An error, as it would name it, instead of a code."""
        self._grants: dict[str, Grant] = {}
        self._people: dict[str, Claims] = {}
        self._issued: set[str] = set()

    def rotate(self) -> None:
        self.kid = f"k{secrets.token_hex(3)}"
        self.key = ec_key()

    def answer(self, asked: Asked) -> Reply:
        does: dict[tuple[str, str], Callable[[Asked], Reply]] = {
            ("GET", "/.well-known/openid-configuration"): self._describe, ("GET", "/authorize"): self._authorize,
            ("GET", "/agreed"): self._agreed, ("POST", "/token"): self._token, ("GET", "/userinfo"): self._userinfo,
            ("GET", "/jwks"): lambda _: Reply(200, {"keys": [jwk(self.key, self.kid)]}), ("GET", "/logout"): self._logout,
            ("GET", "/favicon.ico"): lambda _: Reply(204, b""),
        }  # fmt: skip
        found = does.get((asked.method, asked.path))
        return found(asked) if found else Reply(404, b"nothing here")

    def _describe(self, _: Asked) -> Reply:
        found = {
            "issuer": self.url, "authorization_endpoint": f"{self.url}/authorize", "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks", "userinfo_endpoint": f"{self.url}/userinfo",
            "end_session_endpoint": f"{self.url}/logout", "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"], "code_challenge_methods_supported": ["S256"],
            **self.document,
        }  # fmt: skip
        return Reply(200, {name: value for name, value in found.items() if value is not None})

    def _authorize(self, asked: Asked) -> Reply:
        given = {name: values[0] for name, values in asked.query.items()}
        if given.get("client_id") != CLIENT or given.get("redirect_uri") not in self.registered:
            return _page(400, "<h1>Invalid redirect_uri</h1>")  # never sent on to where it might be stolen
        wrong = (
            given.get("response_type") != "code"
            or "openid" not in given.get("scope", "").split()
            or given.get("code_challenge_method") != "S256"
            or len(given.get("code_challenge", "")) != 43
            or min(len(given.get(each, "")) for each in ("state", "nonce")) < 32
        )
        if wrong or self.refuses:
            return self._back(given, {"error": self.refuses or "invalid_request"})
        if self.asks:
            query = escape(urlencode(given))
            return _page(
                200,
                f"<h1>Sign in as {escape(str(self.person['sub']))}?</h1><a href='/agreed?{query}'>Agree</a>",
            )
        return self._agreed(asked)

    def _agreed(self, asked: Asked) -> Reply:
        given = {name: values[0] for name, values in asked.query.items()}
        code = secrets.token_urlsafe(24)
        self._grants[code] = Grant(given, dict(self.person))
        return self._back(given, {"code": code})

    def _back(self, given: dict[str, str], more: dict[str, str]) -> Reply:
        named = {"iss": self.answers_iss} if self.answers_iss is not None else {}
        query = urlencode({**more, "state": given.get("state", ""), **named})
        return Reply(302, b"", {"Location": f"{given['redirect_uri']}?{query}"})

    def _token(self, asked: Asked) -> Reply:
        if not self._is_client(asked):
            return Reply(401, {"error": "invalid_client", "error_description": "<b>no</b>"})
        grant = self._grants.get(asked.field("code"))
        if asked.field("grant_type") != "authorization_code":
            return Reply(400, {"error": "unsupported_grant_type"})
        if grant is None or grant.used or asked.field("redirect_uri") != grant.asked["redirect_uri"]:
            return Reply(400, {"error": "invalid_grant"})
        challenge = coded(hashlib.sha256(asked.field("code_verifier").encode()).digest())
        if not 43 <= len(asked.field("code_verifier")) <= 128 or challenge != grant.asked["code_challenge"]:
            return Reply(400, {"error": "invalid_grant", "error_description": "PKCE"})
        grant.used = True
        access = secrets.token_urlsafe(24)
        self._people[access] = grant.person
        token = self._id_token(grant, access)
        self._issued.add(token)
        return Reply(
            200, {"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": token}
        )

    def _is_client(self, asked: Asked) -> bool:
        header = asked.headers.get("authorization", "")
        if header.startswith("Basic "):
            name, _, secret = b64decode(header[6:]).decode().partition(":")
            return (unquote_plus(name), unquote_plus(secret)) == (CLIENT, self.secret)
        return (asked.field("client_id"), asked.field("client_secret")) == (CLIENT, self.secret)

    def _id_token(self, grant: Grant, access: str) -> str:
        now = int(time.time())
        digest = hashlib.sha512 if algorithm(self.key) == "EdDSA" else hashlib.sha256
        half = digest(access.encode()).digest()
        person = {name: value for name, value in grant.person.items() if not (self.thin and name == "groups")}
        claims = {
            "iss": self.url, "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": grant.asked["nonce"],
            "at_hash": coded(half[: len(half) // 2]), **person,
        }  # fmt: skip
        header = {"alg": algorithm(self.key), "kid": self.kid}
        return self.crooked(header, claims) if self.crooked else signed(self.key, header, claims)

    def _userinfo(self, asked: Asked) -> Reply:
        person = self._people.get(asked.headers.get("authorization", "").removeprefix("Bearer "))
        return Reply(200, person) if person else Reply(401, {"error": "invalid_token"})

    def _logout(self, asked: Asked) -> Reply:
        given = {name: values[0] for name, values in asked.query.items()}
        back = given.get("post_logout_redirect_uri", "")
        if given.get("id_token_hint") not in self._issued or given.get("client_id") != CLIENT:
            return _page(400, "<h1>Who are you?</h1>")
        if back not in {each.replace("/oidc/callback", "/login") for each in self.registered}:
            return _page(400, "<h1>Invalid post_logout_redirect_uri</h1>")
        return Reply(302, b"", {"Location": back})


def _page(status: int, html: str) -> Reply:
    return Reply(status, f"<!doctype html>{html}".encode(), {"Content-Type": "text/html"})


def read(token: str) -> Claims:
    """What is in an ID token, believed or not."""
    part = token.split(".")[1]
    found: Claims = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found
