"""Where one can go: every page that says so with a `NAV`, in its order."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from console.trust.actor import Actor
from console.trust.acts import Act


@dataclass(frozen=True, slots=True)
class Nav:
    """A page's place among the others. The first four are at hand on a phone."""

    title: str
    path: str
    order: int
    act: Act = Act.READ
    """Only who may do this is shown the way."""


@dataclass(frozen=True, slots=True)
class Entry:
    title: str
    path: str
    current: bool
    waiting: int


def entries(path: str, waiting: Mapping[str, int], actor: Actor | None) -> list[Entry]:
    """For the page at `path`. `waiting`: title -> how many wait there."""
    here = _here(path)
    open_ = [each for each in known() if actor is not None and actor.may(each.act)]
    return [Entry(each.title, each.path, each == here, waiting.get(each.title, 0)) for each in open_]


@lru_cache(maxsize=1)
def known() -> tuple[Nav, ...]:
    from console.serving.app import modules  # noqa: PLC0415  # which imports the pages, which import this

    found = (nav for module in modules() if isinstance(nav := getattr(module, "NAV", None), Nav))
    return tuple(sorted(found, key=lambda nav: nav.order))


def _here(path: str) -> Nav | None:
    """The page whose address is the longest beginning of this one."""
    fitting = [
        each
        for each in known()
        if path == each.path or (each.path != "/" and path.startswith(f"{each.path}/"))
    ]
    return max(fitting, key=lambda each: len(each.path), default=None)
