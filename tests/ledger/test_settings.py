from pathlib import Path

import pytest

from ledger.settings import LedgerSettings, clock_file, from_env


def test_an_empty_environment_means_the_embedded_server_under_var() -> None:
    assert from_env({}) == LedgerSettings()
    assert from_env({}).embedded
    assert from_env({}).data_dir == Path("var")


def test_everything_can_be_set() -> None:
    found = from_env(
        {
            "TOCSIN_CONFIG": "/etc/tocsin",
            "TOCSIN_DATA": "/srv/tocsin",
            "TOCSIN_REDIS_URL": "redis://example.com",
            "TOCSIN_ALLOW_WEAK_DURABILITY": "yes",
            "TOCSIN_WAIT_REPLICAS": "2",
            "TOCSIN_REDIS_MAXMEMORY": "2gb",
        }
    )

    assert found == LedgerSettings(
        Path("/etc/tocsin"), Path("/srv/tocsin"), "redis://example.com", True, 2, "2gb"
    )


@pytest.mark.parametrize(
    ("name", "value"), [("TOCSIN_ALLOW_WEAK_DURABILITY", "maybe"), ("TOCSIN_WAIT_REPLICAS", "-1")]
)
def test_what_cannot_be_read_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: '{value}'"):
        from_env({name: value})


def test_a_password_in_the_url_is_not_shown() -> None:
    assert "hunter2" not in repr(from_env({"TOCSIN_REDIS_URL": "redis://:hunter2@example.com"}))


def test_the_clock_file_is_for_rehearsals_only() -> None:
    assert clock_file({}) is None
    assert clock_file({"TOCSIN_CLOCK_FILE": "/tmp/offset"}) == Path("/tmp/offset")  # noqa: S108 - nothing is written
