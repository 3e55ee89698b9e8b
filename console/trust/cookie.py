"""Cookies, never read by a script, and over TLS bound to the host. The session's is sent for no other site's page."""

from starlette.requests import Request
from starlette.responses import Response

from console.serving.site import Site
from console.trust.actor import COOKIES
from console.trust.people import SESSION_MS

_AWAY = ("__Host-tocsin-away", "tocsin-away")
"""While somebody is at the provider. Lax: it must come along when that sends them back."""
_IDENTITY = ("__Secure-tocsin-identity", "tocsin-identity")
"""The ID token, which the provider wants to see again when they leave. It lets nobody in here."""
LEAVING = "/logout"
_LARGEST = 3_000


def give(response: Response, site: Site, secret: str, lasts_ms: int = SESSION_MS) -> None:
    secure = _is_secure(site)
    response.set_cookie(
        COOKIES[0] if secure else COOKIES[1], secret, max_age=lasts_ms // 1000, path="/", secure=secure,
        httponly=True, samesite="strict",
    )  # fmt: skip


def give_away(response: Response, site: Site, secret: str, lasts_ms: int) -> None:
    secure = _is_secure(site)
    response.set_cookie(
        _AWAY[0] if secure else _AWAY[1], secret, max_age=lasts_ms // 1000, path="/", secure=secure, httponly=True,
        samesite="lax",
    )  # fmt: skip


def away(request: Request, site: Site) -> str:
    """What they held while they were away; "" for nothing."""
    return request.cookies.get(_AWAY[0] if _is_secure(site) else _AWAY[1], "")


def give_identity(response: Response, site: Site, id_token: str, lasts_ms: int) -> None:
    """Sent with one request alone; one that is too large for a cookie is not kept."""
    secure = _is_secure(site)
    if len(id_token) <= _LARGEST:
        response.set_cookie(
            _IDENTITY[0] if secure else _IDENTITY[1], id_token, max_age=lasts_ms // 1000, path=LEAVING, secure=secure,
            httponly=True, samesite="strict",
        )  # fmt: skip


def identity(request: Request, site: Site) -> str:
    return request.cookies.get(_IDENTITY[0] if _is_secure(site) else _IDENTITY[1], "")


def take_identity(response: Response, site: Site) -> None:
    secure = _is_secure(site)
    response.delete_cookie(
        _IDENTITY[0] if secure else _IDENTITY[1],
        path=LEAVING,
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def _is_secure(site: Site) -> bool:
    return site.settings.origin.startswith("https:")


def take(response: Response, site: Site) -> None:
    secure = _is_secure(site)
    for name in COOKIES:
        response.delete_cookie(
            name, path="/", secure=secure or name.startswith("__"), httponly=True, samesite="strict"
        )
