"""One call of Slack's Web API, and what a refusal means: it answers 200 and {"ok": false, "error": "<word>"}.

Sources: docs.slack.dev/apis/web-api (requests, rate limits), /reference/methods/<method> (error words).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from routing.entry import Outcome
from routing.errors import DeliveryError
from workers import http, redaction
from workers.answer import Answer, Call, HttpError
from workers.deadline import Deadline

_LATER: Final = {"ratelimited", "rate_limited", "service_unavailable", "request_timeout", "team_added_to_org"}
_UNSURE: Final = {"internal_error", "fatal_error"}
"""Slack says of both that part of it may have been done."""

ADVICE: Final = {
    "not_authed": "check token of the channel in config/channels.yaml",
    "invalid_auth": "check token of the channel in config/channels.yaml",
    "account_inactive": "the app's account was deactivated: install the app again, and set the new token",
    "token_revoked": "the token was revoked: install the app again, and set the new one",
    "token_expired": "turn off token rotation of the app, and set a token that stays",
    "missing_scope": "add the scope under OAuth & Permissions of the app, and install it again",
    "channel_not_found": "write the id of the channel (C...), and invite the app where it is private",
    "not_in_channel": "write /invite @<the app> in that channel",
    "is_archived": "the channel is archived: name another",
    "restricted_action": "the workspace does not let apps do this: ask its owner",
    "user_not_found": "the id of a person begins with U: take it of the profile, Copy member ID",
    "cannot_dm_bot": "that is an app, not a person",
    "ekm_access_denied": "the workspace's administrators suspended access",
    "messages_tab_disabled": "turn on the Messages Tab under App Home of the app",
    "invalid_blocks": "this is a fault of ours: report it",
    "msg_too_long": "this is a fault of ours: report it",
}


class Workspace(BaseModel):
    """Who we are there. `base_url`: another one for a stand-in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: SecretStr
    base_url: str = Field(default="https://slack.com/api", pattern=r"^https?://")


class RefusedError(DeliveryError):
    """Slack said no. `word` is its own: "channel_not_found"; "" when it was the status."""

    def __init__(self, word: str, reason: str, outcome: Outcome, answer: Answer) -> None:
        said = f"{answer.status} {word}".strip()
        super().__init__(reason, outcome=outcome, retry_after_ms=answer.retry_after_ms, answer=said)
        self.word = word


@dataclass(frozen=True, slots=True)
class Api:
    """A few calls that share the time of one delivery."""

    workspace: Workspace
    deadline: Deadline

    def post(self, method: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Change something. Raises DeliveryError, of a refusal RefusedError."""
        # Without a charset Slack warns; `http` writes none for JSON.
        headers = {"content-type": "application/json; charset=utf-8"}
        return self._ask("POST", method, content=orjson.dumps(dict(given)), headers=headers, mutates=True)

    def get(self, method: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Read something. Raises DeliveryError, of a refusal RefusedError."""
        return self._ask("GET", method, query=dict(query), mutates=False)

    def _ask(self, verb: str, method: str, *, mutates: bool, **more: Any) -> dict[str, Any]:
        token = self.workspace.token.get_secret_value()
        headers = {"authorization": f"Bearer {token}", **more.pop("headers", {})}
        url = f"{self.workspace.base_url.rstrip('/')}/{method}"
        try:
            left = self.deadline.left()
        except TimeoutError as error:
            raise DeliveryError(f"Slack: no time left for {method}", outcome=Outcome.TEMPORARY) from error
        try:
            answer = http.call(Call(verb, url, mutates, left, headers=headers, **more))
            return _good(method, answer)
        except HttpError as error:
            raise DeliveryError(f"Slack: {error}", outcome=error.outcome) from error


def _good(method: str, answer: Answer) -> dict[str, Any]:
    if not answer.ok:
        word = _word(answer)
        raise RefusedError(word, _reason(method, str(answer.status), word), answer.outcome, answer)
    said = answer.object()
    if said.get("ok") is not True:
        word = str(said.get("error") or "no explanation")[:80]
        outcome = (
            Outcome.TEMPORARY if word in _LATER else Outcome.UNKNOWN if word in _UNSURE else Outcome.PERMANENT
        )
        raise RefusedError(word, _reason(method, "not ok", word, said), outcome, answer)
    return said


def _reason(method: str, how: str, word: str, said: Mapping[str, Any] | None = None) -> str:
    needed = said.get("needed") if said else None
    scope = f" ({needed})" if isinstance(needed, str) and needed else ""
    told = redaction.text(f"{word}{scope}") if word else ""
    advice = f"; {ADVICE[word]}" if word in ADVICE else ""
    return f"Slack answered {how} to {method}: {told or 'no explanation'}{advice}"


def _word(answer: Answer) -> str:
    try:
        return str(answer.object().get("error") or "")[:80]
    except HttpError:
        return ""
