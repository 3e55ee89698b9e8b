"""One supervisor per data directory."""

import os
from pathlib import Path

import pytest

from workers.instance import AlreadyRunning, only_instance

AT = 1_764_000_000_000


def test_the_second_holder_is_refused_and_told_who_is_first_and_since_when(tmp_path: Path) -> None:
    with (
        only_instance(tmp_path, AT),
        pytest.raises(AlreadyRunning, match=rf"pid {os.getpid()}, since 2025-11-24T"),
        only_instance(tmp_path, AT + 1),
    ):
        pass


def test_a_directory_given_back_can_be_held_again(tmp_path: Path) -> None:
    for at in (AT, AT + 1):
        with only_instance(tmp_path, at):
            pass


def test_two_directories_have_two_holders(tmp_path: Path) -> None:
    with only_instance(tmp_path / "one", AT), only_instance(tmp_path / "two", AT):
        pass
