"""tls.certificate against real servers with certificates made here."""

from pathlib import Path
from typing import Any

import pytest
from certificate import Authority, certificate
from tls_standin import TlsStandin

from ledger.clock import now_ms
from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.actions import tls

NAMES = ["localhost", "127.0.0.1", "*.shop.example"]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def look(
    server: TlsStandin, trusted: Path | str = "", timeout_s: float = 5.0, **params: Any
) -> dict[str, Any]:
    settings = {"ca_file": str(trusted), "allow_private": "true"}
    step = Step(settings=settings, timeout_s=timeout_s, idempotency_key="", now=now_ms())
    return tls.certificate(step, tls.Certificate(**{"host": "localhost", "port": server.port, **params}))


def test_a_good_certificate_tells_its_days_its_names_and_its_chain(authority: Authority) -> None:
    with TlsStandin(authority.issue(NAMES, (-1, 90.5))) as server:
        found = look(server, authority.file, names=["api.shop.example", "LOCALHOST"])
    assert (found["ok"], found["error"], found["trusted"], found["days_left"]) == (True, "", True, 90)
    assert (found["subject"], found["issuer"], found["names"]) == (
        "localhost",
        "authority of the tests",
        NAMES,
    )
    assert [each["subject"] for each in found["chain"]] == ["localhost", "authority of the tests"]
    assert found["chain"][1]["days_left"] > 3_000
    assert found["protocol"] == "TLSv1.3"
    assert server.connections == 1


def test_without_a_host_the_sites_certificate_is_looked_at(authority: Authority) -> None:
    with TlsStandin(authority.issue(NAMES, (-1, 90.5))) as server:
        settings = {"ca_file": str(authority.file), "allow_private": "true"}
        site = {**settings, "base_url": f"https://localhost:{server.port}"}
        step = Step(settings=site, timeout_s=5.0, idempotency_key="", now=now_ms())
        assert tls.certificate(step, tls.Certificate())["ok"]
        assert tls.ACTIONS["certificate"].plan is not None
        planned = tls.ACTIONS["certificate"].plan(step, tls.Certificate())
        assert planned == {"would": {"connect": f"localhost:{server.port}"}}
    nobody = Step(settings=settings, timeout_s=5.0, idempotency_key="", now=now_ms())
    with pytest.raises(ActionError, match=r"tls\.base_url"):
        tls.certificate(nobody, tls.Certificate())


def test_too_few_days_are_an_ailment(authority: Authority) -> None:
    with TlsStandin(authority.issue(NAMES, (-80, 9.5))) as server:
        found = look(server, authority.file)
        assert (found["ok"], found["trusted"], found["error"]) == (False, True, "9 days left, fewer than 14")
        assert look(server, authority.file, min_days=9)["ok"]


def test_an_expired_certificate_is_told_with_how_long_it_is_over(authority: Authority) -> None:
    with TlsStandin(authority.issue(NAMES, (-90, -2.5))) as server:
        found = look(server, authority.file)
    assert (found["ok"], found["trusted"], found["days_left"]) == (False, False, -3)
    assert "expired" in found["error"]
    assert found["not_after"] < found["chain"][1]["not_after"]


def test_a_certificate_for_somebody_else_is_distrusted(authority: Authority) -> None:
    with TlsStandin(authority.issue(["www.example.com"])) as server:
        found = look(server, authority.file)
    assert (found["ok"], found["trusted"], found["names"]) == (False, False, ["www.example.com"])
    assert "localhost" in found["error"]


def test_an_unknown_authority_is_distrusted_and_its_chain_is_told_all_the_same(authority: Authority) -> None:
    with TlsStandin(authority.issue(NAMES)) as server:
        found = look(server)
    assert (found["ok"], found["trusted"]) == (False, False)
    assert "not trust" in found["error"]
    assert len(found["chain"]) == 2


def test_a_self_signed_certificate_counts_where_it_is_trusted(tmp_path: Path) -> None:
    file, context = certificate(tmp_path)
    with TlsStandin(context) as server:
        assert look(server, file, host="127.0.0.1", min_days=0)["ok"]
        assert "self-signed" in look(server, host="127.0.0.1", min_days=0)["error"]


def test_names_that_are_not_there_are_named(authority: Authority) -> None:
    with TlsStandin(authority.issue(NAMES)) as server:
        found = look(server, authority.file, names=["localhost", "a.b.shop.example", "shop.example"])
    assert (found["ok"], found["missing"]) == (False, ["a.b.shop.example", "shop.example"])


@pytest.mark.parametrize("greets", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x28"])
def test_a_server_that_speaks_something_else_is_ill(greets: bytes) -> None:
    with TlsStandin(None, greets) as server:
        found = look(server)
    assert (found["ok"], found["trusted"], found["chain"]) == (False, False, [])
    assert found["error"]


def test_a_server_that_stays_silent_is_ill_once_the_time_is_over() -> None:
    with TlsStandin(None) as server:
        found = look(server, timeout_s=0.4)
    assert not found["ok"]
    assert "timed out" in found["error"]


def test_a_closed_port_and_an_unknown_name_are_ill(authority: Authority) -> None:
    with TlsStandin(authority.issue(NAMES)) as server:
        pass
    assert "refused" in look(server)["error"].lower()
    assert not look(server, host="no-such-host.invalid")["ok"]


def test_private_addresses_are_refused_unless_they_are_allowed(authority: Authority) -> None:
    with TlsStandin(authority.issue(NAMES)) as server:
        step = Step(settings={}, timeout_s=2.0, idempotency_key="", now=0)
        with pytest.raises(ActionError, match="allow_private") as refused:
            tls.certificate(step, tls.Certificate(host="localhost", port=server.port))
    assert refused.value.outcome is Outcome.REFUSED
    assert server.connections == 0


def test_an_authority_that_cannot_be_read_is_permanent_and_says_where_it_is_set(tmp_path: Path) -> None:
    with TlsStandin(None) as server, pytest.raises(ActionError, match=r"tls\.ca_file") as failed:
        look(server, tmp_path / "missing.pem")
    assert failed.value.outcome is Outcome.PERMANENT


@pytest.mark.parametrize("host", ["a b", "$(id)", "x\ny", "", "user@host", "host/path"])
def test_a_host_is_nothing_but_a_host(host: str) -> None:
    with pytest.raises(ValueError, match="host"):
        tls.Certificate(host=host)


def test_a_dry_run_says_where_it_would_connect() -> None:
    plan = tls.ACTIONS["certificate"].plan
    assert plan
    step = Step(settings={}, timeout_s=2.0, idempotency_key="", now=0)
    assert plan(step, tls.Certificate(host="example.com"))["would"] == {"connect": "example.com:443"}
