"""Pages from templates: what every page has around it, and every text made harmless on its way."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from console.serving import words
from routing.duration import span

ROOM = Path(__file__).parents[1]
STATIC = ROOM / "static"


@lru_cache(maxsize=1)
def templates() -> Environment:
    """No text is markup, unknown names are faults, and every value passes `inert`."""
    found = Environment(
        loader=FileSystemLoader(ROOM / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=words.inert,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.filters |= {
        "ms": words.ms, "iso": words.iso, "clock": words.clock, "day": words.day, "link": words.link,
        "long": words.long, "size": words.size, "span": span, "laid_out": words.laid_out,
    }  # fmt: skip
    found.globals |= {"static": static, "ago": words.ago, "left": words.left, "many": words.many}
    return found


@lru_cache(maxsize=64)
def static(name: str) -> str:
    """Where a file of `console/static` is served; its address changes with it, so that it may be kept for ever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def written(template: str, facts: dict[str, Any]) -> str:
    return templates().get_template(template).render(facts)
