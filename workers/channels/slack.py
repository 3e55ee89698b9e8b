"""Slack: messages with buttons to people and channels, and a channel for each incident.

Settings: token (of a bot), invite, private, archive, buttons, messages_per_s, base_url. An address is the id of a
person (U...) or channel (C...), a name like #incidents, or a pattern like #incident-{date}: then each incident has a
channel of its own. The first message to a place shows the incident as it is; later ones go into its thread.
Sources: docs.slack.dev/reference/methods (chat.postMessage, chat.update, conversations.*, pins.add).
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import orjson
from pydantic import Field

from routing.course import Passage
from routing.delivery import Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Notification, Pace, Sent
from workers import card, quota
from workers.card import Card
from workers.deadline import Deadline
from workers.slack import api, blocks, rooms
from workers.slack.api import Api, RefusedError

TITLE = "Slack"
VOICE = False
THREADS = True
ADDRESS = r"[UWCGD][A-Z0-9]{2,20}|#[^\s#]{1,300}"

_LOST: Final = {
    "channel_not_found",
    "is_archived",
    "message_not_found",
    "thread_not_found",
    "cannot_reply_to_message",
}
"""What we were to continue is gone: somebody deleted the message, or the room was archived."""
_Given = dict[str, Any]


class Settings(api.Workspace):
    invite: tuple[str, ...] = ()
    """Ids of people who are invited to each incident's channel, beside whoever the incident involves."""
    private: bool = False
    archive: bool = False
    """The incident's channel is archived when the process that ran it is over."""
    buttons: bool = Field(default=True)
    """Off where the app's interactivity leads nowhere: there is a link then."""
    messages_per_s: float = Field(default=1, gt=0, le=100)
    """To one channel or person."""


@dataclass(frozen=True, slots=True)
class _Thread:
    """The first message."""

    channel: str
    ts: str


def send(notification: Notification, settings: Settings, timeout_s: float) -> Sent:
    """Raises DeliveryError."""
    if not re.fullmatch(ADDRESS, notification.to):
        fix = "write the id of a person (U...) or channel (C...), or a name like #incidents"
        raise DeliveryError(f"not an address in Slack: {notification.to!r}; {fix}", outcome=Outcome.PERMANENT)
    slack = Api(settings, Deadline(timeout_s))
    thread = _thread(notification)
    if thread is None:
        return _open(slack, notification, settings)
    try:
        return _continue(slack, notification, settings, thread)
    except RefusedError as refusal:
        if refusal.word not in _LOST:
            raise
    return _open(slack, notification, settings, again=True)


def limits(notification: Notification, settings: Settings) -> tuple[Pace, ...]:
    """By place; a room that is yet to be made is one of its incident alone."""
    thread = _thread(notification)
    room = (
        f"{notification.to}/{notification.incident}" if rooms.is_pattern(notification.to) else notification.to
    )
    place = thread.channel if thread else room
    return (Pace(f"slack:{quota.of(settings.token)}:{place}", settings.messages_per_s),)


def preview(notification: Notification, settings: Settings) -> dict[str, str]:
    thread = _thread(notification) or (_Thread("", "first") if notification.thread else None)
    given = (
        _reply(notification, settings, thread) if thread else _first(notification, settings, notification.to)
    )
    return {
        name: value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
        for name, value in given.items()
    }


def _open(slack: Api, notification: Notification, settings: Settings, *, again: bool = False) -> Sent:
    """The first message there, or the first after the one before was lost."""
    is_room = rooms.is_pattern(notification.to)
    channel = rooms.enter(slack, notification, private=settings.private) if is_room else notification.to
    posted = _posted(slack.post("chat.postMessage", _first(notification, settings, channel)))
    if is_room:
        with suppress(DeliveryError):
            slack.post("pins.add", {"channel": posted.channel, "timestamp": posted.ts})
        with suppress(DeliveryError):
            slack.post(
                "conversations.setTopic", {"channel": posted.channel, "topic": rooms.about(notification)}
            )
        rooms.invite(slack, posted.channel, (*settings.invite, *notification.involved))
        _close(slack, notification, settings, posted.channel)
    name = f"{posted.channel}:{posted.ts}"
    return Sent(name, "200 ok", thread=name if again else "")


def _continue(slack: Api, notification: Notification, settings: Settings, thread: _Thread) -> Sent:
    """The first message shows how it is now, and what is new is said below it; a page is said before all else."""
    pages = notification.purpose in {Purpose.PAGE, Purpose.APPROVAL}
    if not pages:
        _update(slack, notification, settings, thread)
    posted = _posted(slack.post("chat.postMessage", _reply(notification, settings, thread)))
    if pages:
        with suppress(DeliveryError):
            _update(slack, notification, settings, thread)
    if rooms.is_pattern(notification.to):
        rooms.invite(slack, thread.channel, notification.involved)
        _close(slack, notification, settings, thread.channel)
    return Sent(f"{posted.channel}:{posted.ts}", "200 ok")


def _update(slack: Api, notification: Notification, settings: Settings, thread: _Thread) -> None:
    if notification.standing is None or notification.together:
        return
    shown = card.living(notification)
    given = {"channel": thread.channel, "ts": thread.ts, **_shown(shown, notification, settings)}
    try:
        slack.post("chat.update", given)
    except RefusedError as refusal:
        # Repeating would not help, and what is new is said all the same; what is gone, the reply will tell.
        if refusal.outcome is not Outcome.PERMANENT:
            raise


def _close(slack: Api, notification: Notification, settings: Settings, channel: str) -> None:
    """The process that ran it is over: the room stays readable, and takes no more."""
    course = notification.standing.course if notification.standing else None
    if settings.archive and course is not None and course.passage is Passage.CLOSED:
        with suppress(DeliveryError):
            slack.post("conversations.archive", {"channel": channel})


def _first(notification: Notification, settings: Settings, channel: str) -> _Given:
    return {"channel": channel, **_shown(card.opening(notification), notification, settings), **_QUIET}


def _reply(notification: Notification, settings: Settings, thread: _Thread) -> _Given:
    """In the incident's own channel everybody reads, so there it is no reply."""
    given = {"channel": thread.channel, **_shown(card.news(notification), notification, settings), **_QUIET}
    if not rooms.is_pattern(notification.to):
        given["thread_ts"] = thread.ts
        if notification.purpose is Purpose.PAGE:
            given["reply_broadcast"] = True
    return given


def _shown(shown: Card, notification: Notification, settings: Settings) -> _Given:
    answerable = settings.buttons and bool(notification.callback_url)
    return {"text": blocks.text(shown), "blocks": blocks.blocks(shown, notification, answerable=answerable)}


_QUIET: Final = {"unfurl_links": False, "unfurl_media": False}


def _posted(said: dict[str, Any]) -> _Thread:
    """Raises DeliveryError: what was answered without an id may have been said."""
    channel, ts = said.get("channel"), said.get("ts")
    if not isinstance(channel, str) or not isinstance(ts, str) or not channel or not ts:
        raise DeliveryError("Slack answered ok without channel and ts", outcome=Outcome.UNKNOWN)
    return _Thread(channel, ts)


def _thread(notification: Notification) -> _Thread | None:
    """None where there is none yet, or it was only in the sandbox."""
    channel, _, ts = notification.thread.partition(":")
    return _Thread(channel, ts) if re.fullmatch(r"\d+\.\d+", ts) else None
