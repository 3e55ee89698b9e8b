"""A status page of your own, as files in a folder: index.html, index.json and index.rss, for any web server to serve.

Settings: folder. What it says is set in process.yaml, and holds nothing but what was said in public.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Notification, Sent
from workers import status_folder

TITLE = "Status page in a folder"
VOICE = False
PAGE = True


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: str = Field(min_length=1)

    @field_validator("folder")
    @classmethod
    def _absolute(cls, folder: str) -> str:
        if not Path(folder).is_absolute():
            raise ValueError("write the whole path, like /srv/status")
        return folder


def send(notification: Notification, settings: Settings, timeout_s: float) -> Sent:
    """Write the page as it is now. Raises DeliveryError."""
    del timeout_s
    if notification.documents is None:
        raise DeliveryError("there is nothing public in this message", outcome=Outcome.PERMANENT)
    refresh(settings, notification.documents)
    return Sent(settings.folder, "written")


def refresh(settings: Settings, documents: Callable[[], Mapping[str, bytes]]) -> None:
    """Write what the page says at the moment, whoever asks. Raises DeliveryError."""
    try:
        status_folder.write(Path(settings.folder), documents)
    except OSError as error:
        why = f"{settings.folder}: {error.strerror or error}"
        raise DeliveryError(why, outcome=Outcome.TEMPORARY) from error


def preview(notification: Notification, settings: Settings) -> dict[str, str]:
    return {"Folder": settings.folder, "Title": notification.message.title, "Text": notification.message.body}
