"""`tocsin backup` and `tocsin restore`: everything Tocsin knows, in one file."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from console.context import Context, connected, settings_of_environment
from console.options import json_option
from console.output import as_json, clock, progress, say, warn
from ledger import backup as backups
from ledger import policies
from ledger.clock import now_ms
from ledger.server import EmbeddedServer
from routing.errors import ConfigError

PATIENT_S = 600.0
"""One script reads all that is live; it may take a while."""
HOLDS = "request bodies, phone numbers, links that acknowledge, and what passwords are checked against"
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("FILE", type=FILE)
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@json_option
def backup(file: Path, force: bool, json: bool) -> None:
    """Write everything to FILE while all goes on: database, archive, configuration."""
    check(file, force=force)
    context = connected(answer_timeout_s=PATIENT_S)
    try:
        config = policies.read_files(context.settings.config_dir)
    except ConfigError as error:
        config = {}
        warn(f"without the configuration's files: {error}")
    with progress("writing", None) as step:
        saved = backups.save(context.client, context.keys, context.archive, config, file, now_ms(), step)
    tell(file, {**asdict(saved), "files": len(config)}, json=json)


def check(file: Path, *, force: bool) -> None:
    """Raises click.UsageError."""
    if file.exists() and not force:
        raise click.UsageError(f"{file} is there already; name another file, or --force")


def tell(file: Path, saved: Mapping[str, int], *, json: bool) -> None:
    """What is in the file; said alike beside the store and over a console."""
    if json:
        as_json(dict(saved))
        return
    size = file.stat().st_size // 1024 + 1
    say(
        f"{file}: {saved['keys']} keys, {saved['entries']} entries, {saved['archived']} archived incidents, "
        f"{saved['files']} configuration files, {size} KiB; it holds {HOLDS}: keep it safe"
    )


@click.command()
@click.argument("FILE", type=FILE)
@click.option("--force", is_flag=True, help="Replace what is there, for good.")
@click.option(
    "--config-to", type=click.Path(file_okay=False, path_type=Path), default=None,
    help="Write the backup's configuration into this new folder.",
)  # fmt: skip
def restore(file: Path, force: bool, config_to: Path | None) -> None:
    """Bring everything back from FILE, while Tocsin is stopped, into an empty store."""
    if not file.is_file():
        raise click.UsageError(f"there is no file {file}")
    if config_to is not None and config_to.exists():
        raise click.UsageError(f"{config_to} is there already; name a new folder")
    with _stopped() as context, progress("restoring", None) as step:
        done = backups.restore(
            context.client, context.keys, context.archive, file, force=force, progress=step
        )
    say(
        f"restored as of {clock(done.made_at)}: {done.keys} keys, {done.entries} entries, "
        f"{done.archived} archived incidents; start with: make up"
    )
    if config_to is not None:
        _write(done.config, config_to)
        say(f"its configuration, {len(done.config)} files, is in {config_to}")


@contextmanager
def _stopped() -> Iterator[Context]:
    """The database alone: the embedded server is started for the while, if it does not run."""
    settings = settings_of_environment()
    server = EmbeddedServer(settings.data_dir) if settings.embedded else None
    if server is not None:
        server.start()
    try:
        yield connected(answer_timeout_s=PATIENT_S)
    finally:
        if server is not None and not server.attached:
            server.stop()


def _write(files: dict[str, bytes], folder: Path) -> None:
    root = folder.resolve()
    for name, data in files.items():
        path = (root / name.removeprefix("config/")).resolve()
        if not path.is_relative_to(root):
            raise click.ClickException(
                f"the backup names a file outside of {folder}: {name!r}; nothing of it is used"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
