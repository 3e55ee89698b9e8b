"""The wheel: what the image installs has everything that an editable checkout has."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("routing", "ledger", "receiver", "workers", "console")


def test_the_wheel_holds_every_file_of_every_package(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("tocsin-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        held = set(packed.namelist())
    committed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *PACKAGES],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    existing = {name for name in committed if (ROOT / name).is_file()}
    assert existing - held == set()
