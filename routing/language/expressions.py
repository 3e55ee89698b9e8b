"""Conditions in JMESPath: guards and verifications of runbooks, `when` of severity rules.

Data only: an expression reads its context and can do nothing else. Source: jmespath.org, "Specification".
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.parser import ParsedResult

from routing.errors import TocsinError
from routing.schema.refusal import Refusal, shown, suggestion

_SAME_SCOPE = {"comparator", "and_expression", "or_expression", "not_expression", "function_expression"}
_FROM_FIRST = {"subexpression", "index_expression", "projection", "value_projection", "filter_projection"}
_SAME_SCOPE |= {"multi_select_list", "multi_select_dict", "key_val_pair", "expref"}


FUNCTIONS: frozenset[str] = frozenset(Functions.FUNCTION_TABLE)


class BadExpression(TocsinError):
    """The expression cannot be parsed, or not be evaluated over this context."""

    def __init__(self, expression: str, reason: str) -> None:
        super().__init__(f"condition {expression!r}: {reason}")
        self.expression = expression
        self.reason = reason


def evaluate(expression: str, context: Mapping[str, Any]) -> Any:
    """Its value, None where a path leads nowhere. Raises BadExpression."""
    try:
        return compiled(expression).search(context)
    except (JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise BadExpression(expression, _short(error)) from error


def holds(expression: str, context: Mapping[str, Any]) -> bool:
    """Whether it is true to JMESPath: null, false, "", [] and {} are not, 0 is. Raises BadExpression."""
    value = evaluate(expression, context)
    # `0 in (False, ...)` would be true: hence identity for the two constants.
    return value is not None and value is not False and value not in ("", [], {})


@lru_cache(maxsize=4096)
def compiled(expression: str) -> ParsedResult:
    """Parse once. Raises BadExpression."""
    try:
        return jmespath.compile(expression)
    except (JMESPathError, ValueError, RecursionError) as error:
        raise BadExpression(expression, _short(error)) from error


def pitfalls(expression: str) -> list[Refusal]:
    """What parses and yet cannot be meant. Raises BadExpression."""
    return list(_pitfalls(expression, compiled(expression).parsed))


def roots(expression: str) -> frozenset[str]:
    """The names it reads at the top of its context: what must exist there. Raises BadExpression."""
    return frozenset(_roots(compiled(expression).parsed))


def _roots(node: Mapping[str, Any]) -> set[str]:
    if node["type"] == "field":
        return {node["value"]}
    children = node["children"]
    # In a.b, a[0], a | b and projections only the first part is read from the top.
    own = children if node["type"] in _SAME_SCOPE else children[:1]
    return {name for child in own for name in _roots(child)}


def _pitfalls(expression: str, node: Mapping[str, Any]) -> Iterator[Refusal]:
    children = [child for child in node["children"] if isinstance(child, Mapping)]
    if node["type"] == "function_expression" and node["value"] not in FUNCTIONS:
        yield Refusal(f"{shown(expression)} calls {node['value']}()", suggestion(node["value"], FUNCTIONS))
    if node["type"] in _FROM_FIRST and children[0]["type"] == "not_expression":
        found = f"{shown(expression)}, in which ! binds tighter than the dot"
        yield Refusal(found, "write !(a.b) instead of !a.b")
    for child in children:
        yield from _pitfalls(expression, child)


def _short(error: Exception) -> str:
    first = str(error).split("\n", 1)[0].removesuffix("for expression:").rstrip(" ,:")
    return first.removeprefix("Bad jmespath expression: ").removeprefix("Invalid jmespath expression: ")[:200]
