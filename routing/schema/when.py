"""When a rule holds: a condition over an event and its labels, in JMESPath, or in CEL where that is installed."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import PlainValidator

from routing.language import cel, expressions
from routing.schema.fields import condition
from routing.schema.refusal import Refusal, refuse_all, shown
from routing.schema.written import CONDITION, Form, shown_as


@dataclass(frozen=True, slots=True)
class WhenPart:
    language: str
    text: str


def asks_of_an_event(text: str) -> str:
    """The expression, when it reads nothing but an event and its labels. Raises Refusals."""
    unknown = sorted(expressions.roots(text) - {"event", "labels"})
    refuse_all([Refusal(f'no "{name}" to ask about', "write event.… or labels.…") for name in unknown])
    return text


def _when(value: Any) -> WhenPart:
    if isinstance(value, str):
        return WhenPart("jmespath", asks_of_an_event(condition(value)))
    text = value.get("cel") if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(text, str):
        raise Refusal(f"{shown(value)} is no condition", "write a JMESPath condition, or {cel: ...}")
    try:
        cel.compiled(text)
    except cel.NotInstalled as error:
        fix = "install it with: pip install 'tocsin[cel]', or write the condition in JMESPath"
        raise Refusal("a condition in CEL, which is not installed here", fix, ("cel",)) from error
    except expressions.BadExpression as error:
        fix = "write a CEL condition over event and labels, like labels.env == 'prod'"
        raise Refusal(f"{shown(text)} is no condition: {error.reason}", fix, ("cel",)) from error
    return WhenPart("cel", text)


_IN_CEL: Form = {
    "type": "object",
    "properties": {"cel": {"type": "string", "description": "a condition in CEL over event and labels"}},
    "required": ["cel"],
    "additionalProperties": False,
}

When = Annotated[WhenPart, PlainValidator(_when), shown_as({"anyOf": [CONDITION, _IN_CEL]})]
