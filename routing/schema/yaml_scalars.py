"""What a plain YAML scalar means: YAML 1.2's null, booleans and numbers, everything else text.

A scalar that YAML 1.1 tools read as something else than its author wrote is refused.
"""

import re
from math import isinf

from routing.schema.refusal import Refusal

_CONSTANTS: dict[str, bool | None] = {"": None, "~": None}
for _word, _value in (("null", None), ("true", True), ("false", False)):
    _CONSTANTS |= {_word: _value, _word.title(): _value, _word.upper(): _value}

_TRAP_WORDS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,17})", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?", re.ASCII)
_TRAPS = (
    (re.compile(r"[-+]?\d+(?::[0-5]?\d)+(?:\.\d*)?"), "a number to base 60 in older YAML", ", or 1h30m"),
    (re.compile(r"\+[\d_]+"), "a number that loses its plus", ", as telephone numbers are"),
    (re.compile(r"[-+]?0[\d_]+|0[ox][0-9a-fA-F_]+"), "an octal or hexadecimal number in some YAML", ""),
    (re.compile(r"[-+]?\d[\d_]*_[\d_]*"), "a number in older YAML", " or leave the _ out"),
    (re.compile(r"[-+]?\.(?:inf|nan)", re.IGNORECASE), "infinite or not a number", ""),
    (re.compile(r"[-+]?\d{19,}"), "a number too large to be exact", ""),
)


def scalar(text: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar. Raises Refusal for the traps."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text.lower() in _TRAP_WORDS:
        meant = _TRAP_WORDS[text.lower()]
        raise Refusal(f"{text} without quotes, which is {meant} in older YAML", f'write {meant}, or "{text}"')
    if text[0] not in "+-." and not text[0].isdigit():
        return text
    for trap, what, more in _TRAPS:
        if trap.fullmatch(text):
            raise Refusal(f"{text} without quotes, {what}", f'write "{text}" in quotes{more}')
    if _INTEGER.fullmatch(text):
        return int(text)
    if not _FLOAT.fullmatch(text):
        return text
    if isinf(float(text)):
        raise Refusal(f"{text} without quotes, a number too large", f'write "{text}" in quotes')
    return float(text)
