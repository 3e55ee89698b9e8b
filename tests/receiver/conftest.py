"""A running receiver for the tests of this folder."""

from collections.abc import Iterator

import pytest
from reception import Reception, running
from redis import Redis


@pytest.fixture
def reception(redis: Redis, redis_url: str) -> Iterator[Reception]:
    with running(redis, redis_url) as found:
        yield found
