"""Every `curl` of docs/api.md is sent to a real console, in the order of the page, and answered."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pages
import pytest
from api_world import World, furnish, world
from embedded import running_server

from console.api.problems import TITLES

pytestmark = [pytest.mark.xdist_group("api")]
PAGE = pages.ROOT / "docs/api.md"
EXAMPLES = [
    line.removeprefix("$ ")
    for block in pages.blocks("console")
    if block.page == PAGE
    for line in block.text.splitlines()
    if line.startswith("$ curl ")
]


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_server() as server, world(server.url, tmp_path_factory.mktemp("docs")) as found:
        furnish(found)
        yield found


def asked(line: str) -> tuple[str, str, dict[str, str], str | None]:
    """Method, path with query, headers and body of a `curl`. Fails on an option this test does not know."""
    words = iter(shlex.split(line)[1:])
    method, url, body = "", "", None
    headers: dict[str, str] = {}
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name.lower()] = value
        elif word == "-X":
            method = next(words)
        elif word == "--json":
            body = next(words)
            headers["content-type"] = "application/json"
        else:
            assert not word.startswith("-"), f"{word} is not known to this test"
            url = word
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc) == ("http", "127.0.0.1:8081")
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return method or ("POST" if body else "GET"), path, headers, body


@pytest.mark.parametrize("line", EXAMPLES, ids=lambda line: line.rpartition("/api/v1")[2].strip('"'))
def test_an_example_is_answered(line: str, at: World) -> None:
    method, path, headers, body = asked(line)
    assert headers["authorization"] == "Bearer $TOCSIN_CONSOLE_TOKEN"
    headers["authorization"] = f"Bearer {at.admin}"
    answer = at.seen.client.request(method, at.seen.url + path, headers=headers, content=body)
    assert answer.status_code in {200, 201}, f"{line}: {answer.status_code} {answer.text[:300]}"
    assert answer.text.startswith("BEGIN:") if ".ics" in path else answer.json() is not None


def test_the_problem_of_the_page_is_what_is_answered(at: World) -> None:
    shown: list[Any] = [json.loads(block.text) for block in pages.blocks("json") if block.page == PAGE]
    [problem] = [each for each in shown if "status" in each]
    with at.client(at.admin) as client:
        assert client.post("/incidents", json={}).json() == problem
    [done] = [each for each in shown if "entry" in each]
    assert at.post("/incidents/INC-2/ack").keys() == done.keys()


def test_the_page_names_each_status() -> None:
    text = Path(PAGE).read_text()
    assert [status for status in TITLES if status not in {400, 500} and str(status) not in text] == []
