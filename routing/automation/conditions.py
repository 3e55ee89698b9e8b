"""Conditions of a runbook on what was diagnosed: a guard, or the `when` of a step, held against it."""

from typing import Any

import msgspec

from routing.entry import Outcome
from routing.errors import TocsinError
from routing.language import expressions
from routing.run import Run


class Judgement(msgspec.Struct, frozen=True):
    """`problem` says why nobody can tell whether it holds; "" where it was judged."""

    holds: bool
    problem: str = ""


def judge(condition: str, run: Run, known: dict[str, Any]) -> Judgement:
    """Whether it holds. One that does not, and asks for what could not be found out, cannot be judged."""
    try:
        if expressions.holds(condition, known):
            return Judgement(holds=True)
        asked = expressions.roots(condition)
    except TocsinError as error:
        return Judgement(holds=False, problem=str(error))
    failed = [state for state in run.steps if state.id in asked and state.outcome not in {"", Outcome.OK}]
    problem = "; ".join(f"{state.id} {state.outcome}: {state.error}" for state in failed)
    return Judgement(holds=False, problem=problem)
