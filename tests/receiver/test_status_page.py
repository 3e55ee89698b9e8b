"""The status page as the receiver serves it: read-only, where the configuration says so, and also while Redis is away."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from published import PAGE, PROCESS
from reception import POLICY, Reception, running, until
from redis import Redis

from ledger.keys import Keys
from receiver.status_page import FRESH_MS
from routing.public import Health, Public, Said, Word
from routing.record import encode


def serving(path: str = "/status") -> Any:
    page = replace(PAGE, path=path)
    return replace(POLICY, process=replace(PROCESS, status_page=page))


@pytest.fixture
def reception(redis: Redis, redis_url: str) -> Iterator[Reception]:
    with running(redis, redis_url, policy=serving()) as made:
        yield made


def say(redis: Redis, text: str) -> None:
    words = [Word(at=1_764_000_000_000, said=Said.IDENTIFIED, text=text)]
    public = Public(
        id="a", title="Trouble with Website", began_at=1_764_000_000_000, names={"site": "Website"},
        health=Health.MAJOR, words=words,
    )  # fmt: skip
    redis.hset(Keys().state("public"), "INC-1", encode(public))


def test_it_is_served_as_page_json_and_feed(reception: Reception) -> None:
    say(reception.redis, "We have found it.")
    kinds = {
        "": "text/html",
        "index.html": "text/html",
        "index.json": "application/json",
        "index.rss": "application/rss+xml",
    }
    for name, kind in kinds.items():
        answer = reception.get(f"/status/{name}")
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, kind)
        assert "We have found it." in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_its_own_style_is_what_the_policy_of_the_page_allows(reception: Reception) -> None:
    import hashlib
    from base64 import b64encode

    answer = reception.get("/status/")
    style = answer.text.partition("<style>")[2].partition("</style>")[0]
    assert (
        b64encode(hashlib.sha256(style.encode()).digest()).decode()
        in answer.headers["content-security-policy"]
    )


def test_the_bare_path_leads_to_it(reception: Reception) -> None:
    answer = reception.get("/status")
    assert (answer.status_code, answer.headers["location"]) == (308, "/status/")


@pytest.mark.parametrize("path", ["/status/other", "/status/.lock", "/statuses", "/status/index.html/x"])
def test_nothing_else_is_there(reception: Reception, path: str) -> None:
    assert reception.get(path).status_code in {401, 403, 404}


def test_nobody_changes_anything_there(reception: Reception) -> None:
    answer = reception.post("/status/", b"{}", {})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def test_it_is_made_anew_once_in_a_while_and_not_for_every_reader(reception: Reception) -> None:
    assert "All systems operational" in reception.get("/status/").text
    say(reception.redis, "We have found it.")
    until(lambda: "We have found it." in reception.get("/status/").text, FRESH_MS / 1000 + 5)


def test_where_no_path_is_given_nothing_is_served(redis: Redis, redis_url: str) -> None:
    with running(redis, redis_url, policy=serving("")) as reception:
        assert reception.get("/status/").status_code == 404
