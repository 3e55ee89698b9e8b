"""Regular expressions of the configuration: anchored, and refused when a hostile value could stall them.

Label values come from the internet, and a stalled pattern would stall the fold. Alertmanager's engine (RE2)
cannot stall; Python's can. So what RE2 does not have is refused, and so is what makes Python take for ever:
a repeat or a choice that is itself repeated, and more than three unbounded repeats.
"""

import re
import warnings
from collections.abc import Iterator
from functools import lru_cache

from routing.schema.refusal import Refusal, shown

LONGEST = 1024
"""Values are matched by their first so many characters."""
MOST_UNBOUNDED = 3

_TOKEN = re.compile(
    r"\\(?P<escaped>.)|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?(?P<special>P=|[=!>(]|<[=!])|.", re.DOTALL
)
_UNBOUNDED = re.compile(r"[*+]|\{\d*,\}")
_REPEATED = re.compile(r"[*+]|\{\d*,?\d*\}")


class BadPattern(Refusal):
    """The pattern cannot be used."""


@lru_cache(maxsize=1024)
def compile_pattern(text: str) -> re.Pattern[str]:
    """Compile for use with `fullmatch`. Raises BadPattern."""
    _refuse_foreign(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            pattern = re.compile(text)
    except (re.error, Warning, OverflowError, RecursionError) as error:
        raise BadPattern(f"{shown(text)} is no regular expression: {error}", "mend or escape it") from error
    _refuse_stalling(text)
    return pattern


def _tokens(text: str) -> Iterator[re.Match[str]]:
    return _TOKEN.finditer(text)


def _refuse_foreign(text: str) -> None:
    for token in _tokens(text):
        if token["special"] or (token["escaped"] or "").isdigit():
            raise BadPattern(
                f"{shown(text)} uses {token.group()}, a look-around or back-reference",
                "say it with a second matcher instead",
            )


def _refuse_stalling(text: str) -> None:
    if _nests_repeats(text):
        raise BadPattern(
            f"{shown(text)} repeats what holds a repeat or a choice: a long label could stall it",
            "write it without the outer repeat",
        )
    if sum(_UNBOUNDED.match(text, token.start()) is not None for token in _tokens(text)) > MOST_UNBOUNDED:
        raise BadPattern(
            f"{shown(text)} has more than {MOST_UNBOUNDED} of * and +: a long label could stall it",
            "split it into several matchers",
        )


def _nests_repeats(text: str) -> bool:
    """Whether a group that holds an unbounded repeat or a choice is itself repeated."""
    risky = [False]
    for token in _tokens(text):
        found = token.group()
        if found.startswith("("):
            risky.append(False)
        elif found == ")" and len(risky) > 1:
            inner = risky.pop()
            if inner and _REPEATED.match(text, token.end()):
                return True
            risky[-1] = risky[-1] or inner
        elif found == "|" or _UNBOUNDED.match(text, token.start()):
            risky[-1] = True
    return False
