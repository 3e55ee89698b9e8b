"""One `tocsin up` for a module of stories about it: a start is ten processes, which look about even when idle."""

import shutil
import signal
from collections.abc import Iterator

import pytest
import shipped
from stage import Stage, free_port, until

from routing.load import version


@pytest.fixture(scope="module")
def kept_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    console = {"TOCSIN_CONSOLE": "on", "TOCSIN_CONSOLE_PORT": str(free_port())}
    made = Stage(tmp_path_factory.mktemp("up"), console)
    try:
        yield made
    finally:
        made.clear()


@pytest.fixture
def up(kept_up: Stage) -> Stage:
    """Running, with the shipped configuration in force; on the data of the tests before. It may be ended and spoilt."""
    shutil.copytree(shipped.FOLDER, kept_up.config_dir, dirs_exist_ok=True)
    if kept_up.process is None or kept_up.process.poll() is not None:
        return kept_up.start()
    kept_up.process.send_signal(signal.SIGHUP)
    until(lambda: in_force(kept_up) == version(shipped.files()), 20, kept_up.output)
    return kept_up


def in_force(stage: Stage) -> str:
    found = stage.redis.hget(stage.keys.policy, "current")
    assert isinstance(found, bytes)
    return found.decode()
