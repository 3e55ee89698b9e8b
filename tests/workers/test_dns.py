"""dns.resolve against a real name server."""

import socket
from collections.abc import Iterator
from typing import Any

import dns.rcode
import pytest
from dns_standin import DnsStandin

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers import resolving
from workers.actions import dns as action

ZONE = {
    ("example.com", "A"): ["192.0.2.7", "192.0.2.8"],
    ("example.com", "AAAA"): ["2001:db8:0:0::1"],
    ("example.com", "MX"): ["10 Mail.example.com.", "20 backup.example.com."],
    ("example.com", "TXT"): ['"v=spf1 include:" "Mail.example.net -all"'],
    ("www.example.com", "CNAME"): ["example.com."],
    ("long.example.com", "TXT"): [f'"{number:0200}"' for number in range(20)],
}


@pytest.fixture
def server() -> Iterator[DnsStandin]:
    with DnsStandin(ZONE) as standin:
        yield standin


def step(nameservers: str, timeout_s: float = 5.0) -> Step:
    return Step(settings={"nameservers": nameservers}, timeout_s=timeout_s, idempotency_key="", now=0)


def resolve(
    server: DnsStandin, name: str = "example.com", timeout_s: float = 5.0, **params: Any
) -> dict[str, Any]:
    return action.resolve(step(server.at, timeout_s), action.Resolve(name=name, **params))


@pytest.mark.parametrize(
    ("kind", "expect"),
    [
        ("A", ["192.0.2.8", "192.0.2.7"]),
        ("AAAA", ["2001:db8::1"]),
        ("MX", ["10 mail.example.com", "20 backup.example.com."]),
        ("TXT", ["v=spf1 include:Mail.example.net -all"]),
    ],
)
def test_answers_are_held_against_what_is_expected(server: DnsStandin, kind: str, expect: list[str]) -> None:
    found = resolve(server, type=kind, expect=expect, exact=True)
    assert (found["ok"], found["status"], found["missing"], found["unexpected"]) == (True, "NOERROR", [], [])
    assert found["ttl_s"] == 300


def test_a_cname_can_be_asked_for_and_is_followed_otherwise(server: DnsStandin) -> None:
    assert resolve(server, "www.example.com", type="CNAME", expect=["example.com"])["ok"]
    assert resolve(server, "www.example.com", expect=["192.0.2.7"])["ok"]


def test_what_is_missing_is_named(server: DnsStandin) -> None:
    found = resolve(server, expect=["192.0.2.7", "192.0.2.99"])
    assert (found["ok"], found["missing"]) == (False, ["192.0.2.99"])


def test_what_is_too_much_counts_where_nothing_else_may_be_there(server: DnsStandin) -> None:
    assert resolve(server, expect=["192.0.2.7"])["ok"]
    found = resolve(server, expect=["192.0.2.7"], exact=True)
    assert (found["ok"], found["unexpected"]) == (False, ["192.0.2.8"])


def test_case_counts_in_a_text_only(server: DnsStandin) -> None:
    assert resolve(server, "EXAMPLE.com", type="MX", expect=["10 MAIL.example.com"])["ok"]
    assert not resolve(server, type="TXT", expect=["V=spf1 include:Mail.example.net -all"])["ok"]


def test_an_answer_too_long_for_udp_is_asked_for_over_tcp(server: DnsStandin) -> None:
    found = resolve(server, "long.example.com", type="TXT")
    assert (found["ok"], len(found["answers"])) == (True, 20)
    assert [over for over, _ in server.asked] == ["udp", "tcp"]


@pytest.mark.parametrize(
    ("name", "status"), [("nobody.example.com", "NXDOMAIN"), ("www.example.com", "NODATA")]
)
def test_a_name_that_is_ill_is_a_result(server: DnsStandin, name: str, status: str) -> None:
    del server.zone["example.com", "MX"]
    found = resolve(server, name, type="MX")
    assert (found["ok"], found["status"], found["answers"]) == (False, status, [])


def test_a_server_that_is_ill_is_a_result(server: DnsStandin) -> None:
    server.refusal = dns.rcode.SERVFAIL
    assert resolve(server)["status"] == "SERVFAIL"
    server.silent = True
    found = resolve(server, timeout_s=0.5)
    assert (found["ok"], found["status"]) == (False, "TIMEOUT")


def test_the_second_server_is_asked_when_the_first_is_silent(server: DnsStandin) -> None:
    with DnsStandin({}) as mute:
        mute.silent = True
        found = action.resolve(step(f"{mute.at}, {server.at}"), action.Resolve(name="example.com"))
        assert found["ok"]
        assert mute.asked


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".com", "..", "x." * 127 + "x"])
def test_what_is_no_name_is_permanent(server: DnsStandin, name: str) -> None:
    with pytest.raises(ActionError) as failed:
        resolve(server, name)
    assert failed.value.outcome is Outcome.PERMANENT
    assert server.asked == []


@pytest.mark.parametrize(
    "name", ["$(reboot).example.com", "a'b\"c.example.com", "two words.example.com", "-x.example.com"]
)
def test_a_hostile_name_is_a_name_like_any_other(server: DnsStandin, name: str) -> None:
    assert resolve(server, name)["status"] == "NXDOMAIN"


@pytest.mark.parametrize("written", ["not an address", "127.0.0.1:port", "[::1", "127.0.0.1:53:53"])
def test_a_server_that_is_no_address_is_permanent_and_says_how_to_write_it(written: str) -> None:
    with pytest.raises(ActionError, match=r"dns\.nameservers in config/actions\.yaml") as failed:
        action.resolve(step(written), action.Resolve(name="example.com"))
    assert failed.value.outcome is Outcome.PERMANENT


@pytest.mark.parametrize(
    ("written", "address", "port"),
    [
        ("192.0.2.1", "192.0.2.1", 53),
        ("192.0.2.1:5353", "192.0.2.1", 5353),
        ("2001:db8::1", "2001:db8::1", 53),
        ("[2001:db8::1]:5353", "2001:db8::1", 5353),
    ],
)
def test_a_server_may_be_written_with_a_port(written: str, address: str, port: int) -> None:
    found = resolving.server(written)
    assert (found.answer_nameserver(), found.answer_port()) == (address, port)


def test_a_dry_run_says_what_it_would_ask(server: DnsStandin) -> None:
    plan = action.ACTIONS["resolve"].plan
    assert plan
    assert plan(step(server.at), action.Resolve(name="example.com"))["would"] == {
        "resolve": "example.com",
        "type": "A",
    }
    assert server.asked == []


def test_a_closed_port_is_no_answer() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        at = "{}:{}".format(*closed.getsockname())
    assert not action.resolve(step(at, 0.5), action.Resolve(name="example.com"))["ok"]


def test_without_a_name_it_is_the_sites_that_is_asked_for(server: DnsStandin) -> None:
    settings = {"nameservers": server.at, "base_url": "https://www.example.com:8443/shop"}
    at = Step(settings=settings, timeout_s=5.0, idempotency_key="", now=0)
    found = action.resolve(at, action.Resolve(expect=["192.0.2.7"]))
    assert (found["ok"], found["name"]) == (True, "www.example.com")
    found = action.resolve(at, action.Resolve(name="_dmarc.@", type="TXT"))
    assert (found["status"], found["name"]) == ("NXDOMAIN", "_dmarc.www.example.com")
    with pytest.raises(ActionError, match=r"set dns\.base_url"):
        action.resolve(step(server.at), action.Resolve())
