"""pg_dump and pg_restore: PostgreSQL's own programs, run without a shell and with no password on the command line.

Source: the PostgreSQL documentation, pg_dump, pg_restore, 34.15 (environment variables).
"""

import os
import shutil
from collections.abc import Mapping
from typing import Final

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers import running
from workers.deadline import Deadline
from workers.journal import note
from workers.postgres.connection import said
from workers.running import Command

LOCK_MS: Final = 3_000
MOST_SAID: Final = 10_000


class Programs:
    """Where they are, and how much time they have."""

    def __init__(self, step: Step, deadline: Deadline) -> None:
        self._folder = step.settings.get("programs", "")
        self._deadline = deadline

    def dump(self, url: str, file: str, snapshot: str, schemas: list[str]) -> None:
        """What the snapshot sees, in PostgreSQL's own format. Raises ActionError."""
        only = [f"--schema={_pattern(schema)}" for schema in schemas]
        self._run(
            "pg_dump", url,
            ["--format=custom", f"--snapshot={snapshot}", f"--lock-wait-timeout={LOCK_MS}", f"--file={file}", *only],
        )  # fmt: skip

    def restore(self, url: str, file: str) -> None:
        """Into an empty database, as the role of the URL. Raises ActionError at the first error."""
        options = ["--exit-on-error", "--no-owner", "--no-privileges", "--clean", "--if-exists"]
        self._run("pg_restore", url, [*options, file])

    def _run(self, name: str, url: str, options: list[str]) -> None:
        program = self._find(name)
        address, environ = _without_password(url)
        command = [program, "--no-password", f"--dbname={address}", *options]
        note(f"{name} was started")
        try:
            done = running.run(Command(command, environ, self._deadline.left(), MOST_SAID))
        except TimeoutError as error:
            raise ActionError(f"{name}: {error}", outcome=Outcome.TEMPORARY) from error
        except OSError as error:
            fix = "check postgres.programs in config/actions.yaml"
            why = f"{name} cannot be started: {error.strerror}; {fix}"
            raise ActionError(why, outcome=Outcome.PERMANENT) from error
        if done.late:
            raise ActionError(f"{name} took longer than the step's timeout", outcome=Outcome.TEMPORARY)
        if done.status:
            told = done.stderr.decode(errors="replace")
            raise ActionError(f"{name} failed: {said(told, '')}", outcome=_outcome(told))

    def _find(self, name: str) -> str:
        found = shutil.which(name, path=self._folder or None)
        if found is None:
            where = self._folder or "the search path"
            fix = "install PostgreSQL's client programs, or set postgres.programs in config/actions.yaml"
            raise ActionError(f"{name} is not in {where}; {fix}", outcome=Outcome.PERMANENT)
        return found


def _without_password(url: str) -> tuple[str, Mapping[str, str]]:
    """The address for the command line, which everybody on the machine can read, and the rest by environment."""
    from psycopg import conninfo  # noqa: PLC0415  # as in workers.postgres.connection

    parts = conninfo.conninfo_to_dict(url)
    password = parts.pop("password", None)
    secret = {"PGPASSWORD": str(password)} if password else {}
    return conninfo.make_conninfo("", **parts), {
        "PATH": os.defpath,
        "LC_ALL": "C",
        "PGCONNECT_TIMEOUT": "5",
        **secret,
    }


def _pattern(name: str) -> str:
    """The very name: without quotes pg_dump folds its case and reads * and ? as patterns."""
    return '"' + name.replace('"', '""') + '"'


def _outcome(stderr: str) -> Outcome:
    """What is known to pass by itself may be tried again."""
    passing = (
        "lock timeout",
        "Connection refused",
        "the database system is",
        "too many clients",
        "slots are reserved",
    )
    return Outcome.TEMPORARY if any(words in stderr for words in passing) else Outcome.PERMANENT
