"""Twilio's REST API, as far as calls and messages share it.

Workers authenticate with an API key; the account's auth token, which also checks callbacks, is the receiver's
alone. Sources: twilio.com/docs/usage/api (requests), /docs/api/errors (codes).
"""

from typing import Any, Final
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Notification, Sent
from workers import http, redaction
from workers.answer import Answer, Call, HttpError
from workers.deadline import Deadline

NUMBER: Final = r"\+[1-9]\d{6,14}"
"""As E.164 writes numbers."""

Form = dict[str, str | list[str]]

_BUSY_CODES = {20429, 20500, 20503, 20504, 14107, 30001, 30022, 63018}
"""Too many requests, or trouble of Twilio's own: asked again later it may work, whatever the status says."""

_BAD_CALLBACK_CODES = {21205, 21609}
"""Twilio dislikes a URL of ours: the message itself can still be sent, without callbacks."""

_OVER_CODES = {21220, 20404}
"""The call is in no state in which it could be changed, or not known any more."""

_OPTED_OUT = 21610

_ADVICE = {
    20003: "check account_sid, api_key and api_secret in config/channels.yaml",
    20404: "check account_sid in config/channels.yaml",
    21210: "verify from_number with Twilio, or buy a number there",
    21211: "the number is not valid; write it as +<country><number> in config/oncall.yaml",
    21212: "from_number is not valid; write it as +<country><number>",
    21214: "the number cannot be reached",
    21215: "allow calls to this country in Twilio's geographic permissions",
    21216: "Twilio does not call this number",
    21219: "a trial account calls verified numbers only: verify it, or upgrade",
    21408: "allow SMS to this region in Twilio's geographic permissions",
    21606: "from_number cannot send SMS",
    21608: "a trial account writes to verified numbers only: verify it, or upgrade",
    _OPTED_OUT: "this person has opted out; they must send START to our number",
    21612: "this number cannot be reached from from_number",
    21614: "the number cannot receive SMS; give a mobile number",
}

_FAILED = {"failed", "undelivered", "canceled", "busy", "no-answer"}


class Account(BaseModel):
    """Settings of both channels. `base_url`: another one for a stand-in or a regional edge."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account_sid: str = Field(pattern=r"^AC[0-9a-fA-F]{32}$")
    api_key: str = Field(pattern=r"^SK[0-9a-fA-F]{32}$")
    api_secret: SecretStr
    from_number: str = Field(default="", pattern=r"^(\+[1-9]\d{6,14})?$")
    base_url: str = Field(default="https://api.twilio.com", pattern=r"^https?://")


def create(account: Account, resource: str, form: Form, timeout_s: float) -> Sent:
    """POST one call or message. Raises DeliveryError, classified by Twilio's code before the status."""
    try:
        answer = _post(account, resource, form, timeout_s)
        if _code(answer) in _BAD_CALLBACK_CODES and "StatusCallback" in form:
            bare = {name: value for name, value in form.items() if "StatusCallback" not in name}
            answer = _post(account, resource, bare, timeout_s)
        if not answer.ok:
            raise _refused(answer)
        return _accepted(answer)
    except HttpError as error:
        raise DeliveryError(f"Twilio: {error}", outcome=error.outcome) from error


def end(account: Account, sid: str, twiml: str, timeout_s: float) -> Sent:
    """End a call that rings; one that was picked up says this first, one that is over stays so.

    Raises DeliveryError.
    """
    deadline = Deadline(timeout_s)
    try:
        answer = _post(account, f"Calls/{sid}", {"Status": "canceled"}, deadline.left())
        if answer.ok and answer.object().get("status") == "in-progress":
            answer = _post(account, f"Calls/{sid}", {"Twiml": twiml}, deadline.left())
        if not answer.ok and _code(answer) not in _OVER_CODES:
            raise _refused(answer)
        return Sent(provider_id=sid, answer=f"{answer.status} ended" if answer.ok else "it was over")
    except HttpError as error:
        raise DeliveryError(f"Twilio: {error}", outcome=error.outcome) from error
    except TimeoutError as late:
        raise DeliveryError(f"Twilio: {late}", outcome=Outcome.UNKNOWN) from late


def callback(notification: Notification, what: str) -> str:
    """Where Twilio reports: "<callback_url>/twilio/<what>/<delivery>"; "" without a public URL."""
    if not notification.callback_url:
        return ""
    return f"{notification.callback_url}/twilio/{what}/{quote(notification.delivery, safe='')}"


def _post(account: Account, resource: str, form: Form, timeout_s: float) -> Answer:
    path = f"/2010-04-01/Accounts/{account.account_sid}/{resource}.json"
    return http.call(
        Call(
            method="POST",
            url=account.base_url.rstrip("/") + path,
            mutates=True,
            timeout_s=timeout_s,
            form=form,
            auth=(account.api_key, account.api_secret.get_secret_value()),
        )
    )


def _accepted(answer: Answer) -> Sent:
    made = answer.object()
    sid, status = made.get("sid"), str(made.get("status", ""))
    if not isinstance(sid, str) or not sid:
        raise HttpError(f"{answer} without a sid", Outcome.UNKNOWN, answer)
    said = f"{answer.status} {status}".strip()
    if status in _FAILED:
        code = made.get("error_code")
        outcome = Outcome.TEMPORARY if code in _BUSY_CODES else Outcome.PERMANENT
        why = f"Twilio: {status}: {_advice(code, made)}"
        raise DeliveryError(why, outcome=outcome, answer=said, opted_out=code == _OPTED_OUT)
    return Sent(provider_id=sid, answer=said)


def _refused(answer: Answer) -> DeliveryError:
    fault = _fault(answer)
    code = _code(answer)
    outcome = Outcome.TEMPORARY if code in _BUSY_CODES else answer.outcome
    number = f" ({code})" if code else ""
    return DeliveryError(
        f"Twilio answered {answer.status}{number}: {_advice(code, fault)}",
        outcome=outcome,
        retry_after_ms=answer.retry_after_ms,
        answer=f"{answer.status}{number}",
        opted_out=code == _OPTED_OUT,
    )


def _advice(code: Any, fault: dict[str, Any]) -> str:
    said = redaction.text(str(fault.get("message") or fault.get("error_message") or "no explanation"))[:200]
    return f"{said}; {_ADVICE[code]}" if code in _ADVICE else said


def _code(answer: Answer) -> int:
    code = _fault(answer).get("code") if not answer.ok else 0
    return code if isinstance(code, int) else 0


def _fault(answer: Answer) -> dict[str, Any]:
    """Twilio's error object: {"code", "message", "more_info", "status"}; {} when the body is none."""
    try:
        return answer.object()
    except HttpError:
        return {}
