"""What leaves for Sentry has no secret, no body and nobody's address in it."""

from typing import Any

import pytest
import sentry_sdk

from ledger import sentry

ENVIRON = {"VERCEL_TOKEN": "abcdefgh12345678", "PATH": "/usr/local/bin"}


def scrubbed(event: Any) -> Any:
    return sentry.scrubber(ENVIRON)(event, {})


def test_without_a_dsn_nothing_is_started() -> None:
    assert sentry.start({}) is False
    assert not sentry_sdk.get_client().is_active()


def test_a_bad_dsn_is_named_and_not_shown() -> None:
    with pytest.raises(ValueError, match="SENTRY_DSN") as caught:
        sentry.start({"SENTRY_DSN": "not-a-dsn-but-secret"})
    assert "but-secret" not in str(caught.value)


def test_bodies_local_variables_and_personal_data_are_off() -> None:
    sentry.start({"SENTRY_DSN": "http://public@127.0.0.1:9/1"})
    try:
        options = sentry_sdk.get_client().options
        assert options["max_request_body_size"] == "never"
        assert options["include_local_variables"] is False
        assert not sentry_sdk.get_client().should_send_default_pii()
    finally:
        sentry_sdk.get_global_scope().set_client(None)


def test_a_value_of_a_secret_variable_is_found_wherever_it_stands() -> None:
    event = {"exception": {"values": [{"value": "GET failed with abcdefgh12345678 at /usr/local/bin"}]}}
    assert (
        scrubbed(event)["exception"]["values"][0]["value"] == "GET failed with [redacted] at /usr/local/bin"
    )


@pytest.mark.parametrize(
    "text",
    [
        "Bearer abcdefghijk",
        "whsec_abcdefghijkl",
        "redis://:hunter22@db:6379",
        "anna@example.com",
        "+48500000001",
    ],
)
def test_shapes_of_secrets_and_of_people_are_taken_out(text: str) -> None:
    assert text not in scrubbed({"message": f"it said {text} there"})["message"]


def test_of_a_request_only_method_and_url_are_left() -> None:
    request = {"method": "POST", "url": "http://x/hooks/stripe", "headers": {"a": "b"}, "cookies": "c",
               "data": "d", "query_string": "e", "env": {}}  # fmt: skip
    assert scrubbed({"request": request})["request"] == {"method": "POST", "url": "http://x/hooks/stripe"}


def test_fields_named_like_secrets_lose_their_value() -> None:
    assert scrubbed({"extra": {"api_key": "tiny", "attempt": 3}})["extra"] == {
        "api_key": "[redacted]",
        "attempt": 3,
    }
