"""How fields are written: their patterns, and each form in the words of JSON Schema, for editors.

The schemas use the readers' own patterns, so what is read and what editors take cannot part. They tell shape
alone: whether a name is defined and whether it all makes sense is for `tocsin check`.
"""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema

from routing import duration
from routing.severity import Severity

Form = dict[str, Any]

RESERVED_LABELS = frozenset(
    {"source", "vendor", "kind", "status", "severity", "vendor_severity", "team", "service", "service_tier"}
)
"""Set by the event and its rule."""

NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.]{0,127}")
SECRET = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^{}]*))?\}")
URL = re.compile(r"https?://[A-Za-z0-9._\[\]:-]+(?:/[^\s?#]*)?")
DATE = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])")
TIME_OF_DAY = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00")

_DAY = r"(?:[0-9]{4}-?[0-9]{2}-?[0-9]{2}|[0-9]{4}-?W[0-9]{2}(?:-?[0-9])?)"
_LOCAL_TIME = re.compile(_DAY + r"T[0-9][0-9:.,]*")
SPOKEN = re.compile(r"[a-z]{2,3}(?:-[A-Z][A-Za-z]{1,3})?")
_ZONE = re.compile(r"[A-Za-z0-9_+/-]+")


def ecma(form: re.Pattern[str]) -> str:
    """The pattern as JSON Schema has it, not anchored. Of Python's own it knows named groups and ASCII digits."""
    return re.sub(r"\(\?P<\w+>", "(?:", form.pattern).replace(r"\d", "[0-9]")


def whole(form: re.Pattern[str]) -> str:
    """The same for `fullmatch`."""
    return f"^(?:{ecma(form)})$"


def like(form: re.Pattern[str], description: str, *examples: str) -> Form:
    """Text that is one of the pattern as a whole."""
    return {
        "type": "string",
        "pattern": whole(form),
        "description": description,
        "examples": [*examples],
    }


def several(item: Form) -> Form:
    """A list that is not empty."""
    return {"type": "array", "items": item, "minItems": 1}


def shown_as(form: Form) -> WithJsonSchema:
    """The annotation that gives a type this form."""
    return WithJsonSchema(form)


@dataclass(frozen=True, slots=True)
class Short:
    """The annotation of a part that may be written as one text instead."""

    description: str

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Form:
        return {"anyOf": [{"type": "string", "description": self.description}, handler(schema)]}


def _span(least: str, description: str, *examples: str) -> Form:
    form = rf"^\s*(?={least})(?:{ecma(duration.FORM)})\s*$"
    return {"type": "string", "pattern": form, "description": description, "examples": [*examples]}


WORDS: Form = {"type": "string", "pattern": r"\S"}
"""Text that is not blank."""

NAMED = like(NAME, "a name: lower-case letters, digits, - and _, a letter first", "payments-failing")
LABEL_NAME = like(LABEL, "name of a label", "customer")
OWN_LABEL = LABEL_NAME | {"not": {"enum": sorted(RESERVED_LABELS)}}
NETWORK = like(re.compile(r"[0-9A-Fa-f.:]+(?:/[0-9]{1,3})?"), "addresses as CIDR", "192.0.2.0/24")
CONDITION: Form = {"type": "string", "pattern": r"\S", "description": "a condition in JMESPath"}

DURATION = _span("[0-9]", "a duration with its unit, like 90s, 5m or 1h30m", "0s", "5m", "1h30m")
POSITIVE_DURATION = _span(".*[1-9]", "a duration with its unit, like 90s, 5m or 1h30m", "5m", "1h30m", "7d")
SEVERITY: Form = {
    "type": "string",
    "enum": [str(each) for each in Severity],
    "description": "SEV-0 (worst) to SEV-4",
}
VENDORS_SEVERITY: Form = SEVERITY | {
    "enum": [str(each) for each in Severity if each is not Severity.SEV0],
    "description": "SEV-1 to SEV-4",
}
ZONE = like(_ZONE, "IANA name of a time zone", "Europe/Warsaw", "UTC")
LANGUAGE = like(SPOKEN, "code of a language, with a country or without", "pl", "pl-PL")
LOCAL_TIME = like(_LOCAL_TIME, "local date and time without offset", "2026-01-05T09:00")
ADDRESS = like(URL, "address, like https://alerts.example.com", "https://alerts.example.com")

_MATCHER: Form = {
    "type": "string",
    "pattern": r"\S\s*(?:=|!~)",
    "description": 'name="value", with =, !=, =~ or !~',
}
_WORD: Form = {"type": "string"}
MATCHERS: Form = {
    "anyOf": [
        several(_MATCHER),
        _MATCHER,
        {
            "type": "object",
            "propertyNames": {"pattern": whole(LABEL)},
            "additionalProperties": {"anyOf": [_WORD, several(_WORD)]},
            "minProperties": 1,
        },
    ],
    "description": "matchers, all of which must hold; or a mapping of label to value or values",
    "examples": [['kind="SiteDown"', 'service=~"checkout|booking"'], {"kind": "SiteDown"}],
}

_PLAIN = r"(?![\s\S]*\$\{)[\s\S]*"
SETTING: Form = {
    "pattern": f"^(?:{_PLAIN}|{ecma(SECRET)})$",
    "description": "a value, or ${NAME} or ${NAME:-default} and nothing around it",
}
SECRET_VALUE: Form = SETTING | {
    "type": "string",
    "minLength": 1,
    "description": "a secret, like ${STRIPE_WEBHOOK_SECRET}",
    "examples": ["${STRIPE_WEBHOOK_SECRET}"],
}
