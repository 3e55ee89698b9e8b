"""How the command line and the console ask the web: the one place that says so. Loaded only by what asks."""

import functools
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import anyio
import httpx

from routing.errors import TocsinError

Client = httpx.Client
Response = httpx.Response
NoAnswer = (httpx.HTTPError, httpx.InvalidURL)
TooSlow = httpx.TimeoutException


def client(timeout_s: float, headers: Mapping[str, str], base_url: str = "") -> Client:
    """Follows nowhere, asks no proxy of the environment, trusts what the system or SSL_CERT_FILE trusts.

    Below a `base_url` without TLS nobody is trusted: reading certificates takes longer than what is asked there.
    """
    return httpx.Client(
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if base_url.startswith("http://") else _trusted(),
        trust_env=False,
        timeout=timeout_s,
        headers=dict(headers),
        base_url=base_url,
    )


class Unanswered(TocsinError):
    """Nothing was answered, or nothing that can be used."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


async def asked(
    method: str, url: str, *, timeout_s: float, most: int, headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
) -> Answer:  # fmt: skip
    """One request, all of it within the time; follows nowhere. Raises Unanswered, also past `most` bytes."""
    try:
        with anyio.fail_after(timeout_s):
            async with httpx.AsyncClient(verify=_trusted(), trust_env=False, timeout=timeout_s) as found:
                sent = {"accept-encoding": "identity", "user-agent": "tocsin", **(headers or {})}
                async with found.stream(method, url, headers=sent, data=form) as answer:
                    return Answer(answer.status_code, await _read(answer, most))
    except (httpx.TimeoutException, TimeoutError) as error:
        raise Unanswered(f"it does not answer within {timeout_s:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unanswered(f"it cannot be reached ({type(error).__name__})") from error


async def _read(answer: httpx.Response, most: int) -> bytes:
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise Unanswered("it answers compressed, though asked not to")
    body = b""
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > most:
            raise Unanswered(f"it answers with more than {most} bytes")
    return body


@functools.cache
def _trusted() -> ssl.SSLContext:
    """One for all: making it costs about 100 ms."""
    return httpx.create_ssl_context()
