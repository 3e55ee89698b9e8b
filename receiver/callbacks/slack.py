"""What people do in Slack: buttons pressed, and commands like `/tocsin ack INC-12`.

Signed with the app's signing secret over the time and the raw body. Slack waits three seconds: what was said is on
disk by then, or the person sees that it failed. Sources: docs.slack.dev/authentication/verifying-requests-from-slack,
/interactivity/handling-user-interaction, /interactivity/implementing-slash-commands.
"""

from typing import Any, Final

from starlette.requests import Request as WebRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ledger import records
from receiver import callback, hmacs, refuse, slash
from receiver.refuse import Refused
from receiver.site import Site
from routing.decision import Table
from routing.entry import Answer, Speaker, Verb
from routing.errors import BadSignature
from routing.incident import Incident
from routing.record import decode

SECRETS = ("SLACK_SIGNING_SECRET",)
"""Of the app, under Basic Information; or several with commas while it is changed."""
SOURCE = "slack"
WINDOW_S: Final = 300
_CHANNEL = "Slack"
_PRESSED: Final = {str(each) for each in (Verb.ACK, Verb.RESOLVE, Verb.ESCALATE, Verb.APPROVE, Verb.DENY)}


def routes(site: Site) -> list[Route]:
    asked = _Asked(site)
    return [
        Route("/callbacks/slack/interactions", asked.pressed, methods=["POST"]),
        Route("/callbacks/slack/commands", asked.command, methods=["POST"]),
    ]


class _Asked:
    def __init__(self, site: Site) -> None:
        self._site = site

    async def pressed(self, request: WebRequest) -> Response:
        """A button of one of our messages. One that only leads to a page is told of as well, and means nothing."""
        raw, headers, form = await self._authentic(request)
        payload = callback.json_object(form.get("payload", "").encode(), "Slack")
        for action in payload.get("actions") or () if payload.get("type") == "block_actions" else ():
            entry = _answer(action, payload.get("user"), self._site.now())
            if entry is not None:
                once = f"{payload.get('trigger_id') or ''}:{entry.delivery}:{entry.text}"[:200]
                await callback.note(self._site, SOURCE, entry, once, raw, headers)
        return Response(status_code=200, headers=_FRESH)

    async def command(self, request: WebRequest) -> Response:
        """A command. What is answered only its author sees."""
        raw, headers, form = await self._authentic(request)
        if "ssl_check" in form:
            return Response(status_code=200, headers=_FRESH)
        who = _speaker(form.get("user_id"), form.get("user_name"))
        said = slash.read(form.get("text", ""), who, self._site.now())
        if isinstance(said, str):
            return _shown(await self._listed() if said == slash.LIST else said)
        place = self._site.keys.state(Table.INCIDENT)
        incident = await records.read_soon(self._site.client, place, said.incident, Incident)
        if incident is None:
            return _shown(f"There is no {said.incident} that is live. {slash.HELP}")
        once = form.get("trigger_id", "")[:200]
        await callback.note(self._site, SOURCE, said, once, raw, headers)
        return _shown(slash.done(said, incident))

    async def _listed(self) -> str:
        """Raises redis.RedisError."""
        place = self._site.keys.state(Table.INCIDENT)
        if await self._site.client.hlen(place) > slash.MOST_READ:
            return "Too many to list here: tocsin incidents list"
        return slash.listed([decode(Incident, each) for each in await self._site.client.hvals(place)])

    async def _authentic(self, request: WebRequest) -> tuple[bytes, dict[str, str], dict[str, str]]:
        """The body, its headers, and the form that it is. Raises Refused."""
        secrets = callback.secrets(self._site, *SECRETS)
        raw, headers = await callback.read(self._site, request)
        try:
            verify(secrets, headers, raw, self._site.now() / 1000)
        except BadSignature as error:
            raise refuse.unauthentic(error) from error
        return raw, headers, dict(callback.fields(raw, "Slack"))


def verify(secrets: tuple[str, ...], headers: dict[str, str], raw: bytes, now_s: float) -> None:
    """Raises BadSignature."""
    at = headers.get("x-slack-request-timestamp", "")
    if not at.isascii() or not at.isdecimal() or len(at) > 12:  # noqa: PLR2004  # of seconds, far beyond our days
        raise BadSignature("no time that can be read in X-Slack-Request-Timestamp")
    if abs(now_s - int(at)) > WINDOW_S:
        hint = "check the clocks; what is older than five minutes may have been recorded and sent again"
        raise BadSignature("the time of the request is more than five minutes from ours", hint)
    given = headers.get("x-slack-signature", "")
    if not hmacs.matches("sha256", b"v0:%s:%s" % (at.encode(), raw), given.removeprefix("v0="), secrets):
        raise BadSignature("the signature is not that of SLACK_SIGNING_SECRET")


def _answer(action: Any, user: Any, at: int) -> Answer | None:
    """None for what is no answer to a message of ours."""
    if not isinstance(action, dict) or not isinstance(user, dict):
        return None
    verb, delivery = str(action.get("action_id")), callback.delivery_name(str(action.get("value") or ""))
    if verb not in _PRESSED or not delivery:
        return None
    who = _speaker(user.get("id"), user.get("username") or user.get("name"))
    return Answer(at=at, by=SOURCE, channel=_CHANNEL, text=verb, delivery=delivery, who=who)


def _speaker(found: Any, name: Any) -> Speaker:
    """Raises Refused."""
    if not isinstance(found, str) or not found:
        raise Refused(400, "user", "nobody is named", "Slack names whoever presses or writes")
    return Speaker(vendor=SOURCE, id=found[:40], name=str(name or "")[:80])


def _shown(text: str) -> Response:
    return JSONResponse({"response_type": "ephemeral", "text": text}, headers=_FRESH)


_FRESH: Final = {"cache-control": "no-store"}
