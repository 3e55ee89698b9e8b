"""The site's administration: what is asked of it, and what is never asked."""

from collections.abc import Iterator
from typing import Any

import pytest
from admin_standin import TOKEN, AdminStandin
from vendor_server import Misbehaviour

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.actions import app_admin
from workers.credentials import NoCredentialsError


@pytest.fixture
def site() -> Iterator[AdminStandin]:
    with AdminStandin() as server:
        yield server


def step(site: AdminStandin, **settings: str) -> Step:
    found = {"token": TOKEN, "base_url": site.url, "allow_private": "true", "never_block": "none", **settings}
    return Step(settings=found, timeout_s=2.0, idempotency_key="", now=0)


def act(name: str, at: Step, **params: Any) -> dict[str, Any]:
    action = app_admin.ACTIONS[name]
    found: dict[str, Any] = action.run(at, action.params(**params))
    return found


def failure(name: str, at: Step, **params: Any) -> ActionError:
    with pytest.raises(ActionError) as failed:
        act(name, at, **params)
    return failed.value


def test_an_address_is_blocked_and_unblocked(site: AdminStandin) -> None:
    assert act("block_ip", step(site), ip="8.8.8.8") == {"ip": "8.8.8.8", "status": 200, "affects": 1}
    assert site.blocked == {"8.8.8.8"}
    act("unblock_ip", step(site), ip="8.8.8.8")
    assert site.blocked == set()


@pytest.mark.parametrize(
    "ip",
    [
        "10.0.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "::ffff:192.168.1.1",
        "::1",
        "fe80::1",
        "224.0.0.1",
        "64:ff9b::a00:1",
    ],
)
def test_what_is_our_own_is_never_blocked(site: AdminStandin, ip: str) -> None:
    assert failure("block_ip", step(site), ip=ip).outcome is Outcome.REFUSED
    assert site.calls == []


def test_what_is_on_the_list_is_never_blocked(site: AdminStandin) -> None:
    at = step(site, never_block="8.8.4.4, 9.9.9.0/24, 2001:4860::/32")
    for ip in ("8.8.4.4", "::ffff:8.8.4.4", "9.9.9.200", "2001:4860:4860::8888"):
        assert failure("block_ip", at, ip=ip).outcome is Outcome.REFUSED
    assert act("block_ip", at, ip="9.9.8.1")["affects"] == 1
    assert site.blocked == {"9.9.8.1"}


def test_nobody_is_blocked_until_somebody_has_said_whom_to_spare(site: AdminStandin) -> None:
    failed = failure("block_ip", step(site, never_block=""), ip="8.8.8.8")
    assert (failed.outcome, "app_admin.never_block" in str(failed), site.calls) == (Outcome.REFUSED, True, [])


@pytest.mark.parametrize("ip", ["8.8.8.8", "::ffff:8.8.8.8"])
def test_the_sites_own_address_is_never_blocked(site: AdminStandin, ip: str) -> None:
    failed = failure("block_ip", step(site, base_url="http://8.8.8.8"), ip=ip)
    assert (failed.outcome, "the site's own" in str(failed)) == (Outcome.REFUSED, True)


def test_an_address_is_asked_for_in_one_form(site: AdminStandin) -> None:
    act("block_ip", step(site), ip="::ffff:9.9.9.9")
    act("block_ip", step(site), ip="2A00:1450:0:0::1")
    assert site.blocked == {"9.9.9.9", "2a00:1450::1"}


def test_a_list_that_cannot_be_read_blocks_nobody(site: AdminStandin) -> None:
    failed = failure("block_ip", step(site, never_block="the office"), ip="8.8.8.8")
    assert (failed.outcome, "never_block" in str(failed), site.calls) == (Outcome.PERMANENT, True, [])


@pytest.mark.parametrize(
    "ip",
    [
        "8.8.8.8/8",
        "8.8.8.8/32",
        "2606:4700::1%eth0",
        "8.8.8.8, 8.8.4.4",
        "localhost",
        "",
        "8.8.8.8\n8.8.4.4",
        "$(id)",
        "*",
    ],
)
def test_what_is_no_address_is_refused_before(ip: str) -> None:
    with pytest.raises(ValueError, match="ip"):
        app_admin.BlockIp(ip=ip)


def test_sessions_end_for_whom_they_are_to_end(site: AdminStandin) -> None:
    assert act("reset_sessions", step(site), users=["u1", "u2"])["affects"] == 2
    assert act("reset_sessions", step(site), everyone=True)["affects"] == 120


@pytest.mark.parametrize("params", [{}, {"users": ["u1"], "everyone": True}, {"users": []}])
def test_nobody_and_everybody_is_not_the_same(params: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="everyone"):
        app_admin.ResetSessions(**params)


def test_customers_are_written_to(site: AdminStandin) -> None:
    said = {"subject": "Bookings are slow", "message": 'We\'re on it: "$(soon)"\nThank you'}
    assert act("notify_customers", step(site), everyone=True, **said) == {"status": 202, "affects": 120}
    assert site.calls[0].done


def test_a_repeat_bears_the_key_of_the_first(site: AdminStandin) -> None:
    for reason in ("a", "a", "b"):
        act("block_ip", step(site), ip="8.8.8.8", reason=reason)
    keys = [call.headers["idempotency-key"] for call in site.calls]
    assert (keys[0] == keys[1], keys[1] == keys[2]) == (True, False)


@pytest.mark.parametrize(
    ("how", "outcome", "said"),
    [
        (Misbehaviour(status=401), Outcome.PERMANENT, "ADMIN_TOKEN"),
        (Misbehaviour(status=404), Outcome.PERMANENT, "no such path"),
        (Misbehaviour(status=429, retry_after="9"), Outcome.TEMPORARY, "429"),
        (Misbehaviour(status=500), Outcome.TEMPORARY, "500"),
        (Misbehaviour(status=504), Outcome.UNKNOWN, "504"),
        (Misbehaviour(hang_up=True), Outcome.UNKNOWN, "broke"),
    ],
    ids=["401", "404", "429", "500", "504", "hangs up"],
)
def test_every_refusal_has_its_class_and_says_what_to_do(
    site: AdminStandin, how: Misbehaviour, outcome: Outcome, said: str
) -> None:
    site.misbehave(how)
    failed = failure("block_ip", step(site), ip="8.8.8.8")
    assert (failed.outcome, said in str(failed)) == (outcome, True), str(failed)


def test_without_a_token_nothing_is_asked(site: AdminStandin) -> None:
    failed = failure("block_ip", step(site, token=""), ip="8.8.8.8")
    assert isinstance(failed, NoCredentialsError)
    assert site.calls == []


@pytest.mark.parametrize("name", list(app_admin.ACTIONS))
def test_every_action_asks_for_permission_and_says_what_it_would_do(site: AdminStandin, name: str) -> None:
    action = app_admin.ACTIONS[name]
    needed: dict[str, Any] = {"ip": "8.8.8.8"} if "ip" in name else {"everyone": True}
    needed |= {"subject": "s", "message": "m"} if "notify" in name else {}
    assert action.plan
    assert action.plan(step(site), action.params(**needed))["would"]["url"].startswith(site.url)
    stopped = Step(
        settings=step(site).settings, timeout_s=2.0, idempotency_key="", now=0, allowed=lambda: False
    )
    assert failure(name, stopped, **needed).outcome is Outcome.REFUSED
    assert site.calls == []
