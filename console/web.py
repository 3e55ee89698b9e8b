"""How the command line asks the web: the one place that says so. Loaded only by what asks."""

from collections.abc import Mapping

import httpx

Client = httpx.Client
Response = httpx.Response
NoAnswer = (httpx.HTTPError, httpx.InvalidURL)
TooSlow = httpx.TimeoutException


def client(timeout_s: float, headers: Mapping[str, str], base_url: str = "") -> Client:
    """Follows nowhere, asks no proxy of the environment, trusts what the system or SSL_CERT_FILE trusts."""
    return httpx.Client(
        verify=httpx.create_ssl_context(),
        trust_env=False,
        timeout=timeout_s,
        headers=dict(headers),
        base_url=base_url,
    )
