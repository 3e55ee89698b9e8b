import subprocess
import sys
from pathlib import Path

import pytest

from ledger.clock import now_ms

ASK = "import sys; from ledger.clock import now_ms\nfor _ in sys.stdin: print(now_ms(), flush=True)"
DAY_MS = 86_400_000


def test_the_clock_counts_milliseconds_since_the_epoch() -> None:
    assert 1_700_000_000_000 < now_ms() < 4_000_000_000_000


def test_a_rehearsal_moves_the_time_of_a_running_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offset = tmp_path / "offset"
    monkeypatch.setenv("TOCSIN_CLOCK_FILE", str(offset))
    with subprocess.Popen(
        [sys.executable, "-c", ASK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as asked:
        assert asked.stdin is not None
        assert asked.stdout is not None
        shifts = []
        for written in (None, "", str(DAY_MS), str(7 * DAY_MS), "half wri"):
            if written is not None:
                offset.write_text(written)
            asked.stdin.write("?\n")
            asked.stdin.flush()
            shifts.append(round((int(asked.stdout.readline()) - now_ms()) / DAY_MS))
        asked.stdin.close()

    assert shifts == [0, 0, 1, 7, 0]
