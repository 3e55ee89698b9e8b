"""Gaps: how vendors were asked for what we missed, and having one asked now."""

from console import gaps as asking
from console.api.declared import Asked, Operation
from console.api.serving import routes
from console.api.shapes import Free, Instant, Shape
from console.refusals import Nowhere
from console.trust.acts import Act


class Gap(Shape):
    """`error`: why the last try failed. `off`: why its vendor is not asked at all."""

    name: str
    vendor: str
    on: bool
    off: str | None
    asked_at: Instant
    known_until: Instant
    next_in_s: int
    reading_on: bool
    found: int
    found_at: Instant
    refused: int
    failures: int
    failing_since: Instant
    error: str | None
    troubles: list[str]


class Gaps(Shape):
    gaps: list[Gap]


def gaps(asked: Asked) -> Free:
    return {"gaps": asking.rows_of(asked.context, asked.now)}


def ask(asked: Asked) -> Free:
    """Within seconds, by upkeep: the console holds no key of a vendor."""
    name = asked.path["name"]
    if name not in asked.context.policy.sources:
        raise Nowhere(f"no source {name[:100]!r}; see: tocsin sources list")
    asking.want(asked.context, name, asked.now)
    return gaps(asked)


OPERATIONS = (
    Operation("GET", "/gaps", Act.READ, "List how vendors were asked for what we missed.", gaps, Gaps),
    Operation("POST", "/gaps/{name}/ask", Act.ASK_VENDOR, "Have the vendor of a source asked at once.", ask, Gaps,
              refusals=(404,)),
)  # fmt: skip
ROUTES = routes(OPERATIONS)
