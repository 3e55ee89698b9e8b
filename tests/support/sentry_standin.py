"""Sentry, as far as reports go: takes envelopes over HTTP and keeps what was in them.

Source: https://develop.sentry.dev/sdk/data-model/envelopes/ (a line of headers, then for each item its headers
and its payload).
"""

import gzip
import json
from typing import Any

from vendor_server import Asked, Reply, VendorServer


class SentryStandin(VendorServer):
    """`dsn` is what the SDK needs; `events` what was reported; `everything` each byte of it as text."""

    def __init__(self) -> None:
        super().__init__()
        self._envelopes: list[bytes] = []

    @property
    def dsn(self) -> str:
        return self.url.replace("://", "://public@") + "/1"

    def answer(self, asked: Asked) -> Reply:
        if asked.method != "POST" or asked.path != "/api/1/envelope/":
            return Reply(404)
        packed = asked.headers.get("content-encoding") == "gzip"
        self._envelopes.append(gzip.decompress(asked.body) if packed else asked.body)
        return Reply(200, {"id": "0" * 32})

    @property
    def events(self) -> list[dict[str, Any]]:
        return [item for envelope in list(self._envelopes) for item in _events(envelope)]

    @property
    def everything(self) -> str:
        return "\n".join(envelope.decode(errors="replace") for envelope in self._envelopes)


def _events(envelope: bytes) -> list[dict[str, Any]]:
    _, *lines = envelope.splitlines()
    pairs = zip(lines[::2], lines[1::2], strict=False)
    return [json.loads(payload) for head, payload in pairs if json.loads(head).get("type") == "event"]
