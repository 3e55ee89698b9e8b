"""Google Analytics 4: is an event well formed, and does anything arrive.

Settings: measurement_id and api_secret (validate), property_id with client_id, client_secret and refresh_token
of an OAuth client that may read it (realtime), and for stand-ins collect_url, data_url and token_url. Without
them the action that needs them is only simulated. Sources: developers.google.com/analytics/devguides (Measurement
Protocol, validating events; Data API v1, runRealtimeReport), RFC 6749 section 6.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Action, Step
from workers import vendors
from workers.answer import Call
from workers.credentials import NoCredentialsError
from workers.deadline import Deadline

TITLE = "Google Analytics"
SETTINGS = (
    "measurement_id",
    "api_secret",
    "property_id",
    "client_id",
    "client_secret",
    "refresh_token",
    "collect_url",
    "data_url",
    "token_url",
)

COLLECT_URL = "https://www.google-analytics.com"
DATA_URL = "https://analyticsdata.googleapis.com"
TOKEN_URL = "https://oauth2.googleapis.com"  # noqa: S105  # an address
_ADVICE = {
    400: "check GA_PROPERTY_ID; for a token, GA_REFRESH_TOKEN may have been revoked",
    401: "check GA_CLIENT_ID and GA_CLIENT_SECRET",
    403: "the OAuth client may not read the property: add it as a viewer, and enable the Data API",
    404: "check GA_PROPERTY_ID",
    429: "the property's quota is used up for now",
}
_VENDOR = "Google Analytics"
_OFTEN = 50


class Validate(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    event: str = Field(default="page_view", max_length=100)
    fields: dict[str, str | int | float] = Field(default={}, max_length=25)


class Realtime(BaseModel):
    """What arrived in the last so many `minutes`; `event` "": any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minutes: int = Field(default=30, ge=1, le=30)
    event: str = Field(default="", max_length=100)


def validate(step: Step, params: Validate) -> dict[str, Any]:
    """Ask Google's debug endpoint, which collects nothing and does not check the secret.

    {"ok", "messages": [{field, code, description}]}
    """
    call = Call(
        method="POST",
        url=_base(step, "collect_url", COLLECT_URL) + "/debug/mp/collect",
        mutates=False,
        timeout_s=step.timeout_s,
        query={name: _needed(step, name) for name in ("measurement_id", "api_secret")},
        json={
            "client_id": "tocsin.check",
            "validation_behavior": "ENFORCE_RECOMMENDATIONS",
            "events": [{"name": params.event, "params": params.fields}],
        },
    )
    found = vendors.object_of(_VENDOR, vendors.ask(_VENDOR, call, _ADVICE)).get("validationMessages")
    if not isinstance(found, list):
        raise ActionError(f"{_VENDOR} answered without validationMessages", outcome=Outcome.TEMPORARY)
    messages = [_message(each) for each in found if isinstance(each, dict)]
    return {"ok": not messages, "messages": messages}


def realtime(step: Step, params: Realtime) -> dict[str, Any]:
    """{"ok": whether anything arrived, "events", "active_users", "by_event": {name: count}}."""
    deadline = Deadline(step.timeout_s)
    property_ = _needed(step, "property_id")
    if not property_.isascii() or not property_.isdigit():
        raise ActionError("GA_PROPERTY_ID is the property's number", outcome=Outcome.PERMANENT)
    token = _token(step, deadline)
    call = Call(
        method="POST",
        url=_base(step, "data_url", DATA_URL) + f"/v1beta/properties/{property_}:runRealtimeReport",
        mutates=False,
        timeout_s=deadline.left(),
        json={
            "dimensions": [{"name": "eventName"}],
            "metrics": [{"name": "eventCount"}, {"name": "activeUsers"}],
            "minuteRanges": [{"startMinutesAgo": params.minutes - 1, "endMinutesAgo": 0}],
        },
        headers={"authorization": f"Bearer {token}"},
    )
    rows = vendors.object_of(_VENDOR, vendors.ask(_VENDOR, call, _ADVICE)).get("rows", [])
    counts = [_row(each) for each in rows if isinstance(each, dict)] if isinstance(rows, list) else []
    wanted = [each for each in counts if params.event in {"", each[0]}]
    events = sum(count for _, count, _ in wanted)
    return {
        "ok": events > 0,
        "events": events,
        "active_users": max((users for _, _, users in wanted), default=0),
        "by_event": {name: count for name, count, _ in wanted[:_OFTEN]},
    }


def _token(step: Step, deadline: Deadline) -> str:
    """A new access token for each step: they last an hour, and steps are rare."""
    names = ("client_id", "client_secret", "refresh_token")
    call = Call(
        method="POST",
        url=_base(step, "token_url", TOKEN_URL) + "/token",
        mutates=False,
        timeout_s=deadline.left(),
        form={"grant_type": "refresh_token", **{name: _needed(step, name) for name in names}},
    )
    token = vendors.object_of(_VENDOR, vendors.ask(_VENDOR, call, _ADVICE)).get("access_token")
    if not isinstance(token, str) or not token:
        raise ActionError(f"{_VENDOR} gave no access token", outcome=Outcome.TEMPORARY)
    return token


def _row(each: dict[str, Any]) -> tuple[str, int, int]:
    names = [
        str(value.get("value", "")) for value in each.get("dimensionValues", ()) if isinstance(value, dict)
    ]
    found = [str(value.get("value", "")) for value in each.get("metricValues", ()) if isinstance(value, dict)]
    numbers = [int(value) if value.isascii() and value.isdigit() else 0 for value in [*found, "0", "0"]]
    return (names or [""])[0], numbers[0], numbers[1]


def _message(each: dict[str, Any]) -> dict[str, str]:
    names = {"field": "fieldPath", "code": "validationCode", "description": "description"}
    return {ours: str(each.get(theirs, ""))[:300] for ours, theirs in names.items()}


def _needed(step: Step, name: str) -> str:
    found = step.settings.get(name, "")
    if not found:
        raise NoCredentialsError(f"Google Analytics cannot be asked: set GA_{name.upper()}")
    return found


def _base(step: Step, name: str, default: str) -> str:
    return (step.settings.get(name) or default).rstrip("/")


def _plan_validate(step: Step, params: Validate) -> dict[str, Any]:
    url = _base(step, "collect_url", COLLECT_URL) + "/debug/mp/collect"
    return {"would": {"method": "POST", "url": url, "event": params.event}}


def _plan_realtime(step: Step, params: Realtime) -> dict[str, Any]:
    url = f"{_base(step, 'data_url', DATA_URL)}/v1beta/properties/{step.settings.get('property_id', '')}"
    return {"would": {"method": "POST", "url": f"{url}:runRealtimeReport", "minutes": params.minutes}}


ACTIONS = {
    "validate": Action(params=Validate, mutates=False, run=validate, plan=_plan_validate),
    "realtime": Action(params=Realtime, mutates=False, run=realtime, plan=_plan_realtime),
}
