"""Finds what must not be committed: paths of one machine, hosts of package registries, secrets of vendors.

`python tests/house/committed.py [FOLDER]` prints each as file:line and exits 1. Looks at every file git
would commit. The patterns are written so that this file does not match them.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.~$}-])/(?:r[o]ot|h[o]me/\w+|w[o]rk|U[s]ers/\w+)/"),
    "a package registry's host": re.compile(
        r"p[y]pi\.(?:org|python)|p[y]thonhosted|registry\.n[p]mjs|d[e]b\.debian|crates\.i[o]|proxy\.g[o]lang"
    ),
    "an index or file address in a lock": re.compile(
        r"^(?:--?(?:i|index-url|extra-index-url|f|find-links)\b|.*@ file:)"
    ),
    "what looks like a live secret": re.compile(
        r"\b(?:sk|rk)_l[i]ve_\w{8,}|-----B[E]GIN \w* ?PRIVATE KEY-----"
    ),
}
ONLY_LOCKS = "an index or file address in a lock"


def files(root: Path) -> Iterator[Path]:
    """Every file git tracks or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    for name in sorted(filter(None, listed.decode().split("\0"))):
        path = root / name
        if path.is_file():  # a file deleted but not yet committed is still listed
            yield path


def findings(root: Path) -> Iterator[str]:
    for path in files(root):
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            for what, pattern in FORBIDDEN.items():
                if (what != ONLY_LOCKS or path.suffix == ".lock") and pattern.search(line):
                    yield f"{path.relative_to(root)}:{number}: {what}; remove it"


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = list(findings(root))
    print(*found, sep="\n") if found else print("nothing committed that must not be")  # noqa: T201  # a command
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
