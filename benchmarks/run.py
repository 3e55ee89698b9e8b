"""`make bench`: measures side by side in one run and writes benchmarks/RESULTS.md.

`python benchmarks/run.py ingest fold` measures only these, and prints without writing.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests/support"))  # the whole system for a measurement, and stand-ins

import asking  # noqa: E402  # found by the line above
import folding  # noqa: E402
import load  # noqa: E402
import looking  # noqa: E402
import machine  # noqa: E402
import matching  # noqa: E402
import receiving  # noqa: E402
import rehearsing  # noqa: E402
import repairing  # noqa: E402
import storming  # noqa: E402
import timing  # noqa: E402
import watching  # noqa: E402
from rows import Row, table  # noqa: E402

PARTS: dict[str, Callable[[Path], Iterator[Row]]] = {
    "ingest": receiving.rows,
    "alertmanager": receiving.alertmanager_rows,
    "fold": folding.rows,
    "idle": timing.rows,
    "storm": storming.rows,
    "match": matching.rows,
    "rehearse": rehearsing.rows,
    "repair": repairing.rows,
    "ask": asking.rows,
    "look": looking.rows,
    "watch": watching.rows,
}


def measure(names: Sequence[str], room: Path) -> Iterator[Row]:
    for name in names:
        place = room / name
        place.mkdir()
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        for row in PARTS[name](place):
            print(row, file=sys.stderr, flush=True)
            yield row


def main() -> int:
    chosen = sys.argv[1:] or list(PARTS)
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as folder:
        about = [*machine.describe(Path(folder)), f"load by {load.generator()}"]
        rows = list(measure(chosen, Path(folder)))
    text = "\n".join([
        "# Results", "",
        "Written by `make bench`. Each ratio is of two sides that took turns in one run on one machine; trust ratios",
        "more than rates, and neither on a busy machine.", "",
        *(f"- {line}" for line in about), "", *table(rows), "",
    ])  # fmt: skip
    print(text)
    if chosen == list(PARTS):
        (HERE / "RESULTS.md").write_text(text)
    return 1 if any(row.met is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
