"""The session's cookie: never sent for another site's page, never read by a script, and over TLS bound to the host."""

from starlette.responses import Response

from console.serving.site import Site
from console.trust.actor import COOKIES
from console.trust.people import SESSION_MS


def give(response: Response, site: Site, secret: str) -> None:
    secure = site.settings.origin.startswith("https:")
    response.set_cookie(
        COOKIES[0] if secure else COOKIES[1], secret, max_age=SESSION_MS // 1000, path="/", secure=secure,
        httponly=True, samesite="strict",
    )  # fmt: skip


def take(response: Response, site: Site) -> None:
    secure = site.settings.origin.startswith("https:")
    for name in COOKIES:
        response.delete_cookie(
            name, path="/", secure=secure or name.startswith("__"), httponly=True, samesite="strict"
        )
