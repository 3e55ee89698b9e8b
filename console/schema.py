"""`tocsin schema`: what may be written in each file of the configuration, for editors."""

import json as jsons
from pathlib import Path

import click

from console.options import json_option
from console.output import as_json, say, table
from ledger.catalogue import catalogue
from routing.json_schema import SHAPES, file_of, json_schema, purpose
from routing.schema.refusal import suggestion


@click.command()
@click.argument("file", required=False)
@click.option(
    "--write",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the schema of every file there.",
)
@json_option
def schema(file: str | None, folder: Path | None, json: bool) -> None:
    """List the files of the configuration, or print the JSON Schema of FILE.

    An editor that knows the schemas checks and completes the files while they are written.
    """
    if file is not None and folder is not None:
        raise click.UsageError("FILE is printed, --write writes all of them; use one of the two")
    if file is not None:
        as_json(json_schema(_known(file), catalogue()))
        return
    written = _write(folder) if folder else {}
    if json:
        as_json([
            {"file": each, "purpose": purpose(each), "schema": str(written.get(each, ""))} for each in SHAPES
        ])  # fmt: skip
    elif folder:
        table(("FILE", "SCHEMA"), written.items())
    else:
        table(("FILE", "WHAT IT IS FOR"), [(each, purpose(each)) for each in SHAPES])
        say("The schema of one: tocsin schema FILE; of all, for editors: tocsin schema --write DIR", "dim")


def _known(file: str) -> str:
    """Raises click.UsageError."""
    found = file_of(Path(file).as_posix())
    if found is None:
        raise click.UsageError(f"no file of the configuration: {file!r}; {suggestion(file, SHAPES)}")
    return found


def _write(folder: Path) -> dict[str, Path]:
    """By file, where its schema is now. Raises click.ClickException."""
    written = {file: folder / f"{_stem(file)}.schema.json" for file in SHAPES}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        vendors = catalogue()
        for file, path in written.items():
            path.write_text(jsons.dumps(json_schema(file, vendors), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be written: {error.strerror or error}") from error
    return written


def _stem(file: str) -> str:
    """Of "runbooks/*.yaml" its folder, which is what editors are told."""
    return file.partition("/")[0].removesuffix(".yaml")
