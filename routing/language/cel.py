"""Conditions in CEL, where the optional package is installed: the same two questions as of JMESPath.

Source: github.com/google/cel-spec; read by cel-expr-python, the bindings of its C++ implementation.
"""

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

from routing.language.expressions import BadExpression

VARIABLES = ("event", "labels")


class NotInstalled(BadExpression):
    """The package that reads CEL is not there."""


def holds(expression: str, context: Mapping[str, Any]) -> bool:
    """Whether it is true. Raises BadExpression, also when it is neither true nor false."""
    try:
        value = compiled(expression).eval(data=dict(context)).value()
    except (RuntimeError, TypeError, ValueError) as error:
        raise BadExpression(expression, _short(error)) from error
    if not isinstance(value, bool):
        raise BadExpression(expression, f"it is neither true nor false: {str(value)[:200]}")
    return value


@lru_cache(maxsize=4096)
def compiled(expression: str) -> Any:
    """Parse and check once. Raises BadExpression; NotInstalled without the package."""
    try:
        cel = import_module("cel_expr_python.cel")
    except ImportError as error:
        raise NotInstalled(expression, "CEL is not installed") from error
    try:
        return cel.NewEnv(variables=dict.fromkeys(VARIABLES, cel.Type.DYN)).compile(expression)
    except (RuntimeError, TypeError, ValueError) as error:
        raise BadExpression(expression, _short(error)) from error


def _short(error: Exception) -> str:
    first = str(error).split("\n", 1)[0]
    return first.removeprefix("INVALID_ARGUMENT: ").removeprefix("ERROR: ").removeprefix("<input>:")[:200]
