"""`.env`, the file of development secrets: `NAME=value` a line. What the environment says wins."""

from collections.abc import Mapping
from pathlib import Path


def where(environ: Mapping[str, str]) -> Path:
    """`TOCSIN_ENV_FILE`, or `.env` in the working directory."""
    return Path(environ.get("TOCSIN_ENV_FILE") or ".env")


def joined(path: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The file's variables, and over them the environment's."""
    found = _read(path.read_text()) if path.is_file() else {}
    return {**found, **{name: value for name, value in environ.items() if value or name not in found}}


def _read(text: str) -> dict[str, str]:
    found = {}
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            found[name.strip()] = value.strip().strip("'\"")
    return found
