"""What placeholders and conditions of a runbook may refer to: what is given, and earlier steps' results."""

from collections.abc import Collection, Iterable
from typing import Any

from routing.language import expressions, template
from routing.schema.refusal import Refusal, suggestion

GIVEN = {
    "incident": frozenset({"id", "title", "severity", "service", "team", "labels", "suspect"}),
    "run": frozenset({"id", "target"}),
    "now": frozenset[str](),
    "inputs": frozenset[str](),
}
"""What every runbook may refer to; a step's results come on top, under its id."""

INPUTS = "inputs"
"""Named by the runbook itself, which is looked at as a whole for them."""

SURE = frozenset(
    {"incident.id", "incident.title", "incident.severity", "incident.service", "incident.team", "run.id"}
)
"""What is always there, and so may name the target."""


def faults(value: Any, steps: Iterable[str]) -> list[Refusal]:
    """Of the placeholders anywhere in the value; `steps` are the ids of the steps before."""
    ids = frozenset(steps)
    return [
        Refusal(found, fix, at) for at, text in template.texts(value) for found, fix in _in_text(text, ids)
    ]


def input_faults(value: Any, inputs: Collection[str]) -> list[Refusal]:
    """Placeholders anywhere in the value that name an input there is not."""
    fix = "" if inputs else "add it to the runbook's inputs"
    return [
        Refusal(f'no input "{name}"', fix or suggestion(name, inputs), at)
        for at, text in template.texts(value)
        for path in template.paths(text)
        if path.startswith(f"{INPUTS}.") and (name := path.split(".")[1]) not in inputs
    ]


def target_faults(target: str) -> list[Refusal]:
    """A target is named before any step ran, so only what is always there may be in it."""
    unsure = [
        Refusal(f"{{{{ {path} }}}} may be missing when the run starts", suggestion(path, SURE))
        for path in template.paths(target)
        if path not in SURE
    ]
    return unsure or faults(target, ())


def condition_faults(condition: str, steps: Iterable[str]) -> list[Refusal]:
    """Names at the top of a condition that are neither given nor an earlier step."""
    names = GIVEN.keys() | set(steps)
    unknown = sorted(expressions.roots(condition) - names)
    return [Refusal(f'no step "{root}" before it', suggestion(root, names)) for root in unknown]


def _in_text(text: str, steps: frozenset[str]) -> Iterable[tuple[str, str]]:
    if template.is_malformed(text):
        yield "braces that are no placeholder", "write {{ name.field }}, nothing else inside"
    if "${" in text:
        yield "a ${NAME} where no secret belongs", "write it into the settings of the action's family"
    for path in template.paths(text):
        root, _, rest = path.partition(".")
        field = rest.partition(".")[0]
        if root not in GIVEN and root not in steps:
            yield f'no step "{root}" before it', suggestion(root, GIVEN.keys() | steps)
        elif root in GIVEN and root != INPUTS and field and field not in GIVEN[root]:
            yield f'no "{field}" in {root}', suggestion(field, GIVEN[root])
