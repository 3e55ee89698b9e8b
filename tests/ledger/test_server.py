import os
import platform
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from embedded import kill, running_server
from racing import race
from redis import Redis

from ledger.connection import connect
from ledger.server import EmbeddedServer, ServerError
from ledger.settings import LedgerSettings
from ledger.socket_path import socket_of


def client_of(server: EmbeddedServer) -> Redis:
    return connect(LedgerSettings(data_dir=server.data_dir))


def test_it_runs_with_every_write_on_disk_and_without_a_port(tmp_path: Path) -> None:
    with running_server(tmp_path) as server, client_of(server) as client:
        found = (
            client.config_get("append*") | client.config_get("maxmemory-policy") | client.config_get("port")
        )

        assert (found["appendonly"], found["appendfsync"]) == ("yes", "always")
        assert (found["maxmemory-policy"], found["port"]) == ("noeviction", "0")
        assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
        assert os.getsid(server.pid) == server.pid != os.getsid(0)


def test_the_memory_limit_is_passed_on(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path, max_memory="64mb")
    server.start()
    try:
        with client_of(server) as client:
            assert client.config_get("maxmemory")["maxmemory"] == str(64 * 1024 * 1024)
    finally:
        server.stop()


def test_it_gets_none_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_verysecret")
    with running_server(tmp_path) as server:
        environ = Path(f"/proc/{server.pid}/environ")
        if not environ.exists():
            pytest.skip("no /proc on this system")
        assert b"whsec_verysecret" not in environ.read_bytes()


def test_a_rewrite_of_its_file_takes_the_time_that_senders_leave_it(tmp_path: Path) -> None:
    with running_server(tmp_path) as server, client_of(server) as client:
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children")
        if not children.exists():
            pytest.skip("no /proc on this system")
        server.ease_rewrites()
        client.mset({f"key{number}": "value" for number in range(200)})
        client.config_set("rdb-key-save-delay", 50_000)  # µs: it lasts until we have looked at it
        client.bgrewriteaof()

        server.ease_rewrites()

        (rewriting,) = map(int, children.read_text().split())
        assert os.getpriority(os.PRIO_PROCESS, rewriting) == max(10, os.getpriority(os.PRIO_PROCESS, 0))
        assert os.getpriority(os.PRIO_PROCESS, server.pid) == os.getpriority(os.PRIO_PROCESS, 0)


def test_its_memory_is_in_huge_pages_where_the_system_gives_them_to_who_asks(tmp_path: Path) -> None:
    with running_server(tmp_path) as server, client_of(server) as client:
        client.mset({f"key{number}": "x" * 4096 for number in range(4_000)})
        memory = text_of(Path(f"/proc/{server.pid}/smaps_rollup"))
        huge = [int(line.split()[1]) for line in memory.splitlines() if line.startswith("AnonHugePages:")]
        gives = "[madvise]" in text_of(Path("/sys/kernel/mm/transparent_hugepage/enabled"))
        library, version = platform.libc_ver()
        asks = library == "glibc" and tuple(map(int, version.split("."))) >= (2, 35)
        assert bool(sum(huge)) == (gives and asks)


def text_of(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_what_was_answered_survives_kill_9(tmp_path: Path) -> None:
    with running_server(tmp_path) as server, client_of(server) as client:
        for number in range(50):
            client.rpush("list", number)
        kill(server)
        assert not server.running()

        server.start()

        assert not server.attached
        assert client.llen("list") == 50


def test_a_survivor_is_attached_to_and_not_duplicated(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        second = EmbeddedServer(tmp_path)
        second.start()

        assert second.attached
        assert second.pid == server.pid


def test_a_survivor_can_be_stopped_by_who_attached_to_it(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        second = EmbeddedServer(tmp_path)
        second.start()
        second.stop()

        assert not server.running()
        server.await_end()


def test_it_outlives_the_process_that_started_it(tmp_path: Path) -> None:
    code = "import os, sys; from pathlib import Path; from ledger.server import EmbeddedServer\n"
    code += "server = EmbeddedServer(Path(sys.argv[1])); server.start(); print(server.pid, flush=True)\n"
    code += "os.kill(os.getpid(), 9)"
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, check=False)

    server = EmbeddedServer(tmp_path)
    server.start()
    try:
        assert server.attached
        assert server.pid == int(killed.stdout)
    finally:
        server.stop()
    assert not server.running()


def test_of_two_that_start_at_once_one_attaches(tmp_path: Path) -> None:
    servers = [EmbeddedServer(tmp_path), EmbeddedServer(tmp_path)]
    try:
        race(lambda number: servers[number].start(), 2)

        assert sorted(server.attached for server in servers) == [False, True]
        assert servers[0].pid == servers[1].pid
    finally:
        for server in servers:
            server.stop()


def test_two_data_directories_have_two_servers(tmp_path: Path) -> None:
    with running_server(tmp_path / "a") as one, running_server(tmp_path / "b") as other:
        assert one.pid != other.pid
        assert one.socket != other.socket
        with client_of(one) as client, client_of(other) as other_client:
            client.set("key", "one")
            assert other_client.get("key") is None


def test_a_deep_data_directory_still_has_a_short_socket_path(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    with running_server(deep) as server:
        assert len(os.fsencode(server.socket)) <= 100
        assert server.running()


def test_a_temporary_directory_that_is_too_deep_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/" + "t" * 120)

    assert len(os.fsencode(socket_of(tmp_path))) <= 100


def test_clients_find_the_socket_whatever_their_own_temporary_directory_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_server(tmp_path) as server:
        there = server.socket
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

        assert socket_of(tmp_path) == there
        with client_of(server) as client:
            assert client.ping()


def test_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        kill(server)
        assert server.socket.exists()
        server.start()

        assert server.running()


def test_a_server_whose_socket_was_swept_away_is_replaced_without_losing_anything(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        with client_of(server) as client:
            client.set("key", "value")
        server.socket.unlink()

        heir = EmbeddedServer(tmp_path)
        heir.start()
        try:
            assert heir.pid != server.pid
            server.await_end()
            with client_of(heir) as client:
                assert client.get("key") == b"value"
        finally:
            heir.stop()


def test_a_half_written_last_command_does_not_keep_it_from_starting(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        with client_of(server) as client:
            client.set("key", "value")
        kill(server)
        with newest_log(server).open("ab") as log:
            log.write(b"*3\r\n$3\r\nSET\r\n$5\r\nha")
        server.start()

        with client_of(server) as client:
            assert client.get("key") == b"value"


def test_a_damaged_log_is_named_with_what_the_server_says(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        with client_of(server) as client:
            client.set("key", "value")
        kill(server)
        path = newest_log(server)
        path.write_bytes(b"nonsense\r\n" * 5 + path.read_bytes())

        with pytest.raises(ServerError, match=r"Bad file format.*server\.log"):
            server.start()
        assert server.pid == 0


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ServerError, match=r"file.*TOCSIN_DATA"):
        EmbeddedServer(tmp_path / "file" / "var").start()


def test_a_socket_directory_laid_out_by_somebody_else_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    data_dir = tmp_path / "var"
    socket_of(data_dir).parent.mkdir(mode=0o777)
    socket_of(data_dir).parent.chmod(0o777)

    with pytest.raises(ServerError, match="not a private directory"):
        EmbeddedServer(data_dir).start()


def test_a_server_of_another_directory_is_not_attached_to(tmp_path: Path) -> None:
    with running_server(tmp_path / "a") as server:
        home = tmp_path / "b" / "redis"
        home.mkdir(parents=True)
        (home / "socket.path").write_text(str(server.socket))

        with pytest.raises(ServerError, match="has its data in"):
            EmbeddedServer(tmp_path / "b").start()


def test_stopping_leaves_nothing_in_the_temporary_directory_and_can_be_done_twice(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    server.stop()
    server.start()
    room = server.socket.parent
    assert room.exists()
    server.stop()
    server.stop()

    assert not server.running()
    assert server.pid == 0
    assert not room.exists()


def newest_log(server: EmbeddedServer) -> Path:
    return next(iter(sorted((server.home / "appendonlydir").glob("*.incr.aof"))))
