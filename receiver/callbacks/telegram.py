"""What people do in Telegram: buttons they press, and what they write to the bot.

Telegram sends the secret token that was given to it with setWebhook. The answer to its request is itself a call of the
Bot API, so nothing that could send is needed here. Source: core.telegram.org/bots/api#setwebhook, #update,
#making-requests-when-getting-updates.
"""

import hmac
import re
from typing import Any, Final

import orjson
from starlette.requests import Request as WebRequest
from starlette.responses import Response
from starlette.routing import Route

from receiver import callback, refuse
from receiver.site import Site
from routing.entry import Answer, Speaker, Verb
from routing.errors import BadSignature

SECRETS = ("TELEGRAM_WEBHOOK_SECRET",)
"""The secret_token of setWebhook: 1 to 256 letters, digits, _ and -; or several with commas while it is rolled."""
SOURCE = "telegram"
_CHANNEL = "Telegram"
_SAID: Final = {
    Verb.ACK: "Acknowledged: it is yours now.",
    Verb.RESOLVE: "Marked as resolved.",
    Verb.ESCALATE: "The next person is being called.",
    Verb.APPROVE: "Approved.",
    Verb.DENY: "Denied.",
}
_OLD: Final = "This is over, or was not meant for this chat."
_COMMAND: Final = re.compile(r"/(?P<word>[a-z]+)(?:@\w+)?(?P<rest>\s.*)?", re.DOTALL)
_ASKS_ID: Final = frozenset({"start", "id"})


def routes(site: Site) -> list[Route]:
    return [Route("/callbacks/telegram", _Updates(site).take, methods=["POST"])]


class _Updates:
    def __init__(self, site: Site) -> None:
        self._site = site

    async def take(self, request: WebRequest) -> Response:
        secrets = callback.secrets(self._site, *SECRETS)
        raw, headers = await callback.read(self._site, request)
        given = headers.get("x-telegram-bot-api-secret-token", "").encode("utf-8", "surrogateescape")
        if not any(hmac.compare_digest(secret.encode(), given) for secret in secrets):
            hint = "give setWebhook the secret_token of TELEGRAM_WEBHOOK_SECRET"
            raise refuse.unauthentic(BadSignature("Telegram's secret token does not match", hint))
        update = callback.json_object(raw, "Telegram")
        pressed, message = _part(update, "callback_query"), _part(update, "message")
        reply: dict[str, Any] = {}
        if pressed:
            reply = await self._pressed(update, pressed, raw, headers)
        elif message:
            reply = await self._written(update, message, raw, headers)
        return Response(
            orjson.dumps(reply), media_type="application/json", headers={"cache-control": "no-store"}
        )

    async def _pressed(
        self, update: dict[str, Any], pressed: dict[str, Any], raw: bytes, headers: dict[str, str]
    ) -> dict[str, Any]:
        verb, _, name = _text(pressed, "data").partition(":")
        chat = _part(_part(pressed, "message"), "chat")
        said = _OLD
        if verb in _SAID and await self._is_theirs(callback.delivery_name(name), chat):
            who = _speaker(_part(pressed, "from"))
            answer = Answer(
                at=self._site.now(), by=SOURCE, channel=_CHANNEL, text=verb, delivery=name, who=who
            )
            await callback.note(self._site, SOURCE, answer, _once(update), raw, headers)
            said = _SAID[Verb(verb)]
        return {"method": "answerCallbackQuery", "callback_query_id": _text(pressed, "id"), "text": said}

    async def _written(
        self, update: dict[str, Any], message: dict[str, Any], raw: bytes, headers: dict[str, str]
    ) -> dict[str, Any]:
        """The fold knows whose chat it is, and which page is meant."""
        chat, text = _part(message, "chat").get("id"), _text(message, "text")
        if not isinstance(chat, int) or not text:
            return {}
        command = _COMMAND.fullmatch(text.strip())
        if command and command["word"] in _ASKS_ID:
            told = f"The id of this chat is {chat}. It is its address in config/oncall.yaml."
            return {"method": "sendMessage", "chat_id": chat, "text": told}
        words = f"{command['word']}{command['rest'] or ''}" if command else text
        answer = Answer(
            at=self._site.now(),
            by=SOURCE,
            channel=_CHANNEL,
            text=words[:160],
            address=str(chat),
            who=_speaker(_part(message, "from")),
        )
        await callback.note(self._site, SOURCE, answer, _once(update), raw, headers)
        return {}

    async def _is_theirs(self, name: str, chat: dict[str, Any]) -> bool:
        """Anybody can send the bot any data for a button: it counts in the chat alone that the message went to."""
        delivery = await callback.delivery(self._site, name) if name else None
        if delivery is None:
            return False
        return delivery.address in {str(chat.get("id")), f"@{_text(chat, 'username')}"}


def _speaker(found: dict[str, Any]) -> Speaker | None:
    """A person's chat with the bot has the person's own id."""
    number = found.get("id")
    name = _text(found, "username") or _text(found, "first_name")
    return Speaker(vendor=SOURCE, id=str(number), name=name[:80]) if isinstance(number, int) else None


def _once(update: dict[str, Any]) -> str:
    number = update.get("update_id")
    return f"update {number}" if isinstance(number, int) else ""


def _part(holder: dict[str, Any], name: str) -> dict[str, Any]:
    found = holder.get(name)
    return found if isinstance(found, dict) else {}


def _text(holder: dict[str, Any], name: str) -> str:
    found = holder.get(name)
    return found if isinstance(found, str) else ""
