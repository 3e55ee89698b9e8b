"""A message as the configuration's templates word it. What fails is left as it was decided, and said."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from routing.delivery import Message
from routing.policy import Template
from routing.ports import Notification
from routing.templates import choosing
from routing.templates.facts import facts

LONGEST = {"title": 300, "body": 8_000, "speech": 1_500}
"""Characters; every channel cuts further, to what its vendor takes. HTML is not cut: that would break it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """`template`: its name; `why` names file and line."""

    template: str
    why: str


@dataclass(frozen=True, slots=True)
class Worded:
    message: Message
    failures: tuple[Failure, ...] = ()


def kind_of(notification: Notification) -> str:
    return choosing.BUNDLE if notification.together else notification.purpose.value


def word(templates: Mapping[str, Template], notification: Notification, channel: str, now: int) -> Worded:
    """The notification's message, reworded. Never fails: the plain message is always there."""
    kind = kind_of(notification)
    found = list(choosing.chosen(templates, channel, kind, notification.severity)) if templates else []
    if not found:
        return Worded(notification.message)
    parts: dict[str, str] = {}
    failures: list[Failure] = []
    for part, template in found:
        try:
            parts[part] = fill(template, part, facts(notification, channel, now))
        except Exception as error:  # noqa: BLE001  # a page must not die of a fault in its words
            failures.append(Failure(template.name, f"{template.origins[part]} {part}: {error}"))
    return Worded(msgspec.structs.replace(notification.message, **parts), tuple(failures))


def fill(template: Template, part: str, known: Mapping[str, object]) -> str:
    """One part, filled in and of a bearable length. Raises BadTemplate; also when nothing is left of it."""
    # Jinja is large, and where there are no templates nobody needs it.
    from routing.templates import sandbox  # noqa: PLC0415

    text = sandbox.compiled(template.parts[part], html=part == "html").fill(known).strip()
    if not text:
        raise sandbox.SaysNothing("it says nothing")
    limit = LONGEST.get(part, 0)
    return text if not limit or len(text) <= limit else f"{text[: limit - 1].rstrip()}…"
