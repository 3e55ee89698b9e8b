"""Refusal: a piece of text the configuration cannot use, what was found and what to write instead."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

LONGEST_SHOWN = 60


class Refusal(ValueError):
    """`found` and `fix` become one fault of the configuration; `at` leads from what was read to the place."""

    def __init__(self, found: str, fix: str, at: tuple[str | int, ...] = ()) -> None:
        super().__init__(f"{found}; {fix}")
        self.found = found
        self.fix = fix
        self.at = at


class Refusals(ValueError):
    """Several at once."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("\n".join(str(refusal) for refusal in refusals))
        self.refusals = tuple(refusals)


def refuse_all(refusals: Sequence[Refusal]) -> None:
    """Raise Refusals when there are any."""
    if refusals:
        raise Refusals(refusals)


def shown(value: object) -> str:
    """A value as a message quotes it, cut to a readable length."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def suggestion(name: str, known: Iterable[str]) -> str:
    """What to write instead of an unknown name: the nearest known one, or all of them."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{near[0]}"?'
    return f"write one of {', '.join(names)}" if names else "there is none to name yet"
