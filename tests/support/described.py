"""What a description allows, and what it does not, sent to each of its operations by a test of its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis
from schemathesis.core.result import Ok
from schemathesis.pytest.lazy import get_all_tests
from schemathesis.schemas import BaseSchema
from schemathesis.transport.requests import ManagedCookiesSession

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def labels(document: dict[str, Any]) -> list[str]:
    """`POST /hooks/{source}` and the like, without working out what to send: each worker collects all tests."""
    return [
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        for method in item
        if method in METHODS
    ]


@contextmanager
def keeping() -> Iterator[ManagedCookiesSession]:
    """What sends cases over connections that it keeps, and keeps no cookies.

    Without it each case has a connection of its own, looks for a proxy and for a .netrc, and half of the time is that.
    """
    with ManagedCookiesSession() as session:
        session.trust_env = False
        session.headers.clear()
        yield session


def tried(
    schema: BaseSchema, test: Callable[..., None], settings: hypothesis.settings
) -> dict[str, Callable[..., None]]:
    """By label, what tries one operation: `test` with each case, and whatever else it is called with."""
    return dict(_built(schema, test, settings))


def _built(
    schema: BaseSchema, test: Callable[..., None], settings: hypothesis.settings
) -> Iterator[tuple[str, Callable[..., None]]]:
    for result in get_all_tests(schema=schema, test_func=test, settings=settings, given_kwargs={}):
        assert isinstance(result, Ok), result.err()
        operation, one = result.ok()
        yield operation.label, one
