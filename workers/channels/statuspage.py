"""Atlassian Statuspage: an incident of the page is opened, updated and resolved, with the health of its components.

Settings: api_key, components (our service -> Statuspage's component id), notify, pause_ms, messages_per_s,
base_url. The address is the page's id. Which incident of the page is ours is written into its metadata and looked
up there, so that a repeat after a crash, or a resolve that comes days later, opens no second one.

Sources: developer.statuspage.io (REST API v1; errors and rate limit: 1 request a second for each key).
"""

import time
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Notification, Pace, Sent
from routing.public import Health, Public, Said
from workers import http, quota, redaction
from workers.answer import Answer, Call, HttpError
from workers.text import cut

TITLE = "Atlassian Statuspage"
VOICE = False
PAGE = True

LOOKED_THROUGH = 100
"""The newest incidents of the page in which ours is looked for."""
LONGEST = {"name": 250, "body": 20_000}
_LATER = {409, 420, 429}
"""Later it works: somebody else changes the incident, or the key has asked too often."""
_PAUSE_MS = 60_000
"""Where it does not say for how long."""
_HEALTH = {
    Health.OPERATIONAL: "operational",
    Health.DEGRADED: "degraded_performance",
    Health.PARTIAL: "partial_outage",
    Health.MAJOR: "major_outage",
}
_IMPACT = {Health.DEGRADED: "minor", Health.PARTIAL: "major", Health.MAJOR: "critical"}
_ADVICE = {
    401: "check api_key in config/channels.yaml",
    403: "check that the key may manage this page",
    404: "check the page's id, which is the address",
    422: "check the component ids in config/channels.yaml",
}


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    api_key: SecretStr
    components: dict[str, str] = {}
    notify: bool = True
    """Whether the page's subscribers are told."""
    pause_ms: int = Field(default=1_000, ge=0, le=10_000)
    """Between the two requests of one message: a key may make one a second."""
    messages_per_s: float = Field(default=0.5, gt=0, le=100)
    """Of the key, two requests each."""
    base_url: str = Field(default="https://api.statuspage.io", pattern=r"^https?://")


def send(notification: Notification, settings: Settings, timeout_s: float) -> Sent:
    """Make the page say what was said last. Raises DeliveryError."""
    public = notification.public
    if public is None:
        raise DeliveryError("there is nothing public in this message", outcome=Outcome.PERMANENT)
    desk = _Desk(settings, notification.to, (timeout_s - settings.pause_ms / 1000) / 2)
    known = desk.find(public.id)
    time.sleep(settings.pause_ms / 1000)
    if known is None:
        return desk.open(public)
    if _says_it(known, public):
        return Sent(str(known["id"]), "it says so already")
    return desk.update(str(known["id"]), public)


def limits(notification: Notification, settings: Settings) -> tuple[Pace, ...]:
    del notification
    return (Pace(f"statuspage:{quota.of(settings.api_key)}", settings.messages_per_s),)


def preview(notification: Notification, settings: Settings) -> dict[str, str]:
    message, public = notification.message, notification.public
    found = {"Page": notification.to, "Name": message.title, "Body": message.body}
    if public is not None:
        found["Status"] = public.last.said.value
        found["Components"] = ", ".join(
            f"{key}: {value}" for key, value in _components(public, settings).items()
        )
    return found


class _Desk:
    """One page, asked with one key."""

    def __init__(self, settings: Settings, page: str, timeout_s: float) -> None:
        self._settings = settings
        self._path = f"{settings.base_url.rstrip('/')}/v1/pages/{quote(page, safe='')}/incidents"
        self._timeout_s = timeout_s

    def find(self, ours: str) -> dict[str, Any] | None:
        """The incident of the page that stands for ours. Raises DeliveryError."""
        try:
            found = self._ask("GET", self._path, query={"limit": str(LOOKED_THROUGH)}).json()
        except HttpError as error:
            raise _failed(error) from error
        if not isinstance(found, list):  # taken for none, it would open a second incident
            raise DeliveryError("Statuspage: its incidents are no list", outcome=Outcome.TEMPORARY)
        return next((each for each in found if _ours(each) == ours), None)

    def open(self, public: Public) -> Sent:
        incident = {
            **_said(public, self._settings),
            "name": cut(public.title, LONGEST["name"]),
            "metadata": {"tocsin": {"id": public.id}},
            "deliver_notifications": self._settings.notify,
        }
        if public.health in _IMPACT:
            incident["impact_override"] = _IMPACT[public.health]
        return self._change("POST", self._path, incident)

    def update(self, theirs: str, public: Public) -> Sent:
        incident = {**_said(public, self._settings), "deliver_notifications": self._settings.notify}
        return self._change("PATCH", f"{self._path}/{quote(theirs, safe='')}", incident)

    def _change(self, method: str, url: str, incident: dict[str, Any]) -> Sent:
        try:
            answer = self._ask(method, url, json={"incident": incident})
            made = answer.object().get("id")
        except HttpError as error:
            raise _failed(error) from error
        if not isinstance(made, str) or not made:
            raise DeliveryError(f"Statuspage: {answer} without an id", outcome=Outcome.UNKNOWN)
        return Sent(made, f"{answer.status} {incident['status']}")

    def _ask(self, method: str, url: str, **more: Any) -> Answer:
        key = self._settings.api_key.get_secret_value()
        call = Call(
            method=method, url=url, mutates=method != "GET", timeout_s=self._timeout_s,
            headers={"authorization": f"OAuth {key}"}, **more,
        )  # fmt: skip
        answer = http.call(call)
        if not answer.ok:
            raise _refused(answer)
        return answer


def _said(public: Public, settings: Settings) -> dict[str, Any]:
    components = _components(public, settings)
    return {
        "status": public.last.said.value,
        "body": cut(public.last.text, LONGEST["body"]),
        "component_ids": list(components),
        "components": components,
    }


def _components(public: Public, settings: Settings) -> dict[str, str]:
    """Of those that the page has; what is over does well again, whatever was said last."""
    health = Health.OPERATIONAL if public.last.said is Said.RESOLVED else public.health
    ids = (settings.components.get(service, "") for service in public.names)
    return {each: _HEALTH[health] for each in ids if each}


def _ours(theirs: Any) -> str:
    """The id we gave it; "" where it is somebody else's."""
    metadata = theirs.get("metadata") if isinstance(theirs, dict) else None
    mine = metadata.get("tocsin") if isinstance(metadata, dict) else None
    return str(mine.get("id", "")) if isinstance(mine, dict) else ""


def _says_it(theirs: dict[str, Any], public: Public) -> bool:
    """Whether its latest update is our latest word: a repeat would be mailed to all subscribers again."""
    updates = theirs.get("incident_updates")
    latest = updates[0] if isinstance(updates, list) and updates and isinstance(updates[0], dict) else {}
    return (theirs.get("status"), latest.get("body")) == (
        public.last.said.value, cut(public.last.text, LONGEST["body"]),
    )  # fmt: skip


def _refused(answer: Answer) -> DeliveryError:
    outcome = Outcome.TEMPORARY if answer.status in _LATER else answer.outcome
    pause = _PAUSE_MS if answer.status in _LATER else 0
    said = f"Statuspage answered {answer.status}: {_fault(answer)}"
    if answer.status in _ADVICE:
        said = f"{said}; {_ADVICE[answer.status]}"
    return DeliveryError(
        said, outcome=outcome, retry_after_ms=answer.retry_after_ms or pause, answer=str(answer.status)
    )


def _fault(answer: Answer) -> str:
    """Their words: {"error": text, or a list of them}."""
    try:
        found = answer.object().get("error")
    except HttpError:
        found = None
    words = "; ".join(map(str, found)) if isinstance(found, list) else str(found or "no explanation")
    return redaction.text(words)[:200]


def _failed(error: HttpError) -> DeliveryError:
    return DeliveryError(f"Statuspage: {error}", outcome=error.outcome, retry_after_ms=error.retry_after_ms)
