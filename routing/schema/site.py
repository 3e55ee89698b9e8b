"""`tocsin.yaml`: what holds for all of it: severity levels and their promises, the last resort, limits."""

from typing import Annotated

from pydantic import AfterValidator, Field

from routing.duration import text as duration_text
from routing.schema.fields import ContactName, Duration, HoursName, PositiveDuration, SeverityField, Text, Url
from routing.schema.part import Part, Spot
from routing.schema.promise import Percent, Resolve
from routing.schema.refusal import Refusal, refuse_all
from routing.severity import Level, Severity


class LevelPart(Part):
    meaning: Text = Field(description="what this severity means, in a few words")
    respond: PositiveDuration = Field(description="how soon somebody responds, like 15m")
    resolve: Resolve | None = Field(default=None, description="how soon it is over, like 4h or next sprint")
    hold: Duration = Field(default=0, description="how long a page may wait for a runbook, like 5m")
    ack_expires: PositiveDuration | None = Field(default=None, description="pages again after this, like 2h")


def _complete(levels: dict[Severity, LevelPart]) -> dict[Severity, LevelPart]:
    missing = [str(severity) for severity in Severity if severity not in levels]
    refusals = [Refusal(f"{name} is missing", f"add {name} with meaning and respond") for name in missing]
    worst = levels.get(Severity.SEV0)
    if worst is not None and worst.hold:
        found = f"a hold of {duration_text(worst.hold)} for SEV-0"
        refusals.append(Refusal(found, "remove it: SEV-0 never waits", ("SEV-0", "hold")))
    refuse_all(refusals)
    return levels


class LastResort(Part):
    contact: ContactName = Field(description="name of the contact reached when all else is exhausted")
    every: PositiveDuration = Field(default=600_000, description="how often they are called again, like 10m")


class RunsPart(Part):
    per_hour: int = Field(default=30, ge=1, le=1000, description="how many runs an hour, of all runbooks")
    per_day: int = Field(default=200, ge=1, le=1000, description="how many runs a day, of all runbooks")


class SiteFile(Part):
    """What holds for all of it: severity levels and their promises, the last resort, limits."""

    public_url: Url = Field(description="where the receiver is reached from outside")
    last_resort: LastResort = Field(description="contact and every")
    suspect_window: PositiveDuration = Field(default=3_600_000, description="like 60m")
    retire_after: PositiveDuration = Field(default=604_800_000, description="like 7d")
    keep_bodies: Duration = Field(
        default=7_776_000_000, description="how long what was received is kept as it came, like 90d"
    )
    verified_for: PositiveDuration = Field(
        default=7_776_000_000,
        description="how long it counts that somebody was reached at an address, like 90d",
    )
    freeze: HoursName | None = Field(
        default=None, description="hours of calendar.yaml in which no runbook changes anything by itself"
    )
    max_running: int = Field(default=3, ge=1, le=100, description="repairs at the same time")
    runs: RunsPart = Field(
        default=RunsPart(), description="how often runbooks may change anything at all, like {per_hour: 30}"
    )
    warn_at: Percent = Field(
        default=80,
        description="how much of a time is gone when it is warned of, like 80%",
        json_schema_extra={"default": "80%"},
    )
    levels: Annotated[dict[SeverityField, LevelPart], AfterValidator(_complete)] = Field(
        description="SEV-0 to SEV-4, each with meaning, respond, resolve and hold",
        json_schema_extra={"required": [str(severity) for severity in Severity]},
    )


def build_levels(file: SiteFile, spot: Spot) -> dict[Severity, Level]:
    return {
        severity: Level(
            severity=severity,
            meaning=part.meaning,
            respond_ms=part.respond,
            resolve_ms=part.resolve.ms if part.resolve else None,
            resolve_sprints=part.resolve.sprints if part.resolve else 0,
            origin=spot.at("levels", str(severity)).origin,
            hold_ms=part.hold,
            ack_expires_ms=part.ack_expires,
        )
        for severity, part in sorted(file.levels.items())
    }
