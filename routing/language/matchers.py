r"""Label matchers with Alertmanager's semantics: `severity=~"a|b"`, `team!=""`, `{kind="x",team!~"y.*"}`.

A label that is absent equals the empty value. Regular expressions are anchored at both ends. Values may be
bare or in double quotes; in both, \n, \" and \\ are escapes and any other backslash is itself. Names with
characters outside [a-zA-Z0-9_:] may be quoted. Source: Alertmanager, "Configuration: matchers".
"""

import re
from collections.abc import Callable, Mapping, Sequence

from routing.language.index import Matcher as AnyMatcher
from routing.language.patterns import LONGEST, compile_pattern
from routing.schema.refusal import Refusal, shown

Labels = Mapping[str, str]

_FORM = re.compile(
    r"""\s*(?:"(?P<quoted>(?:[^"\\]|\\.)+)"|(?P<name>[^{}!=~,\\"'`\s]+))\s*(?P<op>=~|!=|!~|=)\s*(?P<value>.*?)\s*""",
    re.DOTALL,
)
_PLAIN_NAME = re.compile(r"""[^{}!=~,\\"'`\s]+""")
_ESCAPED = re.compile(r'\\([n"\\])')
_LETTERS = {"n": "\n", '"': '"', "\\": "\\"}


class BadMatcher(Refusal):
    """Not a matcher, or one whose value is not a usable regular expression."""


class Matcher:
    """One compiled matcher. `str()` gives text that parses to an equal one."""

    __slots__ = ("matches", "name", "op", "value")

    matches: Callable[[Labels], bool]
    """A closure, not a method: the fold calls it for every event and rule."""

    def __init__(self, name: str, op: str, value: str) -> None:
        """`op` is =, !=, =~ or !~. Raises BadMatcher."""
        self.name, self.op, self.value = name, op, value
        try:
            self.matches = _CLOSURES[op](name, value)
        except Refusal as error:
            raise BadMatcher(error.found, error.fix) from error

    def __str__(self) -> str:
        name = self.name if _PLAIN_NAME.fullmatch(self.name) else _quote(self.name)
        return f"{name}{self.op}{_quote(self.value)}"

    def __repr__(self) -> str:
        return f"Matcher({self})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Matcher) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[str, str, str]:
        return self.name, self.op, self.value


def parse(text: str) -> Matcher:
    """One matcher. Raises BadMatcher."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise BadMatcher(f"{shown(text)} is not a matcher", 'write name="value", with =, !=, =~ or !~')
    name = _unescape(form["quoted"]) if form["quoted"] else form["name"]
    return Matcher(name, form["op"], _value(form["value"], text))


def parse_all(text: str) -> tuple[Matcher, ...]:
    """A list of matchers, comma separated, in braces or without. Raises BadMatcher."""
    inner = text.strip()
    if inner.startswith("{") != inner.endswith("}"):
        raise BadMatcher(f"{shown(text)} has unbalanced braces", "write both { and }, or none")
    parts = _split(inner.removeprefix("{").removesuffix("}"))
    if parts and not parts[-1].strip():
        parts.pop()
    if not parts:
        raise BadMatcher(f"{shown(text)} has no matcher in it", 'write name="value"')
    return tuple(parse(part) for part in parts)


def from_mapping(name: str, value: str | Sequence[str]) -> Matcher:
    """The mapping form of YAML: `name: value` is equality, `name: [a, b]` is one of these."""
    if isinstance(value, str):
        return Matcher(name, "=", value)
    if len(value) == 1:
        return Matcher(name, "=", value[0])
    return Matcher(name, "=~", "|".join(re.escape(each) for each in value))


def all_match(matchers: Sequence[AnyMatcher], labels: Labels) -> bool:
    """Whether every one matches; no matcher at all matches everything."""
    for matcher in matchers:  # noqa: SIM110  # a generator costs as much as three tests
        if not matcher.matches(labels):
            return False
    return True


def _equal(name: str, value: str) -> Callable[[Labels], bool]:
    return lambda labels: labels.get(name, "") == value


def _unequal(name: str, value: str) -> Callable[[Labels], bool]:
    return lambda labels: labels.get(name, "") != value


def _like(name: str, value: str) -> Callable[[Labels], bool]:
    fits = compile_pattern(value).fullmatch
    return lambda labels: fits(labels.get(name, "")[:LONGEST]) is not None


def _unlike(name: str, value: str) -> Callable[[Labels], bool]:
    fits = compile_pattern(value).fullmatch
    return lambda labels: fits(labels.get(name, "")[:LONGEST]) is None


_CLOSURES: Mapping[str, Callable[[str, str], Callable[[Labels], bool]]] = {
    "=": _equal,
    "!=": _unequal,
    "=~": _like,
    "!~": _unlike,
}


def _value(raw: str, text: str) -> str:
    quoted = raw.startswith('"')
    inner = raw[1:-1] if quoted and len(raw) > 1 and raw.endswith('"') else raw
    # What is left of quotes once every escape is taken out is a quote nobody escaped.
    if '"' in _ESCAPED.sub("", inner) or (quoted and _ends_escaped(inner)):
        raise BadMatcher(f"{shown(text)} has an unescaped double quote", 'write \\" inside of "..."')
    return _unescape(inner)


def _ends_escaped(inner: str) -> bool:
    """Whether the closing quote was itself escaped: the number of trailing backslashes is odd."""
    return (len(inner) - len(inner.rstrip("\\"))) % 2 == 1


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda found: _LETTERS[found[1]], text)


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _split(text: str) -> list[str]:
    """At the commas outside of quotes."""
    parts, quoted, escaped, start = [], False, False, 0
    for place, letter in enumerate(text):
        if escaped:
            escaped = False
        elif letter == "\\":
            escaped = True
        elif letter == '"':
            quoted = not quoted
        elif letter == "," and not quoted:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]
