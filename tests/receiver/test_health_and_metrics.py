"""Is it alive, is it ready and if not why, and what does it count."""

import asyncio
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import embedded
import pytest
from prometheus_client.parser import text_string_to_metric_families
from reception import SECRETS, Reception, running, until
from redis import Redis

from ledger import pulse, tally
from ledger.clock import now_ms
from ledger.connection import Finding, connect
from ledger.log import Kept, Request
from ledger.settings import LedgerSettings
from receiver import samples
from receiver.samples import Wanted
from receiver.settings import from_env
from receiver.sources import stripe
from routing.decision import Table

DOCS = Path(__file__).parents[2] / "docs/metrics.md"


def send_one(reception: Reception) -> int:
    body = samples.make("stripe", "payout.failed", Wanted(), now_ms())
    headers = stripe.sign(body, SECRETS["STRIPE_WEBHOOK_SECRET"], now_ms())
    return reception.post("/hooks/stripe", body, headers).status_code


def sample_values(reception: Reception) -> dict[str, float]:
    return {
        sample.name
        + "".join(f"{{{key}={value}}}" for key, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(reception.get("/metrics").text)
        for sample in family.samples
    }


def test_ready_when_redis_answers_and_a_policy_is_in_force(reception: Reception) -> None:
    assert reception.get("/healthz").status_code == 200
    answer = reception.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["reasons"] == []
    assert "NOBODY_SET_THIS" in answer.json()["warnings"][0]


def test_without_a_policy_it_is_alive_but_not_ready_and_takes_nothing(redis: Redis, redis_url: str) -> None:
    with running(redis, redis_url, policy=None) as reception:
        assert reception.get("/healthz").status_code == 200
        answer = reception.get("/readyz")
        assert answer.status_code == 503
        assert "polic" in answer.json()["reasons"][0]
        for path in ("/hooks/stripe", "/api/v2/alerts"):
            refused = reception.post(path, b"[]", {"authorization": "Bearer x"})
            assert refused.status_code == 503
            assert refused.headers["retry-after"]


WEAK = Finding("refuse", "appendonly is 'no'", "set appendonly yes")


def test_a_server_that_is_not_durable_is_a_reason_and_gets_no_event(redis: Redis, redis_url: str) -> None:
    with running(redis, redis_url, findings=(WEAK, Finding("unknown", "?", "look"))) as reception:
        ready = reception.get("/readyz")
        assert (ready.status_code, ready.json()["reasons"]) == (
            503,
            ["appendonly is 'no'; set appendonly yes"],
        )
        assert send_one(reception) == 503
        assert reception.entries() == []
        assert sample_values(reception)["tocsin_refused_total{source=stripe}{why=weak_store}"] == 1


def test_where_it_is_allowed_a_server_that_is_not_durable_is_only_warned_of(
    redis: Redis, redis_url: str
) -> None:
    settings = from_env({"TOCSIN_REDIS_URL": redis_url, "TOCSIN_ALLOW_WEAK_DURABILITY": "1"})
    with running(redis, redis_url, settings=settings, findings=[WEAK]) as reception:
        ready = reception.get("/readyz")
        assert ready.status_code == 200
        assert "appendonly is 'no'; set appendonly yes" in ready.json()["warnings"]
        assert send_one(reception) == 202


def test_what_changes_while_it_runs_is_found_after_the_next_failed_append(
    redis: Redis, redis_url: str
) -> None:
    """Another server may have come back: nothing is taken before it was looked at."""
    findings: list[Finding] = []
    broken = threading.Event()

    async def append(batch: Sequence[Request]) -> Sequence[Kept]:
        if broken.is_set():
            findings.append(WEAK)
            raise OSError("the connection broke")
        return [Kept([f"b{number}-0"], []) for number, _ in enumerate(batch)]

    with running(redis, redis_url, append=append, findings=findings) as reception:
        assert send_one(reception) == 202
        broken.set()
        assert send_one(reception) == 503
        broken.clear()
        assert send_one(reception) == 503
        until(lambda: "appendonly is 'no'" in reception.get("/readyz").text)


def test_with_redis_gone_it_answers_503_and_recovers_by_itself(tmp_path: Path) -> None:
    with embedded.running_server(tmp_path) as server:
        with (
            connect(LedgerSettings(redis_url=server.url)) as client,
            running(client, server.url) as reception,
        ):
            assert send_one(reception) == 202
            embedded.kill(server)
            assert send_one(reception) == 503
            ready = reception.get("/readyz")
            assert ready.status_code == 503
            assert "Redis does not answer" in ready.json()["reasons"][0]
            assert sample_values(reception)["tocsin_redis_up"] == 0
            server.start()
            until(lambda: send_one(reception) == 202)
            assert reception.get("/readyz").status_code == 200


def test_more_than_the_disk_takes_is_answered_503_with_a_time_to_come_back(
    redis: Redis, redis_url: str
) -> None:
    async def stuck(_: Sequence[Request]) -> Sequence[Kept]:
        await asyncio.sleep(3600)
        return []

    with running(redis, redis_url, append=stuck, pending=0, wait_s=0.2) as reception:
        body = samples.make("stripe", "payout.failed", Wanted(), now_ms())
        answer = reception.post(
            "/hooks/stripe", body, stripe.sign(body, SECRETS["STRIPE_WEBHOOK_SECRET"], now_ms())
        )
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert set(answer.json()) == {"error", "hint"}


def test_a_disk_that_hangs_is_answered_503(redis: Redis, redis_url: str) -> None:
    async def stuck(_: Sequence[Request]) -> Sequence[Kept]:
        await asyncio.sleep(3600)
        return []

    with running(redis, redis_url, append=stuck, wait_s=0.2) as reception:
        assert send_one(reception) == 503
        assert sample_values(reception)["tocsin_append_failures_total"] == 1


def test_metrics_say_what_came_and_what_became_of_it(reception: Reception) -> None:
    send_one(reception)
    reception.post("/hooks/stripe", b"{}")
    values = sample_values(reception)
    assert values["tocsin_http_answers_total{route=hooks}{source=stripe}{status=202}"] == 1
    assert values["tocsin_http_answers_total{route=hooks}{source=stripe}{status=401}"] == 1
    assert values["tocsin_refused_total{source=stripe}{why=signature}"] == 1
    assert values["tocsin_accepted_total{source=stripe}"] == 1
    assert values["tocsin_ingest_seconds_count"] == 2
    assert values["tocsin_lane_entries{lane=bulk}"] == 1
    assert values["tocsin_policy_info{version=p1}"] == 1
    assert values["tocsin_redis_up"] == 1


def test_what_other_processes_count_is_shown_and_nothing_else(reception: Reception) -> None:
    for _ in range(3):
        tally.count(
            reception.redis, reception.keys, "tocsin_deliveries_total", channel='s"m\n}s', outcome="ok"
        )
    counted = {
        "tocsin_page_total": 2,
        'evil{x="1"} 1\nfake 1': 1,
        'tocsin_deliveries_total{other="x"}': 9,
    }
    reception.redis.hset(reception.keys.metrics, mapping=counted)  # type: ignore[arg-type]
    values = sample_values(reception)
    assert values["tocsin_deliveries_total{channel=s_m__s}{outcome=ok}"] == 3
    assert values["tocsin_page_total"] == 2
    assert not [name for name in values if name.startswith(("evil", "fake"))]


def test_the_age_of_the_oldest_undecided_entry_is_told(reception: Reception) -> None:
    send_one(reception)
    rows: Any = reception.redis.xrange(reception.keys.log("bulk"))
    [(first, _)] = rows
    until(lambda: sample_values(reception)["tocsin_lane_oldest_undecided_seconds{lane=bulk}"] > 0)
    reception.redis.hset(reception.keys.cursor, mapping={"bulk": b"b" + first})
    assert sample_values(reception)["tocsin_lane_oldest_undecided_seconds{lane=bulk}"] == 0


def documented() -> set[tuple[str, str, str]]:
    """(name, type, labels) of each row of the page."""
    rows = re.findall(r"^\| `(tocsin_\w+)` \| (\w+) \|([^|]*)\|", DOCS.read_text(), re.MULTILINE)
    return {(name, kind, " ".join(re.findall(r"\w+", labels))) for name, kind, labels in rows}


def exposed(reception: Reception) -> set[tuple[str, str, str]]:
    """The same of all that has a value; a family without one shows no labels."""
    return {
        (
            f"{family.name}_total" if family.type == "counter" else family.name,
            family.type,
            " ".join(label for label in family.samples[-1].labels if label != "le"),
        )
        for family in text_string_to_metric_families(reception.get("/metrics").text)
        if family.name.startswith("tocsin_")
    }


def test_the_page_lists_what_is_exposed_and_nothing_else(reception: Reception) -> None:
    """Everything that has labels is made to happen once."""
    redis, keys = reception.redis, reception.keys
    send_one(reception)
    reception.post("/hooks/stripe", b"{}")
    nonsense = b'{"object": "nonsense"}'
    reception.post(
        "/hooks/stripe", nonsense, stripe.sign(nonsense, SECRETS["STRIPE_WEBHOOK_SECRET"], now_ms())
    )
    redis.hset(keys.state(Table.INCIDENT), "INC-1", b'{"phase":"triggered"}')
    pulse.show(redis, keys, "dispatch.host.1", now_ms())
    tally.count(redis, keys, "tocsin_deliveries_total", channel="sms", outcome="ok")
    tally.count(redis, keys, "tocsin_steps_total", action="http.get", outcome="ok")
    tally.count(redis, keys, "tocsin_feed_looks_total", schedule="primary", outcome="read")
    tally.count(redis, keys, "tocsin_bounces_total", channel="mail", outcome="bounced")
    tally.count(redis, keys, "tocsin_deferrals_total", channel="sms")
    tally.count(redis, keys, "tocsin_template_failures_total", template="page")
    tally.count(redis, keys, "tocsin_polled_total", source="stripe", outcome="taken")
    tally.count(redis, keys, "tocsin_retrieved_total", source="stripe", outcome="taken")
    assert exposed(reception) == documented()


@pytest.mark.parametrize("path", ["/", "/nothing", "/hooks", "/a/", "/metrics/x"])
def test_there_is_nothing_elsewhere(reception: Reception, path: str) -> None:
    answer = reception.get(path)
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "hint"}
