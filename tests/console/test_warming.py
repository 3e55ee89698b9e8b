"""What the console reads before it listens: whoever looks first waits for none of it."""

from pathlib import Path

import click
import pytest
import seeing
import shipped
from redis import Redis

from console.serving.rendering import templates
from console.serving.serve import warm
from ledger import policies


def asked(redis: Redis) -> int:
    """How many commands the store has answered."""
    return int(redis.info("stats")["total_commands_processed"])


def compiled() -> set[str]:
    """Templates that need not be compiled any more."""
    cache = templates().cache
    assert cache is not None
    return {name for _, name in list(cache)}


def test_what_the_first_page_needs_is_read_before_anybody_looks(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    site = seeing.site(redis_url, tmp_path)
    policies.publish(redis, site.keys, shipped.files(), shipped.vendors(), shipped.policy(), "test")
    templates.cache_clear()
    assert compiled() == set()
    warm(site)
    assert compiled() == set(templates().list_templates())
    before = asked(redis)
    assert site.context.policy.contacts
    assert asked(redis) - before == 2, "its version alone is asked for; and how many were asked"


def test_where_no_database_answers_it_is_warm_all_the_same(tmp_path: Path) -> None:
    site = seeing.site("redis://127.0.0.1:9", tmp_path)
    templates.cache_clear()
    warm(site)
    assert compiled() == set(templates().list_templates())


def test_where_no_policy_is_live_it_is_warm_all_the_same(redis_url: str, tmp_path: Path) -> None:
    site = seeing.site(redis_url, tmp_path)
    warm(site)
    with pytest.raises(click.ClickException, match="no configuration is live"):
        assert site.context.policy
