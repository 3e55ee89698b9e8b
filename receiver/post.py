"""The one place in this package that asks anybody anything: samples are posted, a vendor's document is fetched."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx
import orjson

from receiver.documents import OutOfReach

_LARGEST = 65_536
_FETCH_S = 4.0


class NotSent(Exception):
    """Nobody answered, or not in time. Says who and why."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004  # what HTTP calls success

    def json(self) -> dict[str, Any]:
        """The body as an object; {} when it is none."""
        try:
            found = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return {}
        return found if isinstance(found, dict) else {}


class Poster:
    """One connection, kept for as many posts as there are. Proxies of the environment are not used."""

    def __init__(self, timeout_s: float = 10.0) -> None:
        self._timeout_s = timeout_s
        self._clients: dict[bool, httpx.Client] = {}

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Raises NotSent."""
        try:
            answer = self._client(url).post(url, content=body, headers=dict(headers))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotSent(f"{url}: {error or type(error).__name__}") from error
        return Reply(answer.status_code, answer.content)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for client in self._clients.values():
            client.close()

    def _client(self, url: str) -> httpx.Client:
        # Loading certificates takes longer than all else, and most is sent to this machine, without TLS.
        tls = not url.startswith("http://")
        if tls not in self._clients:
            self._clients[tls] = httpx.Client(
                verify=tls, timeout=self._timeout_s, trust_env=False, follow_redirects=False
            )
        return self._clients[tls]


async def fetch_document(address: str) -> bytes:
    """What is at an https address, if it says so at once, itself and shortly. Raises OutOfReach."""
    try:
        async with (
            httpx.AsyncClient(timeout=_FETCH_S, trust_env=False, follow_redirects=False) as client,
            asyncio.timeout(_FETCH_S),
            client.stream("GET", address) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise OutOfReach(f"it answered {answer.status_code}")
            found = b""
            async for part in answer.aiter_bytes():
                found += part
                if len(found) > _LARGEST:
                    raise OutOfReach("it is too large")
            return found
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise OutOfReach(f"{type(error).__name__}") from error
