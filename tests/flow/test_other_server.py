"""Somebody else's Redis by URL: over TLS, with a user of its own, or with settings that break the promise."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pages
import pytest
from certificate import certificate
from commands import running
from embedded import DISTRIBUTION, TlsServer, running_server
from redis.exceptions import ConnectionError  # noqa: A004  # the library calls it so
from stage import Stage, free_port, until

from ledger import policies, wire
from ledger.catalogue import catalogue
from ledger.connection import connect
from ledger.keys import Keys
from ledger.server import EmbeddedServer
from ledger.settings import LedgerSettings
from workers.env_file import PREFIXES

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("other-server"), pytest.mark.timeout(180)]


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    with running_server() as found:
        yield found


def weaken(server: EmbeddedServer) -> None:
    with connect(LedgerSettings(redis_url=server.url)) as client:
        client.config_set("appendfsync", "everysec")


@contextmanager
def staging(room: Path, url: str) -> Iterator[Stage]:
    """Not started yet."""
    made = Stage(room, {"TOCSIN_REDIS_URL": url})
    try:
        yield made
    finally:
        made.clear()


def test_a_server_that_breaks_the_promise_is_refused_with_its_fix_unless_allowed(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    weaken(server)
    with staging(tmp_path, server.url) as stage:
        stage.launch()
        assert stage.process is not None
        assert stage.process.wait(30) == 1
        for said in (
            "appendfsync is 'everysec'",
            "set `appendfsync always`",
            "TOCSIN_ALLOW_WEAK_DURABILITY=1",
        ):
            assert said in stage.output()
        stage.environ["TOCSIN_ALLOW_WEAK_DURABILITY"] = "1"
        before = len(stage.output())
        stage.start()
        assert "appendfsync is 'everysec'" in stage.output()[before:]
        assert stage.send("alertmanager", "firing")


def test_a_receiver_by_itself_takes_nothing_in_on_such_a_server(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    weaken(server)
    with staging(tmp_path, server.url) as stage, connect(LedgerSettings(redis_url=server.url)) as client:
        policies.settle(client, Keys(), stage.config_dir, dict.fromkeys(PREFIXES, "made-up"), catalogue())
        (tmp_path / ".env").write_text("ALERTMANAGER_TOKEN=made-up\n")
        with running(
            tmp_path, server.url, "receiver", **stage.env, TOCSIN_RECEIVER_PORT=str(stage.port)
        ) as alone:
            alone.says("appendfsync is 'everysec'")
            sent = stage.tocsin("send", "alertmanager", "firing")
            assert sent.returncode == 1
            assert "503" in sent.stdout + sent.stderr


def test_the_documented_users_may_do_all_that_is_theirs(server: EmbeddedServer, tmp_path: Path) -> None:
    url = server.url.replace("unix://", "unix://{}:made-up@")
    with (
        connect(LedgerSettings(redis_url=server.url)) as client,
        staging(tmp_path, url.format("workers")) as stage,
    ):
        for name, rules in documented_users().items():
            wire.call(client, "ACL", "SETUSER", name, *rules)
        stage.start()
        assert "unknown" not in stage.output()
        first = stage.send("alertmanager", "firing")
        until(lambda: stage.ask("why", first)[0]["incident"], 20, stage.output)
        port = str(free_port())
        with running(
            tmp_path, url.format("receiver"), "receiver", **stage.env, TOCSIN_RECEIVER_PORT=port
        ) as own:
            own.says("policy in force")
            second = stage.send("stripe", "payout.failed", "--url", f"http://127.0.0.1:{port}")
            until(lambda: stage.ask("why", second)[0]["incident"], 20, stage.output)
        stage.stop()
        assert client.acl_log() == [], "nothing was asked for that was not allowed"


def documented_users() -> dict[str, list[str]]:
    """Of the ACL file in docs/deploy.md: user -> rules, with a password of ours."""
    lines = [
        found.groups()
        for block in pages.blocks("text")
        for found in re.finditer(r"^user (\w+) +(.*)$", block.text, re.MULTILINE)
    ]
    assert [name for name, _ in lines] == ["receiver", "workers"]
    return {name: rules.replace("CHANGE-ME", "made-up").split() for name, rules in lines}


@pytest.mark.skipif(not DISTRIBUTION, reason="the embedded server has no TLS, and no other one is installed")
def test_all_of_it_runs_over_tls_with_a_certificate_of_ones_own(tmp_path: Path) -> None:
    """CONFIG GET is forbidden, as on most rented servers: that is said, and no reason to refuse."""
    trusted, _ = certificate(tmp_path)
    server = TlsServer(tmp_path / "redis", certificate=Path(trusted), port=free_port())
    with running_server(kind=lambda _: server):
        with connect(LedgerSettings(redis_url=server.url)) as client:
            wire.call(client, "ACL", "SETUSER", "rented", "on", ">made-up", "~*", "&*", "+@all", "-config")
        url = server.tls_url("rented", "made-up")
        with staging(tmp_path, url) as stage:
            stage.start()
            assert "CONFIG GET is not permitted" in stage.output()
            event = stage.send("alertmanager", "firing")
            until(lambda: stage.ask("why", event)[0]["incident"], 20, stage.output)
            assert "made-up" not in stage.output()
        with (
            connect(LedgerSettings(redis_url=url.partition("?")[0])) as distrusting,
            pytest.raises(ConnectionError, match="certificate"),
        ):
            distrusting.ping()
