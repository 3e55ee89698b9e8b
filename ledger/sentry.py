"""Errors to Sentry, when `SENTRY_DSN` is set: stack traces, and nothing of what people or vendors sent.

Settings as https://docs.sentry.io/platforms/python/data-management/sensitive-data/ describes them.
"""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

GONE: Final = "[redacted]"
_SHORTEST: Final = 8
"""Shorter values of the environment are words, not secrets."""
_SECRET_NAME = re.compile(
    r"(?i)authorization|cookie|password|passwd|secret|token|api[_-]?key|signature|credential|dsn|redis_url"
)
_SHAPES = re.compile(
    r"\b(?:whsec|[srp]k_live|[srp]k_test)_[0-9A-Za-z+/=]{8,}"
    r"|(?i:\b(?:bearer|basic)\s+[0-9A-Za-z+/=._~-]{8,})"
    r"|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"
    r"|[\w.%+-]+(?=@(?:[\w-]+\.)+[A-Za-z]{2,})"
    r"|\+\d{8,15}\b"
    r"|(?<=/a/)[^\s/?#\"']+"  # a link that acknowledges: who has it may
)
_OF_REQUESTS: Final = ("headers", "cookies", "data", "query_string", "env")


def start(environ: Mapping[str, str]) -> bool:
    """Report this process's unexpected errors. Data about people is off by default, and stays so.

    False without `SENTRY_DSN`. Raises ValueError on a bad one.
    """
    dsn = environ.get("SENTRY_DSN", "").strip()
    if not dsn:
        return False
    import sentry_sdk  # noqa: PLC0415  # a tenth of a process's start, for those who use it

    try:
        sentry_sdk.init(
            dsn=dsn,
            include_local_variables=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            before_send=scrubber(environ),
        )
    except sentry_sdk.utils.BadDsn:
        raise ValueError("SENTRY_DSN: this is no DSN; copy it from the project's settings") from None
    return True


def scrubber(environ: Mapping[str, str]) -> "Callable[[Event, Hint], Event]":
    """What every report goes through. Values of secret variables are found wherever they stand."""
    known = sorted(
        (value for name, value in environ.items() if _SECRET_NAME.search(name) and len(value) >= _SHORTEST),
        key=len,
        reverse=True,
    )

    def scrub(event: "Event", _: "Hint") -> "Event":
        request = event.get("request")
        if isinstance(request, dict):
            for part in _OF_REQUESTS:
                request.pop(part, None)
        clean: Event = _clean(event, known)
        return clean

    return scrub


def _clean(found: Any, known: list[str]) -> Any:
    if isinstance(found, str):
        for secret in known:
            found = found.replace(secret, GONE)
        return _SHAPES.sub(GONE, found)
    if isinstance(found, Mapping):
        return {name: _field(str(name), item, known) for name, item in found.items()}
    if isinstance(found, list | tuple):
        return [_clean(item, known) for item in found]
    return found


def _field(name: str, item: Any, known: list[str]) -> Any:
    return GONE if isinstance(item, str) and item and _SECRET_NAME.search(name) else _clean(item, known)
