"""A changed configuration in a running Tocsin: what is good goes into force, what is bad never does."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from stage import Stage, until

pytestmark = [pytest.mark.story, pytest.mark.timeout(180), pytest.mark.xdist_group("up")]

# (what is wrong, file, text, what it is replaced by, text on the line that is told, what is said)
FAULTS = (
    ("unknown contact", "tocsin.yaml", "contact: cto", "contact: cfo", "contact: cfo", 'no contact "cfo"'),
    ("unknown channel", "oncall.yaml", "channel: voice", "channel: voise", "voise", 'no channel "voise"'),
    ("cyclic policy", "escalation.yaml", "  on-call:\n", "  on-call:\n    then: payments\n", "then: payments", "a cycle: "),
    ("bad time zone", "oncall.yaml", "  secondary:\n    timezone: Europe/Warsaw", "  secondary:\n    timezone: Mars/Olympus",
     "Olympus", "no time zone 'Mars/Olympus'"),
    ("unreachable person", "oncall.yaml", "page: {SEV-0: [phone, sms], SEV-1: [phone, sms], default: [sms, mail]}",
     "page: {SEV-0: [phone]}", "page: {SEV-0: [phone]}", "unreachable for SEV-1"),
    ("duplicate key", "channels.yaml", "timeout: 15s", "timeout: 15s\n    timeout: 16s", "timeout: 16s", 'duplicate key "timeout"'),
    ("wrong type", "severity.yaml", "count: 20", "count: twenty", "twenty", "'twenty' is text"),
    ("unset ${NAME}", "sources.yaml", "${VERCEL_WEBHOOK_SECRET}", "${NOBODY_SET_THIS}", "NOBODY_SET_THIS",
     "NOBODY_SET_THIS is not set"),
)  # fmt: skip


def spoil(folder: Path) -> None:
    """Every fault at once."""
    for _, name, old, new, _, _ in FAULTS:
        text = (folder / name).read_text()
        assert old in text, name
        (folder / name).write_text(text.replace(old, new, 1))


def untold(folder: Path, said: str) -> set[str]:
    """The faults that were not said with file, line and column, each on a line of its own."""
    lines = [found.groups() for found in re.finditer(r"config/([a-z.]+):(\d+):(\d+): (.*; .+)", said)]
    texts = {name: (folder / name).read_text().split("\n") for _, name, *_ in FAULTS}
    return {
        what
        for what, name, _, _, on, found in FAULTS
        if not any(
            file == name and found in told and on in texts[name][int(line) - 1] and int(column) > 0
            for file, line, column, told in lines
        )
    }


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    try:
        yield made
    finally:
        made.clear()


def current(stage: Stage) -> str:
    found = stage.redis.hget(stage.keys.policy, "current")
    assert isinstance(found, bytes)
    return found.decode()


def test_all_faults_are_told_together_and_the_running_system_and_a_restart_keep_the_old_policy(
    up: Stage,
) -> None:
    good, before = current(up), len(up.output())
    spoil(up.config_dir)
    until(lambda: not untold(up.config_dir, up.output()[before:]), 30, up.output)
    assert current(up) == good
    assert up.tocsin("send", "vercel", "deployment.created").returncode == 0
    up.stop()
    before = len(up.output())
    up.start()
    said = up.output()[before:]
    assert untold(up.config_dir, said) == set()
    assert f"the last good policy, {good[:12]}, stays in force" in said
    assert current(up) == good
    assert up.tocsin("send", "vercel", "deployment.created").returncode == 0


def test_without_any_good_policy_ever_it_refuses_to_start_and_lists_every_fault(stage: Stage) -> None:
    spoil(stage.config_dir)
    stage.launch()
    assert stage.process is not None
    assert stage.process.wait(30) == 1
    assert untold(stage.config_dir, stage.output()) == set()
    assert "Traceback" not in stage.output()
    assert stage.pids() == []


def test_a_changed_file_goes_into_force_by_itself_and_sighup_looks_at_once(up: Stage) -> None:
    old = current(up)
    routes = up.config_dir / "routes.yaml"
    routes.write_text(routes.read_text() + "# changed\n")
    until(lambda: current(up) != old, 20, up.output)
    new = current(up)
    until(lambda: up.redis.hget(up.keys.cursor, "policy") == new.encode(), 20, up.output)
    said = up.output().count(f"policy {new[:12]} of ")
    up.process.send_signal(signal.SIGHUP)  # type: ignore[union-attr]  # it was started
    until(lambda: up.output().count(f"policy {new[:12]} of ") == said + 1, 20, up.output)
