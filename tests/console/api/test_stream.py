"""Programs hear what changed, once, and go on where a connection broke."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx2
import pytest
from api_world import World
from working import until

from console.api.stream import AT_ONCE
from console.trust.acts import Role, Scope

pytestmark = [pytest.mark.xdist_group("api")]


class Heard:
    """The events of a stream, one after the other."""

    def __init__(self, answer: httpx2.Response) -> None:
        self._lines = answer.iter_lines()
        self.last = ""

    def next(self) -> list[str] | None:
        """Topics of the next event, comments passed over."""
        kind, data = "", ""
        for line in self._lines:
            name, _, value = line.partition(": ")
            if name == "id":
                self.last = value
            elif name == "event":
                kind = value
            elif name == "data":
                data = value
            elif not line and kind:
                assert kind == "changed"
                topics: list[str] | None = json.loads(data)["topics"]
                return topics
        raise AssertionError("the stream ended")

    def begun(self) -> "Heard":
        """Once it has said where it is."""
        for line in self._lines:
            if line.startswith("id: "):
                self.last = line[4:]
                return self
        raise AssertionError("the stream ended")


@contextmanager
def listening(at: World, query: str, token: str = "", last: str = "") -> Iterator[Heard]:
    headers = {"last-event-id": last} if last else {}
    with at.client(token or at.admin) as client:
        with client.stream("GET", f"/stream{query}", headers=headers) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield Heard(answer)


@pytest.fixture
def incident(at: World) -> str:
    return str(at.post("/incidents", {"title": "Checkout is slow", "severity": "SEV-3"}, 201)["incident"])


def test_a_change_is_told_with_what_changed(at: World, incident: str) -> None:
    with listening(at, f"?topic={incident}&topic=INC-999") as heard:
        heard.begun()
        at.post(f"/incidents/{incident}/note", {"text": "hm"})
        assert heard.next() == [incident]


def test_what_changed_while_nobody_listened_is_told_to_who_comes_back(at: World, incident: str) -> None:
    with listening(at, f"?topic={incident}") as heard:
        last = heard.begun().last
    at.post(f"/incidents/{incident}/note", {"text": "hm"})
    with listening(at, f"?topic={incident}", last=last) as heard:
        assert heard.next() == [incident]


def test_who_comes_back_from_another_time_is_to_look_at_everything(at: World, incident: str) -> None:
    with listening(at, f"?topic={incident}", last="0badc0de-7") as heard:
        assert heard.next() is None


def test_one_token_holds_so_many_streams_and_no_more(at: World) -> None:
    token = at.seen.token("greedy", Role.VIEWER, Scope.READ)
    with ExitStack() as held, at.client(token) as client:
        heard = [held.enter_context(listening(at, "", token)).begun() for _ in range(AT_ONCE)]
        refused = client.get("/stream")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
        assert len(heard) == AT_ONCE
    with at.client(token) as client:
        until(lambda: _is_let_in(client), what="the streams to be closed")


def _is_let_in(client: httpx2.Client) -> bool:
    with client.stream("GET", "/stream") as answer:
        return answer.status_code == 200


def test_too_many_topics_are_refused(at: World) -> None:
    with at.client(at.admin) as client:
        answer = client.get("/stream", params={"topic": [f"INC-{n}" for n in range(21)]})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
