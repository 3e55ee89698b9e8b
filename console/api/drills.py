"""Fire drills: when the next ones come, how each ended, and how they went all together."""

from itertools import islice

from console.api.declared import Asked, Operation, few
from console.api.serving import routes
from console.api.shapes import Free, Instant, Level, Paged, Shape
from console.drills import coming, next_one, page, reported
from console.measured import MOST
from console.trust.acts import Act

READ = 500
"""Incidents looked through for one page."""


class NextDrill(Shape):
    drill: str
    title: str
    at: Instant
    timezone: str
    escalation: str
    origin: str


class HeldDrill(Shape):
    id: str
    drill: str
    at: Instant
    severity: Level
    paged: list[str]
    answered_by: str
    answer_ms: int | None
    outcome: str


class Drills(Shape):
    """`held` newest first. `after` "" is the last page; one may have fewer than there could be, or none."""

    next: list[NextDrill]
    held: list[HeldDrill]
    after: str


class DrillRow(Shape):
    """Of those that are over; `last` is how the last one ended, `findings` are the incidents that nobody answered."""

    drill: str
    held: int
    answered: int
    median_ms: int | None
    slowest_ms: int | None
    last: str
    findings: list[str]


class DrillReport(Shape):
    """`cut`: only the newest twenty thousand incidents were looked through."""

    drills: list[DrillRow]
    cut: bool


def drills(asked: Asked) -> Free:
    wants, context = asked.queried(Paged), asked.context
    held, after = page(context, wants.limit, wants.after, READ)
    following = [next_one(rule, at) for rule, at in coming(context)]
    return {"next": following, "held": [each.as_json() for each in held], "after": after}


def report(asked: Asked) -> Free:
    read = [incident for incident, _ in islice(asked.context.store.incidents(), MOST + 1)]
    return {"drills": reported(read[:MOST]), "cut": len(read) > MOST}


OPERATIONS = (
    Operation("GET", "/drills", Act.READ, "List when each drill comes next, and those that were held.", drills, Drills,
              Paged),
    Operation("GET", "/drills/report", Act.READ, "Say of each drill how often it was answered, and how soon.",
              few(report), DrillReport),
)  # fmt: skip
ROUTES = routes(OPERATIONS)
