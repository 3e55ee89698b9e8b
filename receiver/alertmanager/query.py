"""What is asked for in the address: matchers, states, and who would be told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.datastructures import QueryParams

from routing.language import matchers, patterns
from routing.language.matchers import BadMatcher, Matcher
from routing.schema.refusal import Refusal

_MOST = 64
_TRUE = frozenset({"true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"})
"""As the generated server of Alertmanager reads it; anything else is false."""


class BadQuery(Exception):
    """Says what cannot be read."""


@dataclass(frozen=True, slots=True)
class Query:
    """`told(name)`: whether a name of who would be told is wanted."""

    wanted: Sequence[Matcher]
    told: Callable[[str], bool]
    params: QueryParams

    def flag(self, name: str) -> bool:
        """True unless it says otherwise."""
        given = self.params.get(name, "")
        return not given or given.lower() in _TRUE


def read(params: QueryParams) -> Query:
    """Raises BadQuery."""
    return Query(_matchers(params, "filter"), _told(params), params)


def _matchers(params: QueryParams, name: str) -> list[Matcher]:
    texts = params.getlist(name)
    if len(texts) > _MOST:
        raise BadQuery(f"more than {_MOST} of {name}")
    try:
        return [matchers.parse(text) for text in texts]
    except BadMatcher as error:
        raise BadQuery(f"bad matcher format: {error}") from error


def _told(params: QueryParams) -> Callable[[str], bool]:
    """By `receiver`, a pattern, and `receiver_matchers`, which ask for labels that ours have not."""
    unlabelled = matchers.all_match(_matchers(params, "receiver_matchers"), {})
    text = params.get("receiver", "")
    if not text:
        return lambda _: unlabelled
    try:
        fits = patterns.compile_pattern(text).fullmatch
    except Refusal as error:
        raise BadQuery(f"failed to parse receiver param: {error}") from error
    return lambda name: unlabelled and fits(name[: patterns.LONGEST]) is not None
