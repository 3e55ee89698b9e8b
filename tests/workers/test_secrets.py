"""Development secrets are made once; each process gets only its own."""

from dataclasses import replace
from pathlib import Path

import small_policy
from small_policy import HERE

from ledger.env_file import joined
from routing.policy import Channel, Feed, Secret, Source
from workers import env_file
from workers.environment import Role, environment_of

POLICY = replace(
    small_policy.POLICY,
    sources={
        "stripe": Source(
            "stripe",
            "stripe",
            (Secret("STRIPE_WEBHOOK_SECRET"),),
            HERE,
            poll={"api_key": Secret("STRIPE_API_KEY")},
        )
    },
    channels={"sms": Channel("sms", "twilio_sms", {"api_secret": Secret("TWILIO_API_SECRET")}, HERE)},
    settings={"vercel": {"token": Secret("VERCEL_TOKEN")}},
)
ENVIRON = {
    "PATH": "/bin",
    "TOCSIN_DATA": "var",
    "TOCSIN_LINK_SECRET": "l",
    "STRIPE_WEBHOOK_SECRET": "s",
    "TWILIO_API_SECRET": "t",
    "TWILIO_AUTH_TOKEN": "a",
    "TOCSIN_PROVIDER_SECRET": "p",
    "VERCEL_TOKEN": "v",
    "STRIPE_API_KEY": "k",
    "TOCSIN_DOOR_SECRET": "d",
    "AWS_SECRET_ACCESS_KEY": "somebody else's",
}
PLAIN = {"PATH", "TOCSIN_DATA"}


def secrets_of(role: Role) -> set[str]:
    return set(environment_of(role, ENVIRON, POLICY)) - PLAIN


def test_the_first_start_makes_all_secrets_readable_by_the_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    assert env_file.make(file, {}) == list(env_file.PREFIXES)
    assert file.stat().st_mode & 0o777 == 0o600
    found = joined(file, {})
    assert found["STRIPE_WEBHOOK_SECRET"].startswith("whsec_")
    assert len(set(found.values())) == len(env_file.PREFIXES)


def test_a_later_start_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    env_file.make(file, {})
    before = file.read_bytes()
    assert env_file.make(file, {}) == []
    assert file.read_bytes() == before


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    env_file.make(file, {"ALERTMANAGER_TOKEN": "mine"})
    assert "ALERTMANAGER_TOKEN" not in file.read_text()
    assert joined(file, {"TOCSIN_LINK_SECRET": "mine"})["TOCSIN_LINK_SECRET"] == "mine"


def test_the_receiver_gets_what_verifies_and_nothing_that_sends_or_changes() -> None:
    assert secrets_of(Role.RECEIVER) == {
        "TOCSIN_LINK_SECRET",
        "STRIPE_WEBHOOK_SECRET",
        "TWILIO_AUTH_TOKEN",
        "TOCSIN_PROVIDER_SECRET",
        "TOCSIN_DOOR_SECRET",
    }


def test_who_asks_vendors_for_what_was_missed_gets_their_keys_and_what_signs_for_the_front_door() -> None:
    assert secrets_of(Role.UPKEEP) == {"STRIPE_API_KEY", "TOCSIN_DOOR_SECRET"}


def test_who_sends_gets_what_sends() -> None:
    assert secrets_of(Role.DELIVER) == {"TOCSIN_LINK_SECRET", "TWILIO_API_SECRET"}
    assert secrets_of(Role.WATCHDOG) == {"TWILIO_API_SECRET"}


def test_who_repairs_gets_what_repairs() -> None:
    assert secrets_of(Role.REMEDIATE) == {"VERCEL_TOKEN"}


def test_who_decides_gets_no_secret_at_all() -> None:
    assert secrets_of(Role.DISPATCH) == set()


def test_upkeep_alone_gets_the_addresses_of_feeds() -> None:
    feed = Feed(Secret("ONCALL_FEED"), 1, 1)
    following = replace(small_policy.POLICY.schedules["primary"], feed=feed)
    policy = replace(POLICY, schedules={"primary": following})
    given = {role: environment_of(role, {"ONCALL_FEED": "https://..."}, policy) for role in Role}
    assert [role for role in Role if "ONCALL_FEED" in given[role]] == [Role.UPKEEP]
