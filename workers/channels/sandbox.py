"""The built-in outbox as a channel of its own: keeps what would have been said, and sends nothing anywhere.

For trying Tocsin without any provider. Other channels fall back to the same place while their credentials are
missing. Has no settings. The delivering worker does the keeping: channels do not know the ledger.
"""

from pydantic import BaseModel, ConfigDict

from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Notification, Sent
from workers.text import whole

TITLE = "Outbox (sandbox)"
VOICE = False
SENDS = False
"""Deliveries over it always stay here."""


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def send(notification: Notification, settings: Settings, timeout_s: float) -> Sent:
    """Raises DeliveryError always: there is no provider that could accept anything."""
    del settings, timeout_s
    raise DeliveryError(f"{notification.delivery}: the sandbox sends nothing", outcome=Outcome.PERMANENT)


def preview(notification: Notification, settings: Settings) -> dict[str, str]:
    del settings
    fields = {"To": notification.to, "Text": whole(notification.message)}
    return fields | ({"Link": notification.ack_url} if notification.ack_url else {})
