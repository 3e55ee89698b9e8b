"""One console for the tests of a module: it is read by most of them, and what each changes is its own."""

from collections.abc import Iterator

import pytest
from api_world import World, world
from embedded import running_server


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_server() as server, world(server.url, tmp_path_factory.mktemp("api")) as found:
        yield found
