"""A real replica that follows over the loopback; it can be stopped, as a failing machine would."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from embedded import running_server
from kept import keep, request
from kept import signal as event
from redis import Redis

from ledger import log
from ledger.connection import connect, durability
from ledger.keys import Keys
from ledger.replicas import NotDurable
from ledger.server import EmbeddedServer
from ledger.settings import LedgerSettings
from routing.entry import Lane

Pair = tuple[EmbeddedServer, EmbeddedServer]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """A primary and its replica, connected."""
    with running_server() as primary, running_server() as replica, client_of(primary) as client:
        port = free_port()
        client.config_set("port", port)
        client.config_set("repl-diskless-sync-delay", 0)
        with client_of(replica) as follower:
            follower.replicaof("127.0.0.1", port)
        until = time.monotonic() + 20
        while not client.info("replication")["connected_slaves"] or not online(client):
            assert time.monotonic() < until
            time.sleep(0.02)
        yield primary, replica


def online(client: Redis) -> bool:
    return str(client.info("replication")["slave0"]["state"]) == "online"


def client_of(server: EmbeddedServer) -> Redis:
    return connect(LedgerSettings(redis_url=server.url))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def halted(server: EmbeddedServer) -> Iterator[None]:
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


def test_a_replica_that_is_not_waited_for_is_warned_about(pair: Pair) -> None:
    with client_of(pair[0]) as client:
        [finding] = durability(client)
        assert durability(client, wait_replicas=1) == []

    assert finding.level == "warn"
    assert "TOCSIN_WAIT_REPLICAS" in finding.fix


def test_a_replica_is_not_written_to(pair: Pair) -> None:
    with client_of(pair[1]) as client:
        assert [finding.level for finding in durability(client)] == ["refuse"]


def test_what_was_answered_is_on_the_replica(pair: Pair, keys: Keys) -> None:
    primary, replica = pair
    [kept] = keep(primary.url, keys, [request("evt_1")], replicas=1)
    with client_of(primary) as client:
        at = log.append(client, keys, Lane.URGENT, event(), replicas=1)

    with client_of(replica) as follower:
        assert log.find(follower, keys, kept.accepted[0])
        assert log.find(follower, keys, at)


def test_a_replica_that_does_not_confirm_is_an_error_and_the_repeat_is_one_event(
    pair: Pair, keys: Keys
) -> None:
    primary, replica = pair
    with halted(replica), pytest.raises(NotDurable, match="0 of 1 replicas confirmed"):
        keep(primary.url, keys, [request("evt_2")], replicas=1)

    first = keep(primary.url, keys, [request("evt_2")], replicas=1)
    assert first == keep(primary.url, keys, [request("evt_2")], replicas=1)


def test_the_script_is_sent_again_to_a_server_that_forgot_it(pair: Pair, keys: Keys) -> None:
    with client_of(pair[0]) as client:
        client.script_flush()
        assert log.append(client, keys, Lane.BULK, event(), replicas=1)
        client.script_flush()
    assert keep(pair[0].url, keys, [request("evt_3")], replicas=1)[0].accepted
