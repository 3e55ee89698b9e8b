"""A backup for somebody who is not beside the store: made by a process of its own, which holds all that is live."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import click

from console.context import Context
from console.doing.entries import Who
from console.refusals import Clash
from ledger import accounts
from ledger.clock import now_ms
from ledger.settings import environment

AT_ONCE = 262_144
"""Bytes that are read of it at once."""
_PROGRAM = (sys.executable, "-m", "console.main", "backup")
_PREFIX = "download-"
_turn = threading.Lock()


@dataclass(frozen=True, slots=True)
class Made:
    """A backup without a name, gone once its file is closed. `said`: what is in it, as `tocsin backup --json` says."""

    file: IO[bytes]
    size: int
    said: str

    def parts(self) -> Iterator[bytes]:
        while part := self.file.read(AT_ONCE):
            yield part


def made(context: Context, who: Who) -> Made:
    """One at a time. Raises Clash while another is made, click.ClickException when it could not be made."""
    if not _turn.acquire(blocking=False):
        raise Clash("a backup is being made already; try again once it is done")
    try:
        line = accounts.Audited(
            at=now_ms(), by=who.name, what="took a backup of everything", client=who.client
        )
        accounts.audit(context.client, context.keys, line)
        return _made(context)
    finally:
        _turn.release()


def _made(context: Context) -> Made:
    """In the archive's folder, where there is room for a copy of the archive anyway; there is no other way to it."""
    folder = context.archive.parent
    for left in folder.glob(f"{_PREFIX}*"):  # of a console that was killed in the midst
        left.unlink(missing_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=_PREFIX, suffix=".backup", dir=folder)
    os.close(descriptor)
    path = Path(name)
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter, and a name of our own
            [*_PROGRAM, name, "--force", "--json"], env=_environ(context), capture_output=True, check=False
        )
        if done.returncode:
            raise click.ClickException(_why(done.stderr.decode(errors="replace")))
        file = path.open("rb")
    finally:
        path.unlink(missing_ok=True)
    return Made(file, os.fstat(file.fileno()).st_size, json.dumps(json.loads(done.stdout)))


def _environ(context: Context) -> Mapping[str, str]:
    """Of what this process has without what only a console needs; it works beside the store."""
    own = {name: text for name, text in environment().items() if not name.startswith("TOCSIN_CONSOLE_")}
    settings = context.settings
    places = {"TOCSIN_DATA": settings.data_dir, "TOCSIN_CONFIG": settings.config_dir}
    return {
        **own, **{name: str(place.resolve()) for name, place in places.items()}, "TOCSIN_REDIS_URL": settings.redis_url
    }  # fmt: skip


def _why(said: str) -> str:
    """The last line of what it said, which is the reason."""
    lines = [line for line in said.splitlines() if line.strip()]
    return (
        lines[-1].removeprefix("Error: ") if lines else "the backup could not be made; see the console's log"
    )
