"""The long tail: any service that the library Apprise knows, by its URL. An extra, not installed unless asked for.

Settings: url. Apprise tells neither a message's id nor what exactly went wrong, so this is for news and for what can
wait: `tocsin check` warns where a page has no other way. The address of a contact's method is any name.
Source: github.com/caronc/apprise, its wiki on URLs.
"""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from routing.delivery import Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.incident import Phase
from routing.ports import Notification, Sent
from workers import card, letter
from workers.text import cut

TITLE = "Apprise"
VOICE = False
BEST_EFFORT = True

_MOST_TEXT: Final = 4_000
_SUCCESS: Final = 0
_TIMEOUT: Final = 5
"""Of AppriseResultStatus."""


class Settings(BaseModel):
    """`url`: one service, as Apprise writes it: it holds its credentials."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: SecretStr = Field(min_length=1)


def send(notification: Notification, settings: Settings, timeout_s: float) -> Sent:
    """Raises DeliveryError."""
    library = _library()
    service = library.Apprise(asset=library.AppriseAsset(secure_logging=True, async_mode=False))
    if not service.add(settings.url.get_secret_value()):
        said = "Apprise knows no such service: check url in config/channels.yaml"
        raise DeliveryError(said, outcome=Outcome.PERMANENT)
    title, body = _words(notification)
    result = service.notify(
        body=body, title=title, notify_type=_kind(notification), body_format="text", timeout=timeout_s
    )
    status = int(result.status)
    if status != _SUCCESS:
        late = status == _TIMEOUT
        said = f"no answer within {timeout_s:g} s" if late else "the service did not take it"
        raise DeliveryError(f"Apprise: {said}", outcome=Outcome.UNKNOWN if late else Outcome.TEMPORARY)
    return Sent(provider_id="", answer="accepted")


def preview(notification: Notification, settings: Settings) -> dict[str, str]:
    del settings
    title, body = _words(notification)
    return {"Title": title, "Body": body, "Type": _kind(notification)}


def _words(notification: Notification) -> tuple[str, str]:
    shown = card.of(notification)
    parts = [shown.remark, shown.stands, cut(shown.body, _MOST_TEXT)]
    if notification.ack_url:
        parts.append(f"{letter.does(notification)}: {notification.ack_url}")
    return shown.heading, "\n".join(part for part in parts if part) or shown.heading


def _kind(notification: Notification) -> str:
    """Services show it as a colour or a sign."""
    standing = notification.standing
    if standing is not None and standing.phase is Phase.RESOLVED:
        return "success"
    return "failure" if notification.purpose is Purpose.PAGE else "info"


def _library() -> Any:
    """It takes a third of a second to import, and 15 MB. Raises DeliveryError when it is not installed."""
    try:
        import apprise  # noqa: PLC0415  # an extra
    except ImportError as error:
        said = 'Apprise is not installed: pip install "tocsin[apprise]"'
        raise DeliveryError(said, outcome=Outcome.PERMANENT) from error
    return apprise
