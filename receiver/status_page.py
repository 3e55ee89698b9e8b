"""The status page, read-only, where `process.yaml` says so: as a page, as JSON and as a feed.

It is made anew at most every few seconds, whoever asks how often. While Redis does not answer, the last one is shown.
"""

import asyncio
import hashlib
from base64 import b64encode
from typing import Any

from redis.exceptions import RedisError
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from ledger.views import sheet
from ledger.views.status_page import Documents, documents
from ledger.views.status_page.documents import read
from receiver import refuse
from receiver.site import Site
from routing.decision import Table
from routing.policy import StatusPage as Page

FRESH_MS = 5_000
_TYPES = {
    "index.html": "text/html; charset=utf-8",
    "index.json": "application/json",
    "index.rss": "application/rss+xml; charset=utf-8",
}
_STYLE = b64encode(hashlib.sha256(sheet.STYLE.encode()).digest()).decode()
_HEADERS = {
    "cache-control": "public, max-age=15",
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class StatusPage:
    """Of the policy in force; its path may change with that."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._made: tuple[int, Page, Documents] | None = None
        self._making = asyncio.Lock()

    def serves(self, path: str) -> bool:
        page = self._site.gates.status_page
        return (
            page is not None and bool(page.path) and (path == page.path or path.startswith(f"{page.path}/"))
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(scope["method"], scope["path"])
        self._site.counts.answers["pages", "", answer.status_code] += 1
        await answer(scope, receive, send)

    async def _answer(self, method: str, path: str) -> Response:
        page = self._site.gates.status_page
        if page is None or method not in {"GET", "HEAD"}:
            refusal = refuse.unknown_page() if page is None else refuse.wrong_method()
            return Response(refusal.body(), refusal.status, headers={**refusal.headers(), "allow": "GET"})
        if path == page.path:
            return RedirectResponse(f"{page.path}/", 308)
        name = path.removeprefix(f"{page.path}/") or "index.html"
        found = await self._documents(page) if name in _TYPES else None
        if found is None:
            refusal = refuse.not_durable() if name in _TYPES else refuse.unknown_page()
            return Response(refusal.body(), refusal.status, headers=dict(refusal.headers()))
        return Response(found[name], headers={**_HEADERS, "content-type": _TYPES[name]})

    async def _documents(self, page: Page) -> Documents | None:
        """None when Redis does not answer and there is none from before."""
        async with self._making:
            now = self._site.now()
            if self._made is not None and self._made[1] is page and 0 <= now - self._made[0] < FRESH_MS:
                return self._made[2]
            try:
                said: Any = await self._site.client.hgetall(self._site.keys.state(Table.PUBLIC))
            except (RedisError, OSError):
                return self._made[2] if self._made else None
            self._made = now, page, documents(page, read(said), now)
            return self._made[2]
