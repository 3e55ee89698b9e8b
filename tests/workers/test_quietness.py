"""A source that has gone quiet is told once, and is over when it speaks again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shipped
import yaml
from desk import Desk
from small_policy import POLICY

from ledger import catalogue, log, policies, rhythms
from ledger.clock import now_ms
from ledger.rhythms import OURSELVES, Rhythms
from routing.entry import Lane, Signal, SwitchSet, decode_entry
from routing.event import Event, Status
from routing.instant import DAY, HOUR, MINUTE
from routing.load import load
from routing.rhythm import SLOT_MS
from workers.quietness import KIND, Quietness, people_live_in

BEGAN = now_ms() - 20 * DAY
STOPPED = now_ms() - 2 * HOUR


class Watch:
    """Upkeep that looks at what was heard; Stripe spoke all the time until `STOPPED`."""

    def __init__(self, desk: Desk) -> None:
        self.now = STOPPED
        self.desk = desk
        self._quietness = self.another()
        self.fill(OURSELVES, BEGAN, now_ms() + DAY)
        self.fill("stripe", BEGAN, STOPPED)
        self.speak("stripe", STOPPED)

    def another(self) -> Quietness:
        return Quietness(self.desk.client, self.desk.keys, "upkeep-1", clock=lambda: self.now)

    def fill(self, source: str, since: int, until: int) -> None:
        """In every five minutes; whole days at once."""
        pipe, at = self.desk.client.pipeline(transaction=False), since
        while at < until:
            if at % DAY < SLOT_MS and at + DAY <= until:
                pipe.set(self.desk.keys.heard(source, at // DAY), b"\xff" * 36)
                at += DAY
            else:
                rhythms.mark(pipe, self.desk.keys, source, at)
                at += SLOT_MS
        pipe.execute()

    def speak(self, source: str, at: int) -> None:
        self.desk.client.hset(self.desk.keys.last_arrivals, source, at)

    def look(self, after_ms: int) -> list[Event]:
        """So long after Stripe stopped; what was said of it so far."""
        self.now = STOPPED + after_ms
        self._quietness.round()
        return self.said()

    def said(self) -> list[Event]:
        found = log.read(self.desk.client, self.desk.keys, {Lane.BULK: "0-0"}, 100, 0)
        entries = [decode_entry(raw) for _, raw in found.get(Lane.BULK, ())]
        return [entry.event for entry in entries if isinstance(entry, Signal) and entry.event.kind == KIND]

    def publish(self, **changes: Any) -> None:
        """With these of Stripe's settings; without secrets, there is no such source."""
        files = shipped.files()
        file = yaml.safe_load(files["config/sources.yaml"])
        file["sources"]["stripe"] |= changes
        if "vendor" in changes:
            file["sources"]["other"] = file["sources"].pop("stripe") | {"vendor": "stripe"}
        files["config/sources.yaml"] = yaml.safe_dump(file)
        self.desk.policy = load(files, catalogue.catalogue())
        policies.publish(
            self.desk.client, self.desk.keys, files, catalogue.catalogue(), self.desk.policy, "test"
        )


@pytest.fixture
def watch(redis_url: str, tmp_path: Path) -> Iterator[Watch]:
    desk = Desk(redis_url, tmp_path, POLICY)
    desk.publish()
    yield Watch(desk)
    desk.leave()


def test_it_is_told_once_and_over_when_it_speaks(watch: Watch) -> None:
    assert watch.look(15 * MINUTE) == []
    [event] = watch.look(HOUR)
    assert (event.source, event.status, event.title) == (
        "tocsin",
        Status.FIRING,
        "Source stripe has gone quiet",
    )
    assert event.labels == {"from": "stripe", "team": "payments", "service": "checkout"}
    assert "something came in at least" in event.summary
    assert len(watch.look(2 * HOUR)) == 1
    assert rhythms.quiet(watch.desk.client, watch.desk.keys)["stripe"].since_at == STOPPED
    watch.speak("stripe", STOPPED + 3 * HOUR)
    [_, over] = watch.look(3 * HOUR)
    assert (over.status, over.summary) == (Status.RESOLVED, "it speaks again, after 3 h")
    assert rhythms.quiet(watch.desk.client, watch.desk.keys) == {}


def test_who_takes_over_says_it_no_second_time(watch: Watch) -> None:
    watch.look(HOUR)
    watch.another().round()
    assert len(watch.said()) == 1


def test_a_source_that_was_never_heard_is_not_missed(watch: Watch) -> None:
    watch.look(HOUR)
    assert {event.labels["from"] for event in watch.said()} == {"stripe"}


def test_after_an_outage_of_ours_nobody_is_missed_at_once(watch: Watch) -> None:
    client, keys = watch.desk.client, watch.desk.keys
    for day in range(STOPPED // DAY, STOPPED // DAY + 4):
        client.delete(keys.heard(OURSELVES, day))
    watch.fill(OURSELVES, STOPPED - STOPPED % DAY, STOPPED)
    back = STOPPED + HOUR
    watch.fill(OURSELVES, back, back + DAY)
    assert watch.look(HOUR + 15 * MINUTE) == []
    assert len(watch.look(HOUR + HOUR)) == 1


def test_one_that_is_paused_is_not_missed(watch: Watch) -> None:
    watch.desk.append(SwitchSet(at=now_ms(), name="pause:stripe", on=True))
    assert watch.look(HOUR) == []
    watch.desk.append(SwitchSet(at=now_ms(), name="pause:stripe", on=False))
    assert len(watch.look(HOUR)) == 1


def test_one_that_may_be_silent_never_is_missed(watch: Watch) -> None:
    watch.publish(quiet="never")
    assert watch.look(HOUR) == []


def test_how_long_it_may_be_silent_can_be_said(watch: Watch) -> None:
    watch.publish(quiet="90m")
    assert watch.look(HOUR) == []
    [event] = watch.look(90 * MINUTE)
    assert "no more than 1h30m of silence are usual" in event.summary


@pytest.mark.parametrize("changes", [{"quiet": "never"}, {"vendor": "stripe"}])
def test_it_is_over_when_nobody_waits_for_it(watch: Watch, changes: dict[str, str]) -> None:
    watch.look(HOUR)
    watch.publish(**changes)
    assert [event.status for event in watch.look(HOUR)] == [Status.FIRING, Status.RESOLVED]


def test_what_was_heard_is_read_as_it_was_written(watch: Watch) -> None:
    at = now_ms() // DAY * DAY - 3 * DAY
    watch.fill("vercel", at + 7 * SLOT_MS, at + 9 * SLOT_MS)
    reader = Rhythms(watch.desk.client, watch.desk.keys)
    for _ in range(2):  # the second time days that are over are remembered
        heard = reader.heard(["vercel"], now_ms())["vercel"]
        assert heard.bits == 0b11 << (at // SLOT_MS + 7 - heard.first)
    watch.fill("vercel", now_ms(), now_ms() + 1)
    assert reader.heard(["vercel"], now_ms())["vercel"].bits.bit_count() == 3


def test_days_are_those_of_most_people(watch: Watch) -> None:
    assert people_live_in(watch.desk.policy) == "Europe/Warsaw"
