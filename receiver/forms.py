"""Bodies as browsers send forms: `name=value&name=value`, percent-encoded."""

from urllib.parse import parse_qsl, urlencode

from routing.errors import Unreadable

_MOST = 256


def loads(body: bytes) -> dict[str, str]:
    """Names and values. Raises Unreadable: for a name sent twice, or more than 256 of them."""
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=bool(body),
            max_num_fields=_MOST,
            errors="strict",
        )
    except (ValueError, UnicodeError) as error:
        raise Unreadable("the body is not a form") from error
    found = dict(pairs)
    if not found:
        raise Unreadable("the form is empty")
    if len(found) != len(pairs):
        raise Unreadable("a field appears more than once in the form")
    return found


def dumps(fields: dict[str, str]) -> bytes:
    return urlencode(fields).encode()
