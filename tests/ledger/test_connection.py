import asyncio
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis as library
from redis import Redis

from ledger import wire
from ledger.connection import connect, connect_async, url_of
from ledger.settings import LedgerSettings


@contextmanager
def hanging_up_on(command: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that takes everything but one command, at which it hangs up; its URL and what it was sent."""
    sent: list[bytes] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while (data := self.request.recv(65_536)) and command not in data:
                self.request.sendall(b"+OK\r\n" * data.count(b"*"))
            if data:
                sent.append(data)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"redis://127.0.0.1:{server.server_address[1]}", sent
        finally:
            server.shutdown()
            thread.join()


def test_a_client_never_sends_a_command_again_by_itself() -> None:
    with (
        hanging_up_on(b"INCR") as (url, sent),
        connect(LedgerSettings(redis_url=url)) as client,
        pytest.raises(library.ConnectionError),
    ):
        client.incr("count")

    assert len(sent) == 1


@pytest.mark.parametrize("way", ["call", "client"])
def test_nor_does_the_asynchronous_client(way: str) -> None:
    async def increment(url: str) -> None:
        async with connect_async(LedgerSettings(redis_url=url)) as client:
            if way == "call":
                await wire.call_async(client, "INCR", "count")
            else:
                await client.incr("count")

    with hanging_up_on(b"INCR") as (url, sent), pytest.raises(library.ConnectionError):
        asyncio.run(increment(url))

    assert len(sent) == 1


def test_a_user_and_password_are_taken_from_the_url(redis: Redis, redis_url: str) -> None:
    wire.call(redis, "ACL", "SETUSER", "ana", "on", ">made-up", "~*", "+@all")
    with connect(LedgerSettings(redis_url=redis_url.replace("//", "//ana:made-up@", 1))) as client:
        assert wire.call(client, "ACL", "WHOAMI") == b"ana"
    with (
        connect(LedgerSettings(redis_url=redis_url.replace("//", "//ana:wrong@", 1))) as client,
        pytest.raises(library.AuthenticationError),
    ):
        client.ping()
    redis.acl_deluser("ana")


@pytest.mark.parametrize("make", [connect, connect_async])
def test_rediss_urls_use_tls(make: object) -> None:
    settings = LedgerSettings(redis_url="rediss://:made-up@example.com:6390/2")
    assert callable(make)
    pool = make(settings).connection_pool

    assert "SSL" in pool.connection_class.__name__
    assert (pool.connection_kwargs["host"], pool.connection_kwargs["port"]) == ("example.com", 6390)


def test_without_a_url_the_embedded_server_is_meant(redis: Redis, redis_url: str) -> None:
    settings = LedgerSettings()

    assert settings.embedded
    assert url_of(settings).startswith("unix://")
    assert url_of(LedgerSettings(redis_url=redis_url)) == redis_url
    assert redis.ping()


def test_a_url_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(ValueError, match="scheme"):
        connect(LedgerSettings(redis_url="http://example.com"))
