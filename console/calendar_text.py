"""A calendar's text from where a person says it is: a file, the standard input, or an address of the web."""

import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import click

from routing.oncall.importing import MOST_OCTETS

_TIMEOUT_S = 15.0
_OK = 200
_SCHEMES = ("http", "https", "webcal")


def calendar_text(where: str, timeout_s: float = _TIMEOUT_S) -> bytes:
    """At most one octet more than may be read of it. Raises click.ClickException saying what went wrong."""
    if where == "-":
        return sys.stdin.buffer.read(MOST_OCTETS + 1)
    if urlsplit(where).scheme in _SCHEMES:
        return _fetched(where, timeout_s)
    try:
        with Path(where).open("rb") as file:
            return file.read(MOST_OCTETS + 1)
    except OSError as error:
        raise click.ClickException(f"{where}: {error.strerror or error}") from error


def _fetched(url: str, timeout_s: float) -> bytes:
    """No message names the address: calendars are published under addresses that are secrets."""
    from console import web  # noqa: PLC0415  # loaded only for an address

    host = urlsplit(url).hostname or "(no host)"
    url = "https" + url.removeprefix("webcal") if url.startswith("webcal:") else url
    headers = {"accept": "text/calendar", "user-agent": "tocsin"}
    try:
        with (
            web.client(timeout_s, headers) as client,
            client.stream("GET", url) as response,
        ):
            if response.status_code != _OK:
                raise click.ClickException(f"{host} answered {response.status_code}{_hint(response.headers)}")
            return _bounded(response.iter_bytes(), time.monotonic() + timeout_s)
    except (web.TooSlow, TimeoutError) as error:
        raise click.ClickException(f"{host} did not answer within {timeout_s:g} s") from error
    except web.NoAnswer as error:
        raise click.ClickException(f"{host} cannot be asked: {str(error) or type(error).__name__}") from error


def _hint(headers: Mapping[str, str]) -> str:
    moved = headers.get("location", "")
    return f", it moved; import it from {moved}" if moved else ""


def _bounded(chunks: Iterable[bytes], until_s: float) -> bytes:
    """Raises TimeoutError: a timeout of the client is one between two chunks, and there may be many."""
    body = b""
    for chunk in chunks:
        body += chunk
        if len(body) > MOST_OCTETS:
            break
        if time.monotonic() > until_s:
            raise TimeoutError
    return body
