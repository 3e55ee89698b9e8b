"""The impact matrix of `severity.yaml`, and how rules and service tiers refer to it."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator

from routing.policy import Impact, Matrix
from routing.schema.fields import Name, SeverityField, condition
from routing.schema.part import Spot
from routing.schema.refusal import Refusal, refuse_all, shown, suggestion
from routing.schema.when import asks_of_an_event
from routing.schema.written import CONDITION, Form, shown_as, whole
from routing.schema.yaml_marks import Path

_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?")
TIERS = ("1", "2", "3", "4")

Cells = dict[Name, dict[Name, SeverityField]]


def _complete(cells: Cells) -> Cells:
    """Every scope says of everyone who may be hit how bad it is."""
    columns = list(dict.fromkeys(column for row in cells.values() for column in row))
    if not columns:
        raise Refusal("an empty matrix", "write scopes, and for each who is hit: a severity")
    refuse_all(
        [
            Refusal(f'"{column}" is missing', f"add {column}: a severity, as the other rows have", (scope,))
            for scope, row in cells.items()
            for column in columns
            if column not in row
        ]
    )
    return {scope: {column: row[column] for column in columns} for scope, row in cells.items()}


def _impact(value: Any) -> Impact:
    if isinstance(value, str):
        return Impact(word=value)
    if (
        not isinstance(value, dict)
        or not isinstance(value.get("value"), str)
        or value.keys() - {"value", "bands"}
    ):
        fix = "write a word of the matrix, or {value: labels.…} with bands where it is a number"
        raise Refusal(f"{shown(value)} is no impact", fix)
    bands = value.get("bands", {})
    if not isinstance(bands, dict) or not all(isinstance(word, str) for word in bands.values()):
        raise Refusal(
            f"{shown(bands)} is no mapping of bands", 'write it like {"1000": many, "1": few}', ("bands",)
        )
    read = sorted(((_least(least), word) for least, word in bands.items()), reverse=True)
    return Impact(value=asks_of_an_event(condition(value["value"])), bands=tuple(read))


def _least(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise Refusal(f"{shown(text)} is no number", "write the least number of the band", ("bands", text))
    return float(text)


def _tiers(tiers: dict[str, str]) -> dict[str, str]:
    wrong = [tier for tier in tiers if tier not in TIERS]
    refuse_all([Refusal(f'no tier "{tier}"', "write 1, 2, 3 or 4", (tier,)) for tier in wrong])
    return tiers


_WORD: Form = {"type": "string", "description": "a word of the matrix"}
_BANDS: Form = {
    "type": "object",
    "propertyNames": {"pattern": whole(_NUMBER)},
    "additionalProperties": _WORD,
    "description": 'the least number of each band, and its word, like {"1000": many, "1": few}',
}
_OF_THE_EVENT: Form = {
    "type": "object",
    "properties": {"value": CONDITION, "bands": _BANDS},
    "required": ["value"],
    "additionalProperties": False,
}

MatrixPart = Annotated[Cells, AfterValidator(_complete), Field(json_schema_extra={"minProperties": 1})]
Tier = Annotated[str, shown_as({"enum": [*TIERS]})]
TierWords = Annotated[dict[Tier, str], AfterValidator(_tiers)]
ImpactField = Annotated[Impact, PlainValidator(_impact), shown_as({"anyOf": [_WORD, _OF_THE_EVENT]})]


def unknown_words(
    matrix: Cells | None, tiers: Mapping[str, str], sides: Mapping[Path, Impact]
) -> list[Refusal]:
    """`sides`: by their place, whose last part is "scope" or "affects", what rules say of the impact."""
    if matrix is None:
        places = [*sides, *(("tiers", tier) for tier in tiers)]
        return [Refusal("there is no impact matrix", "write matrix: in severity.yaml", at) for at in places]
    columns = tuple(next(iter(matrix.values())))
    words: list[tuple[Path, str, tuple[str, ...]]] = [
        (("tiers", tier), word, columns) for tier, word in tiers.items()
    ]
    for at, impact in sides.items():
        known = tuple(matrix) if at[-1] == "scope" else columns
        words += [
            (at, word, known) for word in ([impact.word] if impact.word else dict(impact.bands).values())
        ]
    return [
        Refusal(f'"{word}" is not in the matrix', suggestion(word, known), at)
        for at, word, known in words
        if word not in known
    ]


def build_matrix(cells: Cells | None, spot: Spot) -> Matrix | None:
    return None if cells is None else Matrix(cells, spot.origin)
