import pytest
import redis as library
from embedded import kill, running_server
from redis import Redis

from ledger import wire
from ledger.connection import connect, connect_async, url_of
from ledger.settings import LedgerSettings


def test_a_client_never_sends_a_command_again_by_itself() -> None:
    with running_server() as server, connect(LedgerSettings(redis_url=server.url)) as client:
        client.ping()
        kill(server)
        with pytest.raises(library.ConnectionError):
            client.incr("count")
        server.start()

        assert client.incr("count") == 1


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
