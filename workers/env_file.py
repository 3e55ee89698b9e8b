"""`.env`: development secrets, made on the first start (`ledger.env_file` reads them)."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PREFIXES: Final = {
    "STRIPE_WEBHOOK_SECRET": "whsec_",
    "VERCEL_WEBHOOK_SECRET": "",
    "ALERTMANAGER_TOKEN": "",
    "TOCSIN_ALERTS_TOKEN": "",
    "TOCSIN_LINK_SECRET": "",
    "TOCSIN_OPERATOR_TOKEN": "",
    "TOCSIN_DOOR_SECRET": "",
}
"""Secrets made up for development, with the prefix their vendor gives them."""

_HEAD: Final = (
    "# Development secrets, made by `tocsin up`. In production set your own and keep them elsewhere.\n"
)


def make(path: Path, environ: Mapping[str, str]) -> list[str]:
    """Write the secrets that the environment lacks, unless the file is there. Returns their names."""
    missing = [name for name in PREFIXES if not environ.get(name)]
    if not missing:
        return []
    lines = [f"{name}={PREFIXES[name]}{secrets.token_hex(24)}\n" for name in missing]
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return []
    with os.fdopen(handle, "w") as file:
        file.write(_HEAD + "".join(lines))
    return missing
