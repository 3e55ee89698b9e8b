"""A browser for each module of tests of pages, and one console for all that one process runs."""

from collections.abc import Iterator
from typing import Any

import pytest
from scene import Scene, playing

try:
    from browser import CHROMIUM, browsing
except ImportError:  # a checkout whose development packages are older
    CHROMIUM = ""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Not for longer: while it is there an event loop runs, and no test can begin its own."""
    if not CHROMIUM:
        pytest.skip("no browser is installed")
    with browsing() as found:
        yield found


@pytest.fixture(scope="session")
def set_out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with playing(tmp_path_factory.mktemp("console"), folding=False) as found:
        yield found


@pytest.fixture(scope="module")
def scene(set_out: Scene) -> Iterator[Scene]:
    """Somebody decides as long as a module needs it: deciding costs, also where nothing comes."""
    with set_out.desk.folding():
        yield set_out
