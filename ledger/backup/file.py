"""The file of a backup: a ZIP archive with the keys as JSON lines, the archive, the configuration's texts.

`keys.jsonl` has one line per key, {"key", "type", "expires_at", "value"}; a stream's line has "last", its last
id, and is followed by lines {"key", "entries": [[id, {field: value}], ...]}. Bytes are written as Latin-1 text,
one character per byte. It is readable by any release and loads into any server, whatever wrote it.
`manifest.json` names the size and SHA-256 of every other member.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from routing.errors import TocsinError

FORMAT = 1
MANIFEST = "manifest.json"
KEYS = "keys.jsonl"
ARCHIVE = "archive.db"
_CHUNK = 1 << 20

Line = dict[str, Any]


class BackupError(TocsinError):
    """A backup could not be made, or cannot be brought back. Says what was found and what to do."""


@dataclass(slots=True)
class Writer:
    """Adds members one after the other."""

    zip: zipfile.ZipFile
    members: dict[str, dict[str, Any]] = field(default_factory=dict)

    @contextmanager
    def member(self, name: str) -> Iterator[Callable[[bytes], None]]:
        """Calls add bytes to the member."""
        digest, size = hashlib.sha256(), 0
        with self.zip.open(name, "w", force_zip64=True) as out:

            def write(data: bytes) -> None:
                nonlocal size
                digest.update(data)
                size += len(data)
                out.write(data)

            yield write
        self.members[name] = {"sha256": digest.hexdigest(), "bytes": size}

    def add(self, name: str, data: bytes) -> None:
        with self.member(name) as write:
            write(data)

    def add_file(self, name: str, path: Path) -> None:
        with self.member(name) as write, path.open("rb") as source:
            _copy(source, write)


@contextmanager
def writing(path: Path, facts: Line) -> Iterator[Writer]:
    """A new file, there as a whole and synced to disk, or not at all. `facts` go into its manifest.

    Raises BackupError when it cannot be written.
    """
    unfinished = path.with_name(f"{path.name}.part")
    try:
        descriptor = os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                writer = Writer(archive)
                yield writer
                archive.writestr(MANIFEST, json.dumps(facts | {"format": FORMAT, "members": writer.members}))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Reader:
    """A backup whose every member was found to be as it was written."""

    zip: zipfile.ZipFile
    manifest: Line

    def lines(self) -> Iterator[Line]:
        with self.zip.open(KEYS) as source:
            for line in source:
                yield json.loads(line)

    def copy_to(self, name: str, path: Path) -> None:
        """The member as a file of its own, synced to disk."""
        descriptor = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as out, self.zip.open(name) as source:
            _copy(source, out.write)
            out.flush()
            os.fsync(out.fileno())

    def config(self) -> dict[str, bytes]:
        """The configuration's texts by name, like "config/routes.yaml"."""
        return {name: self.zip.read(name) for name in self.manifest["members"] if name.startswith("config/")}


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """A backup, checked in whole before anything is done with it. Raises BackupError."""
    try:
        with zipfile.ZipFile(path) as archive:
            reader = Reader(archive, json.loads(archive.read(MANIFEST)))
            _check(path, reader)
            yield reader
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror or error}") from error
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise BackupError(f"{path} is not a backup of Tocsin, or it is damaged: {error}") from error


def _check(path: Path, reader: Reader) -> None:
    found = reader.manifest["format"]
    if found > FORMAT:
        raise BackupError(f"{path} was made by a newer release (format {found}); restore it with that one")
    for name, facts in reader.manifest["members"].items():
        digest = hashlib.sha256()
        with reader.zip.open(name) as source:
            _copy(source, digest.update)
        if digest.hexdigest() != facts["sha256"]:
            raise BackupError(f"{path} is damaged: {name} is not what was written; use another backup")


def _copy(source: IO[bytes], write: Callable[[bytes], object]) -> None:
    while chunk := source.read(_CHUNK):
        write(chunk)
