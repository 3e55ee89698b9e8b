"""Secrets taken out of what is kept or shown: outputs of steps, answers of providers, texts of errors.

What is looked for is said in `routing.redaction`.
"""

from typing import Any

import orjson

from routing.redaction import GONE, text, value

__all__ = ["GONE", "MAX_BYTES", "error", "output", "text", "value"]

MAX_BYTES = 50_000
"""Of one step's output, as JSON."""


def output(found: Any, most: int = MAX_BYTES) -> Any:
    """A step's output as it may be kept: redacted, and at most `most` bytes as JSON.

    What is longer becomes {"truncated": true, "bytes": <its length>, "head": <its beginning as text>}.
    Raises TypeError when it is no JSON.
    """
    clean = value(found)
    encoded = orjson.dumps(clean, option=orjson.OPT_NON_STR_KEYS)
    if len(encoded) <= most:
        return clean
    head = encoded[: most // 4].decode(errors="ignore")
    return {"truncated": True, "bytes": len(encoded), "head": head}


def error(found: BaseException, limit: int = 500) -> str:
    """Say "ConnectionError: ..." of an unexpected exception: one line, bounded, without secrets."""
    said = " ".join(text(str(found)).split())
    name = type(found).__name__
    return f"{name}: {said}"[:limit] if said else name
