"""Whom a block may hit: nobody of our own, in whatever form the address comes."""

import hostile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.entry import Outcome
from routing.errors import ActionError
from workers import blocking

SPARED = "8.8.4.4, 9.9.9.0/24, 2620:fe::/48, ::ffff:1.1.1.1"


def refused(ip: str, setting: str | None = SPARED) -> ActionError:
    with pytest.raises(ActionError) as failed:
        blocking.check(blocking.network(ip), setting, "vercel")
    return failed.value


@pytest.mark.parametrize(
    "ip",
    [
        "8.8.4.4", " 8.8.4.4", "::ffff:8.8.4.4", "::FFFF:0808:0404", "0:0:0:0:0:ffff:8.8.4.4", "8.8.4.0/24",
        "::ffff:8.8.4.0/120", "9.9.9.1", "9.9.9.128/25", "::ffff:9.9.9.7", "2620:fe::9", "2620:fe:0:0:0::9",
        "2620:fe::/64", "1.1.1.1", "::ffff:1.1.1.0/121",
    ],
)  # fmt: skip
def test_who_is_spared_is_spared_however_it_is_written(ip: str) -> None:
    failed = refused(ip)
    assert (failed.outcome, "vercel.never_block" in str(failed)) == (Outcome.REFUSED, True)


@pytest.mark.parametrize(
    "ip",
    [
        "10.0.0.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "0.0.0.0", "::", "::1", "fe80::1",
        "fc00::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:10.0.0.0/120", "64:ff9b::a00:1", "2002:a00:1::",
        "2001::1", "::a00:1", "2001:db8::1", "198.51.100.7",
    ],
)  # fmt: skip
def test_what_is_not_public_is_never_blocked(ip: str) -> None:
    assert refused(ip, blocking.NOBODY).outcome is Outcome.REFUSED


@pytest.mark.parametrize("ip", ["8.8.8.8", "9.9.8.0/24", "2620:ff::1", "::ffff:8.8.8.0/120"])
def test_others_may_be_blocked(ip: str) -> None:
    blocking.check(blocking.network(ip), SPARED, "vercel")
    blocking.check(blocking.network(ip), '["8.8.4.4", "2620:fe::/48"]', "vercel")
    blocking.check(blocking.network(ip), "[]", "vercel")
    blocking.check(blocking.network(ip), "none", "vercel")


@pytest.mark.parametrize("setting", [None, ""])
def test_nobody_is_blocked_until_somebody_has_said_whom_to_spare(setting: str | None) -> None:
    failed = refused("8.8.8.8", setting)
    assert (failed.outcome, "TOCSIN_NEVER_BLOCK" in str(failed)) == (Outcome.REFUSED, True)


@pytest.mark.parametrize(
    "setting", ["the office", "8.8.8.8;9.9.9.9", "8.8.4.4/8", "8.8.4.4,,9.9.9.9", "[1", "*"]
)
def test_a_list_that_cannot_be_read_blocks_nobody(setting: str) -> None:
    failed = refused("1.2.3.4", setting)
    assert (failed.outcome, "config/actions.yaml" in str(failed)) == (Outcome.PERMANENT, True)


def test_one_address_is_written_in_one_way() -> None:
    forms = ("2a00:1450:0:0::1", "2A00:1450::0001", "2a00:1450::1/128")
    assert {blocking.written(blocking.network(each)) for each in forms} == {"2a00:1450::1"}
    assert blocking.written(blocking.network("::ffff:8.8.8.0/120")) == "8.8.8.0/24"


@pytest.mark.parametrize(
    "ip", ["2606:4700::1%eth0", "8.8.8.8/24", "008.8.8.8", "8.8.8", "localhost", "", "0x8080808"]
)
def test_what_is_no_address_is_none(ip: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        blocking.network(ip)


@pytest.mark.parametrize("text", hostile.VALUES)
def test_a_hostile_text_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"(?s).+"):
        blocking.network(text)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_in_ipv6_clothes_is_itself(ip: object) -> None:
    assert blocking.network(f"::ffff:{ip}") == blocking.network(str(ip))
