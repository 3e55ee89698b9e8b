"""What every request and every answer passes: no act for another site, no frame, no cache, no inline code."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.serving.failures import problem

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_BODY = 2_097_152
"""A dead letter may be edited that large."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
ALWAYS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "x-robots-tag": "noindex",
}


class Doors:
    """Around the application. What is refused here was not read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(MutableHeaders(scope=message))
            await send(message)

        if scope["method"] not in SAFE and (why := refusal(headers)):
            answer = problem(403, why, "act from the console's own pages, or with a token", {})
            await answer(scope, receive, sending)
        elif int(headers.get("content-length") or 0) > MAX_BODY:
            await problem(413, "too large", f"at most {MAX_BODY} bytes", {})(scope, receive, sending)
        else:
            await self._app(scope, _bounded(receive), sending)


def refusal(headers: Headers) -> str:
    """Why something may not be done by a browser that shows another site's page; "" when it may.

    A token is never sent by itself, so whoever sends one means it.
    """
    if headers.get("authorization", "").lower().startswith("bearer "):
        return ""
    fetched = headers.get("sec-fetch-site", "")
    if fetched:
        return "" if fetched == "same-origin" else f"another site asks for this ({fetched})"
    origin = headers.get("origin", "")
    if not origin:
        return "nothing says which page asks for this: there is no Origin"
    return "" if urlsplit(origin).netloc == headers.get("host", "") else "another site asks for this"


def _bounded(receive: Receive) -> Receive:
    """A body without a length may not go on for ever either."""
    taken = 0

    async def receiving() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MAX_BODY:
            return {"type": "http.disconnect"}
        return message

    return receiving


def _add(headers: MutableHeaders) -> None:
    for name, value in ALWAYS.items():
        headers[name] = value
    headers.setdefault("cache-control", "no-store")
