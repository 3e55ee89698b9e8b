"""What a template may do: Jinja's own sandbox, and of its language only what cannot grow without bound.

No macros, includes or calls but `range`; at most two loops within each other, over at most 100 items; values
of at most 4,000 characters; numbers of everyday size. So no template takes longer than a blink, and none needs
a clock to stop it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from routing.errors import TocsinError

LONGEST_SOURCE = 20_000
LONGEST_VALUE = 4_000
LONGEST_TEXT = 60_000
MOST_ITEMS = 100
DEEPEST_LOOPS = 2
MOST_LOOPS = 20
MOST_SETS = 50
_LARGEST = 10**15

_MAY = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.For, nodes.Assign,
    nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Compare,
    nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div,
    nodes.FloorDiv, nodes.List, nodes.Tuple, nodes.Call,
)  # fmt: skip
_LOOP = frozenset({"index", "index0", "first", "last", "length"})
_EACH = "each"
_FILE = "<template>"


class BadTemplate(TocsinError):
    """A template cannot be read, or not be filled in. `line` counts from 1 within its text; 0 where unknown."""

    def __init__(self, reason: str, line: int = 0, fix: str = "") -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.reason = reason
        self.line = line
        self.fix = fix


class SaysNothing(BadTemplate):
    """It could be filled in, and nothing is left of it."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """`asked`: what it names, as (line, variable, what is behind its first dot or "")."""

    template: Template
    asked: tuple[tuple[int, str, str], ...]

    def fill(self, facts: Mapping[str, Any]) -> str:
        """The text. Raises BadTemplate whatever goes wrong."""
        try:
            return "".join(_bounded_parts(self.template.generate(facts)))
        except BadTemplate as error:
            raise BadTemplate(error.reason, error.line or _line(error), error.fix) from error
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise BadTemplate(str(error) or type(error).__name__, _line(error)) from error


def _bounded_parts(parts: Iterator[str]) -> Iterator[str]:
    length = 0
    for part in parts:
        length += len(part)
        if length > LONGEST_TEXT:
            raise BadTemplate(f"it became longer than {LONGEST_TEXT} characters")
        yield part


@lru_cache(maxsize=256)
def compiled(text: str, *, html: bool) -> Compiled:
    """Raises BadTemplate naming the line and what is not possible."""
    if len(text) > LONGEST_SOURCE:
        raise BadTemplate(f"longer than {LONGEST_SOURCE} characters", fix="shorten it")
    environment = _HTML if html else _PLAIN
    try:
        tree = environment.parse(text)
        _refuse(tree)
        asked = tuple(_asked(tree))
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, _EACH, [], [], None, None, lineno=loop.lineno)
        code = environment.compile(tree, filename=_FILE)
    except TemplateSyntaxError as error:
        raise BadTemplate(error.message or "it cannot be read", error.lineno) from error
    except RecursionError as error:
        raise BadTemplate("nested too deeply", fix="flatten it") from error
    return Compiled(Template.from_code(environment, code, environment.globals), asked)


def _asked(tree: nodes.Template) -> Iterator[tuple[int, str, str]]:
    free = meta.find_undeclared_variables(tree)
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name in free:
            yield name.lineno, name.name, ""
    for dotted in tree.find_all(nodes.Getattr):
        if isinstance(dotted.node, nodes.Name) and dotted.node.name in free:
            yield dotted.lineno, dotted.node.name, dotted.attr


def _refuse(tree: nodes.Template) -> None:
    """Raises BadTemplate for what is no part of the language here."""
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, (*_MAY, nodes.Helper)):
            what = type(node).__name__.lower()
            raise BadTemplate(f"{what} is not possible here", node.lineno, "write it without")
        if isinstance(node, nodes.Call) and not (
            isinstance(node.node, nodes.Name) and node.node.name == "range"
        ):
            raise BadTemplate("a call", node.lineno, "only range(n) may be called; use filters instead")
        if isinstance(node, nodes.For) and node.recursive:
            raise BadTemplate("a recursive loop", node.lineno, "write it without")
        if isinstance(node, nodes.Assign) and not isinstance(node.target, nodes.Name):
            raise BadTemplate("set of anything but a name", node.lineno, "write {% set name = value %}")
    _refuse_many(tree, nodes.For, MOST_LOOPS, "loops")
    _refuse_many(tree, nodes.Assign, MOST_SETS, "sets")
    _refuse_depth(tree, 0)


def _refuse_many(tree: nodes.Template, kind: type[nodes.Node], most: int, what: str) -> None:
    found = list(tree.find_all(kind))
    if len(found) > most:
        raise BadTemplate(f"more than {most} {what}", found[most].lineno, "shorten it")


def _refuse_depth(node: nodes.Node, depth: int) -> None:
    for each in node.iter_child_nodes():
        deeper = depth + isinstance(each, nodes.For)
        if deeper > DEEPEST_LOOPS:
            raise BadTemplate(
                f"more than {DEEPEST_LOOPS} loops within each other", each.lineno, "take one out"
            )
        _refuse_depth(each, deeper)


def _line(error: BaseException) -> int:
    """The template's line that an error comes from, as Jinja has written it into the traceback."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _FILE:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


class _Environment(ImmutableSandboxedEnvironment):
    """Facts are plain data: a dot or an index leads to what they hold, never to what Python's objects can do."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Mapping) and argument in obj:
            return obj[argument]
        if isinstance(obj, (list, tuple, str)) and isinstance(argument, int):
            return obj[argument]
        return self.undefined(obj=obj, name=argument)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if not all(isinstance(each, int | float) for each in (left, right)):
            raise BadTemplate(f"{operator} of what is no number; write texts one after the other")
        found = super().call_binop(context, operator, left, right)
        if abs(found) > _LARGEST:
            raise BadTemplate(f"{operator} gives too large a number")
        return found


def _range(*bounds: int) -> range:
    found = range(*bounds)
    if len(found) > MOST_ITEMS:
        raise BadTemplate(f"range of more than {MOST_ITEMS}")
    return found


def _each(items: Any) -> Iterable[Any]:
    if not isinstance(items, (list, tuple, range)):
        raise BadTemplate("a loop over what is no list")
    if len(items) > MOST_ITEMS:
        raise BadTemplate(f"a loop over more than {MOST_ITEMS}")
    return items


def _default(value: Any, otherwise: Any = "") -> Any:
    """`otherwise` for what is not there, and for what is empty."""
    return value or otherwise if not isinstance(value, StrictUndefined) else otherwise


def _round(number: float) -> int:
    """To a whole number; how many digits are wanted is no question here, for it has no bound."""
    return round(number)


def _cut(value: Any, limit: int) -> str:
    text = str(value)
    return text if len(text) <= limit else f"{text[: max(0, limit - 1)].rstrip()}…"


def _lines(value: Any, most: int) -> str:
    return "\n".join(str(value).split("\n")[:most])


def _br(value: Any) -> Markup:
    """Lines for HTML."""
    return Markup("<br>\n").join(escape(line) for line in str(value).split("\n"))


def _bounded(filter_: Callable[..., Any]) -> Callable[..., Any]:
    def apply(value: Any, *more: Any) -> Any:
        found = filter_(value, *more)
        if isinstance(found, str) and len(found) > 2 * LONGEST_VALUE:
            raise BadTemplate(f"a value of more than {2 * LONGEST_VALUE} characters")
        return found

    return apply


def _filters() -> Iterator[tuple[str, Callable[..., Any]]]:
    own: dict[str, Callable[..., Any]] = {
        "upper": lambda text: str(text).upper(),
        "lower": lambda text: str(text).lower(),
        "capitalize": lambda text: str(text).capitalize(),
        "trim": lambda text: str(text).strip(),
        "replace": lambda text, old, new: str(text).replace(str(old), str(new)),
        "join": lambda items, between="": str(between).join(str(each) for each in _each(items)),
        "length": len,
        "first": lambda items: items[0] if items else "",
        "last": lambda items: items[-1] if items else "",
        "round": _round,
        "cut": _cut,
        "lines": _lines,
        "br": _br,
    }
    for name, each in own.items():
        yield name, _bounded(each)
    yield "default", _default
    yield _EACH, _each


def _made(*, html: bool) -> _Environment:
    environment = _Environment(
        undefined=StrictUndefined, autoescape=html, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters = dict(_filters())
    environment.tests = {name: environment.tests[name] for name in ("defined", "none")}
    environment.globals = {"range": _range}
    return environment


_PLAIN, _HTML = _made(html=False), _made(html=True)
