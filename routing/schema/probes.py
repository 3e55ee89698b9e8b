"""`probes.yaml`: what is looked at again and again."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator, model_validator

from routing.language import template
from routing.policy import Probe
from routing.schema.fields import Condition, Name, PositiveDuration, Some
from routing.schema.own_event import OwnEventPart
from routing.schema.part import Part, Spot
from routing.schema.refusal import Refusal, refuse_all, shown
from routing.schema.steps import ReadingPart
from routing.schema.written import like, shown_as

MOST_LOOKS = 100

_OF = re.compile(r"(\d{1,3}) of (\d{1,3})", re.ASCII)


def _n_of_m(value: Any) -> tuple[int, int]:
    found = _OF.fullmatch(value) if isinstance(value, str) else None
    fails, of = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= fails <= of <= MOST_LOOKS:
        fix = f"write how many bad looks of how many, like 3 of 5, at most {MOST_LOOKS}"
        raise Refusal(f"{shown(value)} is no share of looks", fix)
    return fails, of


Share = Annotated[
    tuple[int, int],
    BeforeValidator(_n_of_m),
    shown_as(like(_OF, "so many bad looks of so many", "3 of 5")),
]


class ProbePart(ReadingPart):
    """A reading action and how it is judged. Its name is its id."""

    id: str = Field(default="look", description="a name for its result")
    name: Name = Field(description="a name to find it by, like site-health")
    every: PositiveDuration = Field(description="how often it is looked, like 30s")
    timeout: PositiveDuration = Field(default=10_000, description="how long one look may take, like 10s")
    attempts: int = Field(default=1, ge=1, le=1, description="once: the next look comes soon enough")
    ok: Condition = Field(description="when it is well, over what the action gives, like ok")
    fails: Share = Field(
        default=(3, 3),
        description="it fires after so many bad looks of so many, like 3 of 5",
        json_schema_extra={"default": "3 of 3"},
    )
    recovers: int = Field(
        default=2, ge=1, le=MOST_LOOKS, description="it ends after so many good looks in a row"
    )
    event: OwnEventPart = Field(description="kind and title of the alert it fires")

    @field_validator("params")
    @classmethod
    def _plain(cls, params: dict[str, Any]) -> dict[str, Any]:
        refuse_all(
            [
                Refusal("a placeholder, and nothing to fill it", "write the value itself", at)
                for at, text in template.texts(params)
                if template.paths(text)
            ]
        )
        return params

    @model_validator(mode="after")
    def _in_time(self) -> "ProbePart":
        if self.timeout > self.every:
            fix = "look less often, or wait for less"
            raise Refusal("a look that may take longer than until the next", fix, ("timeout",))
        return self


class ProbesFile(Part):
    """What is looked at again and again. Optional."""

    probes: Some[ProbePart] = Field(description="name, action, every, ok and event")

    @field_validator("probes")
    @classmethod
    def _each_named(cls, probes: tuple[ProbePart, ...]) -> tuple[ProbePart, ...]:
        names = [each.name for each in probes]
        refuse_all([
            Refusal(f'a second probe "{name}"', "give it another name", (number, "name"))
            for number, name in enumerate(names) if name in names[:number]
        ])  # fmt: skip
        return probes


def build_probes(file: ProbesFile, spot: Spot) -> tuple[Probe, ...]:
    return tuple(_probe(part, spot.at("probes", number)) for number, part in enumerate(file.probes))


def _probe(part: ProbePart, spot: Spot) -> Probe:
    return Probe(
        name=part.name,
        action=part.action,
        params=part.params,
        every_ms=part.every,
        timeout_ms=part.timeout,
        ok=part.ok,
        fails=part.fails[0],
        of=part.fails[1],
        recovers=part.recovers,
        kind=part.event.kind,
        title=part.event.title,
        origin=spot.origin,
        severity=part.event.severity,
        labels=part.event.all_labels,
    )
