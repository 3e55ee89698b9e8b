"""Asking a console's API, and its problems as the command line says them."""

import os
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import click

from console import web
from console.remote.settings import TOKEN, Elsewhere

V1 = "/api/v1"
WAIT_S = 20.0
LONG_S = 600.0
"""So long for what is made only once it is asked for."""
PLAYED_S = 300.0
"""So long for what is played under a simulated clock."""


def part(name: str) -> str:
    """As one part of a path, whatever is in it."""
    return quote(name, safe="")


class Api:
    """One console. What it refuses is raised as click.ClickException, or click.UsageError where it makes no sense."""

    def __init__(self, where: Elsewhere) -> None:
        self._where = where
        headers = {"authorization": f"Bearer {where.token}", "user-agent": "tocsin"}
        self._client = web.client(WAIT_S, headers, where.url + V1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, path: str, **query: Any) -> Any:
        """Empty and None are left out of the query."""
        return self._read(self._asked("GET", path, params=_given(query)))

    def text(self, path: str, **query: Any) -> str:
        """As `get`, of what is no JSON."""
        answer = self._asked("GET", path, params=_given(query))
        if not answer.is_success:
            raise _problem(answer, self._where.url)
        return answer.text

    def save(self, path: str, target: Path) -> Mapping[str, str]:
        """Write what is there to a file that only its owner reads, a piece at a time. Returns the answer's headers."""
        written = 0
        try:
            with self._client.stream("GET", path, timeout=LONG_S) as answer:
                if not answer.is_success:
                    answer.read()
                    raise _problem(answer, self._where.url)
                descriptor = os.open(target, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    for part in answer.iter_bytes():
                        written += file.write(part)
                    os.fsync(file.fileno())
                return answer.headers
        except web.NoAnswer as error:
            why = (
                f"broken off after {written:,} bytes" if written else f"nothing answers at {self._where.url}"
            )
            raise click.ClickException(f"{why} ({type(error).__name__}); try again") from error
        except OSError as error:
            raise click.ClickException(f"{target} cannot be written: {error.strerror or error}") from error

    def post(self, path: str, body: Any = None, wait_s: float = WAIT_S) -> Any:
        """Once, however often a connection breaks on the way. `wait_s`: so long for each of its signs of life."""
        return self._read(self._asked("POST", path, json=body, timeout=wait_s))

    def put(self, path: str, body: Any) -> Any:
        return self._read(self._asked("PUT", path, json=body))

    def patch(self, path: str, body: Any) -> Any:
        return self._read(self._asked("PATCH", path, json=body))

    def delete(self, path: str) -> Any:
        return self._read(self._asked("DELETE", path))

    def _asked(self, method: str, path: str, **more: Any) -> web.Response:
        if more.get("json", "") is None:
            del more["json"]
        headers = {} if method == "GET" else {"idempotency-key": secrets.token_hex(16)}
        try:
            return self._client.request(method, path, headers=headers, **more)
        except web.NoAnswer as error:
            try:
                return self._client.request(method, path, headers=headers, **more)
            except web.NoAnswer:
                raise click.ClickException(
                    f"nothing answers at {self._where.url} ({type(error).__name__}); is `tocsin console` running there?"
                ) from error

    def _read(self, answer: web.Response) -> Any:
        if answer.is_success:
            return answer.json() if answer.content else None
        raise _problem(answer, self._where.url)


def _given(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value not in (None, "", ())}


def _problem(answer: web.Response, url: str) -> click.ClickException:
    try:
        facts = answer.json()
        what, hint = facts.get("detail") or facts["title"], facts["hint"]
    except (ValueError, KeyError, AttributeError, TypeError):
        return click.ClickException(
            f"{url} answers {answer.status_code}, and not as a console does; check the address"
        )
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        return click.ClickException(f"{url} knows no such token, or it has expired; set {TOKEN} to another")
    said = f"{what}; {hint}" if hint else str(what)
    if answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
        return click.UsageError(said)
    return click.ClickException(said)
