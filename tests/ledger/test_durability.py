from collections.abc import Iterator

import pytest
from embedded import running_server
from redis import Redis

from ledger import wire
from ledger.connection import connect, durability
from ledger.settings import LedgerSettings


@pytest.fixture
def limited(redis: Redis, redis_url: str) -> Iterator[Redis]:
    """A client who may neither read the configuration nor the server's state."""
    wire.call(redis, "ACL", "SETUSER", "limited", "on", ">made-up", "~*", "+@all", "-config", "-info")
    url = redis_url.replace("unix://", "unix://limited:made-up@")
    with connect(LedgerSettings(redis_url=url)) as client:
        yield client
    redis.acl_deluser("limited")


def test_the_embedded_server_keeps_every_promise(redis: Redis) -> None:
    assert durability(redis) == []


@pytest.mark.parametrize(
    ("name", "weak", "strong"),
    [
        ("appendfsync", "everysec", "always"),
        ("maxmemory-policy", "allkeys-lru", "noeviction"),
    ],
)
def test_a_setting_that_breaks_a_promise_is_refused_with_its_fix(
    name: str, weak: str, strong: str, redis: Redis
) -> None:
    redis.config_set(name, weak)
    try:
        [finding] = durability(redis)
    finally:
        redis.config_set(name, strong)

    assert finding.level == "refuse"
    assert f"{name} is '{weak}'" in finding.text
    assert f"set `{name} {strong}`" in finding.fix


def test_a_server_without_a_log_is_refused() -> None:
    with running_server() as server, connect(LedgerSettings(redis_url=server.url)) as client:
        client.config_set("appendonly", "no")
        [finding] = durability(client)

    assert finding.level == "refuse"
    assert "appendonly is 'no'" in str(finding)


def test_what_may_not_be_read_is_said_to_be_unknown(limited: Redis) -> None:
    findings = durability(limited)

    assert {finding.level for finding in findings} == {"unknown"}
    said = "\n".join(map(str, findings))
    for part in ("appendonly", "appendfsync", "maxmemory-policy", "version", "+config|get", "+info"):
        assert part in said


def test_waiting_for_replicas_that_are_not_there_is_refused(redis: Redis) -> None:
    findings = durability(redis, wait_replicas=1)  # a server before 7.2 cannot wait at all, and says so first

    assert {finding.level for finding in findings} == {"refuse"}
    assert "0 replicas follow the server, 1 are to be waited for" in findings[-1].text
