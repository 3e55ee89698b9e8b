"""One call of Telegram's Bot API, and what a refusal means: {"ok": false, "error_code", "description", "parameters"}.

Source: core.telegram.org/bots/api#making-requests, #responseparameters.
"""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from routing.entry import Outcome
from routing.errors import DeliveryError
from workers import carrier
from workers.answer import Answer, Call, classify
from workers.carrier import Fault, Vendor
from workers.deadline import Deadline

_CHECK_IT: Final = "check token of the channel in config/channels.yaml, as @BotFather shows it"


class Bot(BaseModel):
    """Who we are there. `base_url`: a Bot API server of one's own, or a stand-in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: SecretStr
    base_url: str = Field(default="https://api.telegram.org", pattern=r"^https?://")


def post(bot: Bot, method: str, given: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
    """The message that was made or changed. Raises DeliveryError."""
    try:
        left = deadline.left()
    except TimeoutError as error:
        raise DeliveryError(f"Telegram: no time left for {method}", outcome=Outcome.TEMPORARY) from error
    url = f"{bot.base_url.rstrip('/')}/bot{bot.token.get_secret_value()}/{method}"
    call = Call("POST", url, mutates=True, timeout_s=left, json=given, name=method)
    answer = carrier.ask(TELEGRAM, call)
    said = carrier.body(answer)
    if said.get("ok") is not True:
        raise carrier.refused(TELEGRAM, answer)
    made = said.get("result")
    return made if isinstance(made, dict) else {}


def _said(fault: Fault) -> str:
    """A group that became a supergroup has another id: Telegram tells it."""
    description = fault.get("description")
    told = description if isinstance(description, str) else "no explanation"
    moved = _parameter(fault, "migrate_to_chat_id")
    return f"{told}; its new id is {moved}" if moved else told


def _outcome(answer: Answer, fault: Fault) -> Outcome | None:
    """Of a 200 that says no, its own code counts; with none, nobody knows what was done."""
    if not answer.ok:
        return None
    code = fault.get("error_code")
    return classify(code, mutates=True) if isinstance(code, int) else Outcome.UNKNOWN


def _wait_ms(fault: Fault) -> int:
    return min(_parameter(fault, "retry_after"), 3_600) * 1_000


def _parameter(fault: Fault, name: str) -> int:
    parameters = fault.get("parameters")
    found = parameters.get(name) if isinstance(parameters, dict) else 0
    return found if isinstance(found, int) else 0


TELEGRAM: Final = Vendor(
    "Telegram",
    {
        400: "check the chat's id in config/oncall.yaml: write /id to the bot there",
        401: _CHECK_IT,
        403: "they blocked the bot, removed it, or never wrote to it: they must send it /start",
        404: _CHECK_IT,
    },
    _said,
    _outcome,
    _wait_ms,
)
