"""`tocsin sources`: what came of each, and what becomes of a body before it is live."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import senders
from click.testing import CliRunner, Result
from desk import Ask, Desk, Run
from redis import Redis

from console.main import tocsin
from ledger import rhythms
from ledger.clock import now_ms
from ledger.keys import Keys
from ledger.rhythms import Silent
from routing.instant import HOUR, iso

CONFIG = Path(__file__).parents[2] / "config"
QUEUES = """
  queues:
    vendor: generic
    secrets: ["${QUEUES_TOKEN}"]
    team: platform
    services: {queue: {orders: site}}
    settings: {key: queue, title: "join(' ', [queue, 'is long'])", status: state, firing: [long], labels: {queue: queue}}
  pages:
    vendor: pagerduty_events
    secrets: ["${PAGERDUTY_ROUTING_KEY}"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped configuration, and one more source."""
    copy = tmp_path / "config"
    shutil.copytree(CONFIG, copy)
    with (copy / "sources.yaml").open("a") as file:
        file.write(QUEUES)
    return copy


def tried(folder: Path, source: str, body: bytes, *more: str) -> Result:
    return CliRunner().invoke(
        tocsin, ["sources", "test", source, "-", "--config", str(folder), *more], input=body
    )


def test_it_says_what_an_event_is_and_what_is_done_with_it(folder: Path) -> None:
    found = tried(
        folder,
        "queues",
        b'[{"queue": "orders", "state": "Long"}, {"queue": "mail", "state": "short"}]',
        "--json",
    )
    assert found.exit_code == 0, found.output
    orders, mail = json.loads(found.output)["events"]
    assert (orders["status"], orders["key"], orders["title"], orders["handling"]) == (
        "firing",
        "orders",
        "orders is long",
        "alert",
    )
    assert (orders["service"], mail["service"], mail["handling"]) == ("site", "", "record")
    text = tried(folder, "queues", b'{"queue": "orders", "state": "long"}').output
    assert "orders is long" in text
    assert "service site" in text


def test_an_acknowledgement_and_a_change_are_shown_too(folder: Path) -> None:
    ack = b'{"event_action": "acknowledge", "dedup_key": "db1"}'
    assert "ack the incident of alert v1:" in tried(folder, "pages", ack).output
    (command,) = json.loads(tried(folder, "pages", ack, "--json").output)["commands"]
    assert (command["verb"], command["by"]) == ("ack", "source pages")
    change = tried(folder, "pages", b'{"payload": {"summary": "New prices"}}').output
    assert "kind change" in change
    assert "deploy" in change


def test_what_cannot_be_read_is_told_and_ends_with_1(folder: Path) -> None:
    found = tried(folder, "queues", b'[{"queue": "orders"}, 7]')
    assert found.exit_code == 1
    assert "dead letter: [1]: expected a JSON object, found a number" in found.output
    assert tried(folder, "stripe", b"{").exit_code == 1


def test_a_header_says_what_the_body_does_not(folder: Path) -> None:
    body = b'{"action": "published", "repository": {"full_name": "shop/site"}}'
    (folder / "sources.yaml").write_text(
        (folder / "sources.yaml").read_text() + '  gh: {vendor: github, secrets: ["${GH}"]}\n'
    )
    found = tried(folder, "gh", body, "--header", "X-GitHub-Event: release", "--json")
    assert json.loads(found.output)["events"][0]["kind"] == "release"
    assert tried(folder, "gh", body).exit_code == 1
    assert tried(folder, "gh", body, "--header", "nonsense").exit_code == 2


def test_an_unknown_source_is_told_which_there_are(folder: Path) -> None:
    found = tried(folder, "nobody", b"{}")
    assert found.exit_code == 2
    assert "queues" in found.output


SETTINGS: list[tuple[str, dict[str, Any], str]] = [
    ("generic", {"kind": "a ||"}, "settings.kind"),
    ("generic", {"labels": {"host": "a["}}, "settings.labels.host"),
    ("generic", {"firing": "open"}, "settings.firing"),
    ("generic", {"signature": {"header": "X", "algorithm": "md5"}}, "settings.signature"),
    ("generic", {"sevrity": "level"}, 'did you mean "severity"?'),
    ("github", {"branch": ["main"]}, 'did you mean "branches"?'),
    ("stripe", {"anything": 1}, 'stripe takes no "anything"'),
    ("cloudwatch", {"topics": []}, "no topic is listed"),
    ("cloudwatch", {"rehearsals": True}, "no topic is listed"),
    ("cloudwatch", {"topics": ["arn:aws:s3:::bucket"]}, "settings.topics.0"),
]


@pytest.mark.parametrize(("vendor", "settings", "said"), SETTINGS)
def test_settings_a_source_cannot_use_do_not_go_live(
    folder: Path, vendor: str, settings: dict[str, Any], said: str
) -> None:
    written = {"vendor": vendor, "secrets": ["${X}"], "settings": settings}
    (folder / "sources.yaml").write_text(
        (CONFIG / "sources.yaml").read_text() + f"  odd: {json.dumps(written)}\n"
    )
    found = CliRunner().invoke(tocsin, ["check", "--config", str(folder)])
    assert found.exit_code == 1
    assert "sources.yaml" in found.output
    assert said in found.output


POLLS: list[tuple[str, dict[str, Any], str]] = [
    ("alertmanager", {"token": "${X}"}, "alertmanager cannot be asked for what we missed"),
    ("stripe", {"every": "5m"}, '"api_key" is missing'),
    ("stripe", {"api_key": "${X}", "evry": "5m"}, 'did you mean "every"?'),
    ("stripe", {"api_key": "${X}", "every": "0s"}, "poll.every"),
    ("stripe", {"api_key": "${X}", "pages": 0}, "poll.pages"),
    ("github", {"token": "${X}", "hook": 1}, "name the repository"),
    ("github", {"token": "${X}", "hook": 1, "repository": "a/b/c"}, "poll.repository"),
    ("vercel", {"token": "${X}", "types": ["deployment.rollback"]}, "poll.types"),
]


@pytest.mark.parametrize(("vendor", "poll", "said"), POLLS)
def test_a_vendor_that_cannot_be_asked_so_does_not_go_live(
    folder: Path, vendor: str, poll: dict[str, Any], said: str
) -> None:
    written = {"vendor": vendor, "secrets": ["${X}"], "poll": poll}
    (folder / "sources.yaml").write_text(
        (CONFIG / "sources.yaml").read_text() + f"  odd: {json.dumps(written)}\n"
    )
    found = CliRunner().invoke(tocsin, ["check", "--config", str(folder)])
    assert found.exit_code == 1
    assert said in found.output


@pytest.mark.parametrize("vendor", sorted(senders.SETTINGS))
def test_settings_that_fit_do(vendor: str) -> None:
    from ledger.catalogue import catalogue

    facts = catalogue().source(vendor)
    assert facts is not None
    assert set(senders.SETTINGS[vendor]) <= set(facts.settings)
    assert list(facts.faults(senders.SETTINGS[vendor])) == []


def test_it_tells_what_each_source_sent_and_what_was_refused(
    desk: Desk, run: Run, ask: Ask, redis: Redis
) -> None:
    now, keys = now_ms(), Keys()
    redis.hset(keys.last_arrivals, "stripe", now)
    redis.hset(keys.arrivals(now // HOUR), "stripe", 12)
    redis.hset(keys.refusals, "stripe signature", 3)
    redis.lpush(
        keys.refused("stripe"),
        json.dumps({"at": "2026-11-24T02:30:00Z", "why": "signature", "error": "it is old"}),
    )
    rows = {row["name"]: row for row in ask("sources", "list")}
    assert (rows["stripe"]["last_at"], rows["stripe"]["refused"]) == (iso(now), {"signature": 3})
    assert rows["stripe"]["last_hour"] >= 12
    assert (rows["vercel"]["last_at"], rows["vercel"]["last_hour"], rows["vercel"]["refused"]) == (
        None,
        0,
        {},
    )
    assert "signature 3" in run("sources", "list").stdout
    shown = run("sources", "show", "stripe").stdout
    assert "signature 3" in shown
    assert "no; when: learned" in shown
    assert "2026-11-24T02:30:00Z signature: it is old" in shown
    assert "STRIPE_WEBHOOK_SECRET" in shown
    assert ask("sources", "show", "stripe")["examples"][0]["error"] == "it is old"


def test_it_tells_since_when_a_source_is_quiet_and_why(desk: Desk, run: Run, ask: Ask, redis: Redis) -> None:
    since = now_ms() - 3 * HOUR
    rhythms.fell_silent(
        redis, Keys(), "stripe", Silent(since_at=since, said_at=since, why="nothing has come")
    )
    rows = {row["name"]: row for row in ask("sources", "list")}
    assert (rows["stripe"]["quiet_since"], rows["stripe"]["quiet_because"]) == (
        iso(since),
        "nothing has come",
    )
    assert (rows["vercel"]["quiet_since"], rows["vercel"]["quiet_because"]) == (None, None)
    assert "since 3 h ago" in run("sources", "list").stdout
    assert "nothing has come" in run("sources", "show", "stripe").stdout
    assert ask("sources", "show", "stripe")["quiet_since"] == iso(since)
