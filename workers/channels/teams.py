"""Microsoft Teams: adaptive cards, posted to a channel or chat by a workflow that takes webhook requests.

Settings: workflows, by a name of yours the URL of each; cards_per_s. An address is such a name. A workflow can
answer nothing, so a card leads to the page where people acknowledge, or approve. Sources: learn.microsoft.com
(Create incoming webhooks with Workflows; limits of Teams: 28 KB a message), adaptivecards.io/explorer (1.4).
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from routing.entry import Outcome, Verb
from routing.errors import DeliveryError
from routing.ports import Notification, Pace, Sent
from workers import card, http, quota
from workers.answer import Answer, Call, HttpError
from workers.card import Card
from workers.text import cut

TITLE = "Microsoft Teams"
VOICE = False

MOST_BYTES: Final = 28_000
"""Of the whole request; what is larger Teams refuses, long after the workflow has taken it."""
_HEADING: Final = 250
_TAKEN: Final = {200, 202}
_ADVICE: Final = {
    400: "make the workflow of the template for webhook requests, and let it post the card it is given",
    401: "the URL's signature is not good any more: copy the workflow's URL anew",
    403: "the workflow is suspended, or takes nothing from outside: look at it in Teams, Workflows",
    404: "the workflow is gone, or whose it was has left: make it anew, and set its URL",
    410: "the workflow is gone: make it anew, and set its URL",
    413: "this is a fault of ours: report it",
    429: "the workflow is asked too often",
}


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    workflows: dict[str, SecretStr] = Field(min_length=1)
    cards_per_s: float = Field(default=1, gt=0, le=100)
    """By each workflow."""

    @field_validator("workflows")
    @classmethod
    def _urls(cls, workflows: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, url in workflows.items():
            if not url.get_secret_value().startswith(("https://", "http://127.0.0.1")):
                raise ValueError(f"the URL of {name} does not begin with https://")
        return workflows


def limits(notification: Notification, settings: Settings) -> tuple[Pace, ...]:
    url = settings.workflows.get(notification.to)
    return (Pace(f"teams:{quota.of(url)}", settings.cards_per_s),) if url else ()


def send(notification: Notification, settings: Settings, timeout_s: float) -> Sent:
    """Raises DeliveryError."""
    url = settings.workflows.get(notification.to)
    if url is None:
        fix = f"write one of {', '.join(settings.workflows)}, or add it to workflows in config/channels.yaml"
        raise DeliveryError(f"no workflow {notification.to!r}; {fix}", outcome=Outcome.PERMANENT)
    body = orjson.dumps(message(notification))
    headers = {"content-type": "application/json"}
    call = Call("POST", url.get_secret_value(), True, timeout_s, content=body, headers=headers)
    try:
        answer = http.call(call)
    except HttpError as error:
        # Its text names the path of the URL, which alone lets anybody post.
        raise DeliveryError(f"Teams: {_without_path(error, call)}", outcome=error.outcome) from error
    if answer.status not in _TAKEN:
        raise _refused(answer)
    run = answer.headers.get("x-ms-workflow-run-id", "")[:100]
    return Sent(run or f"{notification.delivery}.a{notification.attempt}", str(answer.status))


def preview(notification: Notification, settings: Settings) -> dict[str, str]:
    del settings
    shown = orjson.dumps(message(notification), option=orjson.OPT_INDENT_2).decode()
    return {"To": notification.to, "Message": shown}


def message(notification: Notification) -> dict[str, Any]:
    """What is posted: never more than Teams takes. The text gives way, never the way to answer."""
    shown, room = card.of(notification), MOST_BYTES
    made = _message(shown, shown.body, notification)
    while len(orjson.dumps(made)) > MOST_BYTES:
        room = room * 2 // 3
        made = _message(shown, cut(shown.body, room), notification)
    return made


def _message(shown: Card, body: str, notification: Notification) -> dict[str, Any]:
    lines = [
        _text(cut(shown.heading, _HEADING), size="Large", weight="Bolder"),
        *([_text(shown.stands, weight="Bolder")] if shown.stands else []),
        *([_text(body)] if body else []),
        *[_text(each, isSubtle=True) for each in (shown.remark, _command(notification)) if each],
    ]
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": lines,
        "actions": _actions(shown, notification),
        "msteams": {"width": "Full"},
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": content}]}


def _text(said: str, **how: Any) -> dict[str, Any]:
    """A run of plain text: in a text block Markdown and mentions would count, whoever wrote them."""
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": said, **how}]}


def _actions(shown: Card, notification: Notification) -> list[dict[str, str]]:
    if not notification.ack_url or not shown.answers:
        return []
    decides = set(shown.answers) == {Verb.APPROVE, Verb.DENY}
    title = "Approve or deny" if decides else "Acknowledge"
    return [{"type": "Action.OpenUrl", "title": title, "url": notification.ack_url}]


def _command(notification: Notification) -> str:
    return f"tocsin incidents show {notification.incident}" if notification.incident else ""


def _refused(answer: Answer) -> DeliveryError:
    outcome = answer.outcome if answer.outcome is not Outcome.OK else Outcome.UNKNOWN
    word = _word(answer)
    parts = [
        f"Teams: the workflow answered {answer.status}{f' {word}' if word else ''}",
        _ADVICE.get(answer.status, ""),
    ]
    return DeliveryError(
        "; ".join(part for part in parts if part),
        outcome=outcome,
        retry_after_ms=answer.retry_after_ms,
        answer=f"{answer.status} {word}".strip(),
    )


def _word(answer: Answer) -> str:
    """The code of the workflow's error, like TriggerInputSchemaMismatch; its text may hold what we sent."""
    try:
        error = answer.object().get("error")
    except HttpError:
        return ""
    code = error.get("code") if isinstance(error, Mapping) else None
    return code if isinstance(code, str) and code.isalnum() and len(code) <= 80 else ""  # noqa: PLR2004


def _without_path(error: HttpError, call: Call) -> str:
    return str(error).replace(str(call), "the workflow")
