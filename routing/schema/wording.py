"""What to write instead, for the errors pydantic finds by itself."""

from collections.abc import Mapping
from typing import Any

from routing.schema.refusal import suggestion

_WANTED = {
    "string_type": "text, in quotes",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list, one item a line after a -",
    "tuple_type": "a list, one item a line after a -",
    "dict_type": "a mapping, one name: value a line",
    "model_type": "a mapping, one name: value a line",
    "too_short": "at least one",
    "greater_than_equal": "{ge} or more",
    "greater_than": "more than {gt}",
    "less_than_equal": "{le} or less",
    "less_than": "less than {lt}",
    "string_pattern_mismatch": "something that fits {pattern}",
}


def fix_of(details: Mapping[str, Any]) -> str:
    """`details` is one of pydantic's errors. Says what is wanted, never what was found."""
    facts = details.get("ctx", {})
    if details["type"] == "literal_error":
        return suggestion(str(details["input"]), _options(str(facts.get("expected", ""))))
    wanted = _WANTED.get(details["type"])
    return f"write {wanted.format(**facts)}" if wanted else str(details["msg"]).lower()


def _options(expected: str) -> list[str]:
    return [option.strip("' ") for option in expected.replace(" or ", ", ").split(", ")]
