"""Answers compressed, but for those where their length could tell a secret to another site.

Whoever makes a browser ask for a page again and again, with words of their own in the address, and sees how long the
compressed answers are, can guess a secret in it letter by letter (BREACH). Our session cookie is not sent with what
other sites ask for (SameSite=Strict), and acts are told apart by where they come from, so no page holds a token
against forgery. Besides, what another site asks for is not compressed, nor are the few pages that show a secret.
"""

import re

from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

LEAST = 1_000
"""Bytes from which on it is worth it."""
LEVEL = 6
_ELSEWHERE = frozenset({"cross-site", "same-site"})
_SECRET = re.compile(r"/(account/token|people/[^/]+/link|welcome/.*|outbox/.*|health/backup|api/v1/backup)")
"""One-time links, tokens that are shown once, and messages with the link that acknowledges; backups, packed already."""


class Packing:
    """Around the application, within its doors."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._packed = GZipMiddleware(app, minimum_size=LEAST, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        plain = scope["type"] != "http" or not may_pack(scope["path"], Headers(scope=scope))
        await (self._app if plain else self._packed)(scope, receive, send)


def may_pack(path: str, headers: Headers) -> bool:
    """Whether the answer's length may depend on how well its parts resemble each other."""
    return headers.get("sec-fetch-site", "") not in _ELSEWHERE and not _SECRET.fullmatch(path)
