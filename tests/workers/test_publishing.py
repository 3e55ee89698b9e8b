"""A word for a status page, from the outbox to the page: with what was said in public, and nothing else of the incident."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from past import incident
from published import PROCESS
from redis import Redis
from statuspage_standin import PAGE, StatuspageStandin
from workshop import Bench, bench, page

from routing.delivery import Purpose
from routing.entry import Outcome
from routing.public import Health, Public, Said, Word
from routing.record import encode
from workers import deliver

AT = 1_764_000_000_000


@pytest.fixture
def vendor() -> Iterator[StatuspageStandin]:
    with StatuspageStandin() as made:
        yield made


def desk(redis: Redis, vendor: str, settings: dict[str, Any]) -> Bench:
    made = bench(redis, channels={"page": (vendor, settings)})
    made.given = replace(made.given, process=PROCESS)
    redis.hset(made.keys.state("incident"), "INC-1", encode(incident(1, AT, title="secret-db-7 leaks")))
    return made


def say(at: Bench, *texts: str) -> None:
    words = [Word(at=AT + number, said=Said.IDENTIFIED, text=text) for number, text in enumerate(texts)]
    public = Public(
        id="a",
        title="Trouble with Website",
        began_at=AT,
        names={"site": "Website"},
        health=Health.MAJOR,
        words=words,
    )
    at.client.hset(at.keys.state("public"), "INC-1", encode(public))


def carry_out(at: Bench, address: str, **changes: Any) -> None:
    effect = at.put(
        page(channel="page", address=address, purpose=Purpose.PUBLIC, contact=f"page:{address}", **changes)
    )
    deliver.carry_out(at, effect.id, effect.attempt)


def test_the_vendors_page_is_told_what_was_said_last(redis: Redis, vendor: StatuspageStandin) -> None:
    """A message that was overtaken says the later word, and the one made for that finds it said."""
    at = desk(redis, "statuspage", vendor.settings(messages_per_s=100))
    say(at, "first", "second")
    carry_out(at, PAGE)
    assert (at.delivered().outcome, at.delivered().provider_id) == (Outcome.OK, "inc1")
    assert vendor.incidents[0]["incident_updates"][0]["body"] == "second"
    carry_out(at, PAGE, id="INC-1-d2")
    assert at.delivered().answer == "it says so already"
    assert vendor.told == 1
    assert "secret-db-7" not in str(vendor.calls)


def test_a_folder_is_written(redis: Redis, tmp_path: Path) -> None:
    at = desk(redis, "status_page", {"folder": str(tmp_path)})
    say(at, "We have found it.")
    carry_out(at, "index.html")
    assert at.delivered().outcome is Outcome.OK
    assert "We have found it." in (tmp_path / "index.html").read_text()
    assert "secret-db-7" not in (tmp_path / "index.html").read_text()


def test_without_a_status_page_in_the_process_nothing_is_said(
    redis: Redis, vendor: StatuspageStandin
) -> None:
    at = desk(redis, "statuspage", vendor.settings(messages_per_s=100))
    at.given = replace(at.given, process=None)
    carry_out(at, PAGE)
    assert (at.delivered().outcome, vendor.incidents) == (Outcome.PERMANENT, [])
