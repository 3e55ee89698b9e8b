"""A whole Tocsin, for all who talk to it as its users' own programs do."""

from collections.abc import Iterator

import pytest
from stage import Stage, stage


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("town")) as running_town:
        yield running_town
