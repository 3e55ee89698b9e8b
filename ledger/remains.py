"""Large files that the server has given up are cut down bit by bit, so that the disk has time for who waits.

After a rewrite of the append-only file the server removes the one before. To free hundreds of megabytes at once holds
up every fsync, so every answer: 40 of the 51 ms that it stood still went by in that, for 340 MB. As long as somebody
has the file open nothing is freed when it is removed, and a file is freed as gently as it is shortened.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

LARGE: Final = 16 * 1024 * 1024
"""Bytes: what is smaller is freed in no time."""
STEP: Final = 16 * 1024 * 1024
"""Bytes that are freed at a time: a few milliseconds."""


class Remains:
    """Of the files in one folder. Look often: a file that is removed between two looks is freed as ever."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[int, int] = {}
        """Inode -> descriptor."""

    def look(self) -> None:
        """Open what is large and new, and cut one step off one file that is gone. Raises OSError."""
        for each in self._large():
            inode = each.inode()
            if inode not in self._held:
                with suppress(FileNotFoundError):  # gone since
                    self._held[inode] = os.open(each.path, os.O_WRONLY | os.O_CLOEXEC)
        for inode, descriptor in self._held.items():
            if not os.fstat(descriptor).st_nlink:
                self._shorten(inode, descriptor)
                return

    def close(self) -> None:
        """What is left of them is freed at once."""
        for descriptor in self._held.values():
            os.close(descriptor)
        self._held.clear()

    def _large(self) -> list[os.DirEntry[str]]:
        with suppress(FileNotFoundError), os.scandir(self._folder) as found:
            return [each for each in found if each.is_file() and each.stat().st_size >= LARGE]
        return []

    def _shorten(self, inode: int, descriptor: int) -> None:
        left = os.fstat(descriptor).st_size - STEP
        if left > 0:
            os.ftruncate(descriptor, left)
        else:
            os.close(self._held.pop(inode))
