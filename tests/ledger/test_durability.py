import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def claiming(**info: str) -> Iterator[Redis]:
    """A client of a server whose settings are right and whose INFO says this; no such server is installed."""
    strong = {b"appendonly": b"yes", b"appendfsync": b"always", b"maxmemory-policy": b"noeviction"}
    told = "".join(f"{name}:{value}\r\n" for name, value in info.items()).encode()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline():
                words = [self._word() for _ in range(int(line[1:]))]
                if words[:2] == [b"CONFIG", b"GET"]:
                    self.wfile.write(b"*2\r\n" + _bulk(words[2]) + _bulk(strong[words[2]]))
                else:
                    self.wfile.write(_bulk(told) if words[0] == b"INFO" else b"+OK\r\n")

        def _word(self) -> bytes:
            size = int(self.rfile.readline()[1:])
            return self.rfile.read(size + 2)[:-2]

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with connect(LedgerSettings(redis_url=f"redis://127.0.0.1:{server.server_address[1]}")) as client:
                yield client
        finally:
            server.shutdown()
            thread.join()


def _bulk(text: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(text), text)


@pytest.mark.parametrize(
    ("version", "replicas", "said"),
    [
        ("6.2.0", 0, ""),
        ("255.255.255", 0, ""),
        ("6.0.20", 0, "server version 6.0.20 is too old"),
        ("5.0.14", 0, "server version 5.0.14 is too old"),
        ("7.0.15", 1, "server version 7.0.15 has no WAITAOF"),
        ("7.2.4", 1, ""),
    ],
)
def test_a_server_that_is_too_old_for_what_is_asked_of_it_is_refused(
    version: str, replicas: int, said: str
) -> None:
    with claiming(redis_version=version, role="master", connected_slaves=str(replicas)) as client:
        findings = durability(client, wait_replicas=replicas)
    assert [(finding.level, finding.text) for finding in findings] == ([("refuse", said)] if said else [])


@pytest.mark.parametrize(
    ("info", "said"),
    [
        ({"role": "slave"}, "read-only replica"),
        ({"role": "master", "aof_last_write_status": "err"}, "could not write its log"),
    ],
)
def test_a_server_that_cannot_keep_anything_now_is_refused(info: dict[str, str], said: str) -> None:
    with claiming(redis_version="7.2.4", **info) as client:
        (finding,) = durability(client)
    assert (finding.level, said in finding.text) == ("refuse", True)
