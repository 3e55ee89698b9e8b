"""Regular expressions of the configuration: anchored, and refused when a hostile value could stall them.

Label values come from the internet, and a stalled pattern would stall the fold. Alertmanager's engine (RE2)
cannot stall; Python's can. So what RE2 does not have is refused, and so is what makes Python take for ever:
a repeat or a choice that is itself repeated, and more than three unbounded repeats.
"""

import re
import warnings
from collections.abc import Iterator

LONGEST = 1024
"""Values are matched by their first so many characters."""

_TOKEN = re.compile(
    r"\\(?P<escaped>.)|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?(?P<special>P=|[=!>(]|<[=!])|.", re.DOTALL
)
_UNBOUNDED = re.compile(r"[*+]|\{\d*,\}")
_REPEATED = re.compile(r"[*+]|\{\d*,?\d*\}")
_MOST_UNBOUNDED = 3


class BadPattern(ValueError):
    """The pattern cannot be used; the message says why and what to write."""


def compile_pattern(text: str) -> re.Pattern[str]:
    """Compile for use with `fullmatch`. Raises BadPattern."""
    _refuse_foreign(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            pattern = re.compile(text)
    except (re.error, Warning, OverflowError, RecursionError) as error:
        raise BadPattern(f"not a regular expression: {text!r}: {error}") from error
    if _can_stall(text):
        raise BadPattern(
            f"{text!r} has a repeat or a choice inside a repeat, which a long label could stall; "
            "write it without the outer repeat"
        )
    if sum(_UNBOUNDED.match(text, token.start()) is not None for token in _tokens(text)) > _MOST_UNBOUNDED:
        raise BadPattern(
            f"{text!r} has more than {_MOST_UNBOUNDED} of * and +, which a long label could stall"
        )
    return pattern


def _tokens(text: str) -> Iterator[re.Match[str]]:
    return _TOKEN.finditer(text)


def _refuse_foreign(text: str) -> None:
    for token in _tokens(text):
        if token["special"] or (token["escaped"] or "").isdigit():
            raise BadPattern(
                f"{text!r} uses {token.group()!r}: look-around and back-references are not supported; "
                "use a second matcher instead"
            )


def _can_stall(text: str) -> bool:
    """Whether a group that holds an unbounded repeat or a choice is itself repeated."""
    risky = [False]
    for token in _tokens(text):
        found = token.group()
        if found.startswith("("):
            risky.append(False)
        elif found == ")" and len(risky) > 1:
            inner = risky.pop()
            repeated = _REPEATED.match(text, token.end()) is not None
            if inner and repeated:
                return True
            risky[-1] = risky[-1] or inner
        elif found == "|" or _UNBOUNDED.match(text, token.start()):
            risky[-1] = True
    return False
