"""Operation: one thing the API does, declared once. Its route, its description and its tests are made of it."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from pydantic import BaseModel

from console.api.problems import Problem
from console.context import Context
from console.doing.entries import API, Who
from console.trust.actor import Actor
from console.trust.acts import Act

PREFIX = "/api/v1"
WAIT_S = 3.0
"""So long an answer waits for what was asked to be decided; then it is 202."""
SMALL = 1_048_576
"""Bytes of a body."""

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Asked:
    """One request, read and allowed. `body` of an operation that takes bytes is `raw`."""

    context: Context
    actor: Actor
    now: int
    path: Mapping[str, str]
    query: BaseModel | None = None
    body: BaseModel | None = None
    origin: str = ""
    """Where browsers reach the console, for links."""

    @cached_property
    def who(self) -> Who:
        via = API if self.actor.way == "token" else "the console"
        return Who(self.actor.name, self.actor.client, via, WAIT_S, self.actor.contact)

    def queried(self, model: type[M]) -> M:
        assert isinstance(self.query, model)  # noqa: S101  # as it was declared
        return self.query

    def sent(self, model: type[M]) -> M:
        assert isinstance(self.body, model)  # noqa: S101  # as it was declared
        return self.body


Does = Callable[[Asked], Any]


def few(does: Does, most: int = 2) -> Does:
    """What takes long: so many at a time, in this process; who comes then is asked to come again."""
    room = threading.BoundedSemaphore(most)

    def limited(asked: Asked) -> Any:
        if not room.acquire(blocking=False):
            raise Problem(
                429, f"{most} of these are under way already", "try again", headers={"retry-after": "2"}
            )
        try:
            return does(asked)
        finally:
            room.release()

    return limited


@dataclass(frozen=True)
class Operation:
    """`does` runs in a thread and answers with what `answer` describes, or None for no body.

    `team` finds whose thing it is about, before anything is done: raises Nowhere. `reads` answers as the GET of the
    same thing does: with it `If-Match` is heeded. `waits`: it may answer 202, kept and not decided yet.
    """

    method: str
    path: str
    act: Act
    summary: str
    does: Does
    answer: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    status: int = 200
    waits: bool = False
    optional_body: bool = False
    most_bytes: int = SMALL
    team: Callable[[Asked], str] | None = None
    reads: Does | None = None
    media: str = "application/json"
    streams: bool = False
    """It answers for as long as somebody listens."""
    secret: bool = False
    """It answers with what opens a door: that is kept nowhere, so a repeat is told that it is too late."""
    refusals: Sequence[int] = ()
    """Statuses besides those that every operation may answer."""
    description: str = ""
    examples: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As the description calls it: "postIncidentsIdAck"."""
        words = self.path.replace("{", "").replace("}", "").replace("-", "/").split("/")
        return self.method.lower() + "".join(word[:1].upper() + word[1:] for word in words if word)

    @property
    def group(self) -> str:
        return self.path.split("/")[1]

    @property
    def writes(self) -> bool:
        return self.method != "GET"
