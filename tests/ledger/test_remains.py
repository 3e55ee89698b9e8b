"""A large file that the server removes is freed bit by bit."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.remains import LARGE, STEP, Remains


@pytest.fixture
def remains(tmp_path: Path) -> Iterator[Remains]:
    made = Remains(tmp_path)
    yield made
    made.close()


def large(folder: Path, name: str, steps: float) -> Path:
    file = folder / name
    with file.open("wb") as made:
        made.truncate(int(steps * STEP))
    return file


def descriptors(file: Path) -> list[int]:
    """Of ours, by which it is open."""
    inode = file.stat().st_ino
    return [
        each
        for each in (int(entry.name) for entry in Path("/proc/self/fd").iterdir())
        if _inode(each) == inode
    ]


def _inode(descriptor: int) -> int:
    try:
        return os.fstat(descriptor).st_ino
    except OSError:
        return 0


def test_what_is_removed_is_shortened_a_step_at_a_look(tmp_path: Path, remains: Remains) -> None:
    file = large(tmp_path, "appendonly.aof.1.base.rdb", 2.5)
    remains.look()
    (held,) = descriptors(file)
    file.unlink()
    sizes = []
    for _ in range(2):
        remains.look()
        sizes.append(os.fstat(held).st_size)
    assert sizes == [int(1.5 * STEP), int(0.5 * STEP)]
    remains.look()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(held)


def test_what_is_in_use_is_not_touched(tmp_path: Path, remains: Remains) -> None:
    """Renamed or not, and however often one looks."""
    file = large(tmp_path, "temp", 2)
    for _ in range(3):
        remains.look()
    renamed = file.rename(tmp_path / "appendonly.aof.2.base.rdb")
    for _ in range(3):
        remains.look()
    assert renamed.stat().st_size == 2 * STEP
    assert len(descriptors(renamed)) == 1


def test_what_is_small_is_left_alone(tmp_path: Path, remains: Remains) -> None:
    file = tmp_path / "appendonly.aof.manifest"
    file.write_bytes(b"x")
    just = large(tmp_path, "just", LARGE / STEP)
    remains.look()
    assert descriptors(file) == []
    assert len(descriptors(just)) == 1


def test_a_folder_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    Remains(tmp_path / "appendonlydir").look()
