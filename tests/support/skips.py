"""Pytest plugin: a test may be skipped (or fail as expected) only when `tests/allowed_skips.txt` lists it.

A skip nobody listed fails the run, so a missing tool or a typo in a condition can never pass for success.
Each line of the list: a pattern of node ids, then the reason, separated by white space.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

LIST = Path(__file__).parents[1] / "allowed_skips.txt"


@dataclass(frozen=True, slots=True)
class Allowed:
    """Node ids that match `pattern` may be skipped, for `reason`."""

    pattern: str
    reason: str


def read_allowed(text: str) -> list[Allowed]:
    """Read the list. Raises ValueError naming a line without a reason."""
    allowed = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        pattern, _, reason = line.partition(" ")
        if not reason.strip():
            raise ValueError(f"{LIST.name}:{number}: {pattern} gives no reason; write one after the pattern")
        allowed.append(Allowed(pattern, reason.strip()))
    return allowed


class SkipGuard:
    """Collects the skips nobody listed and fails the run for them."""

    def __init__(self, allowed: list[Allowed]) -> None:
        self.allowed = allowed
        self.unlisted: list[str] = []

    def note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not any(fnmatchcase(report.nodeid, entry.pattern) for entry in self.allowed):
            self.unlisted.append(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.note(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.unlisted and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.unlisted:
            terminalreporter.section("skipped without leave", red=True)
            for node in self.unlisted:
                terminalreporter.line(f"{node}: not in tests/{LIST.name}; list it with a reason, or run it")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # under xdist the controller sees every report
        config.pluginmanager.register(SkipGuard(read_allowed(LIST.read_text())), "skip-guard")
