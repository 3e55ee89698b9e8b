"""command.read and command.run with real programs."""

import hashlib
import json
import os
import select
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from examples import examples
from hypothesis import example, given
from hypothesis import strategies as st

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.actions import command
from workers.credentials import NoCredentialsError
from workers.journal import journal

PYTHON = [sys.executable, "-I", "-S", "-c"]
SEEN = """
import hashlib, json, os, sys
print(json.dumps([hashlib.sha256(os.fsencode(each)).hexdigest() for each in sys.argv[2:]]))
"""
"""What it was given, as hashes."""


def program(code: str, *, behind: tuple[str, ...] = ("--",), **changes: Any) -> dict[str, Any]:
    """What config/actions.yaml says of a program in Python; a step's arguments begin at sys.argv[2]."""
    return {"path": PYTHON[0], "arguments": [*PYTHON[1:], code, *behind], "reads": True, **changes}


def step(named: dict[str, Any], timeout_s: float = 20.0, **changes: Any) -> Step:
    return Step(
        settings={"programs": json.dumps(named)}, timeout_s=timeout_s, idempotency_key="", now=0, **changes
    )


def run(one: dict[str, Any], *arguments: str, action: str = "run", **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = command.ACTIONS[action].run(
        step({"tool": one}, **changes), command.Run(program="tool", arguments=list(arguments))
    )
    return found


def failure(one: dict[str, Any], *arguments: str, action: str = "run", **changes: Any) -> ActionError:
    with pytest.raises(ActionError) as failed:
        run(one, *arguments, action=action, **changes)
    return failed.value


def test_what_a_program_says_is_kept() -> None:
    found = run(program("import sys; print('fine'); print('mostly', file=sys.stderr)"))
    assert (found["ok"], found["exit"], found["cut"], found["json"]) == (True, 0, False, None)
    assert (found["stdout"], found["stderr"]) == ("fine\n", "mostly\n")


def test_what_is_json_can_be_asked_for_by_guards() -> None:
    found = run(program('print(\'{"lag": {"minutes": 12}}\')'), action="read")
    assert (found["json"], found["stdout"]) == ({"lag": {"minutes": 12}}, "")


HOSTILE = ["'; touch /tmp/x; '", '"$(reboot)"', "`id`", "a\nb\r\n", "-rf", "--", "--help", "*", "~", "$HOME", "", "\\",
           "{{ x }}", "%s", "x" * 10_240, "\u202e\U0001f600", "| cat", "> /dev/null", "\x1b[2J", "&"]  # fmt: skip


@examples(20)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300), max_size=8
    )
)
@example(HOSTILE)
def test_every_argument_stays_one_argument_whatever_is_in_it(arguments: list[str]) -> None:
    found = run(program(SEEN, max_output=16_384), *arguments)
    assert found["json"] == [hashlib.sha256(each.encode()).hexdigest() for each in arguments]


def test_a_number_from_a_payload_is_an_argument_as_well() -> None:
    assert command.Run.model_validate({"program": "tool", "arguments": [12, "x"]}).arguments == ["12", "x"]


@pytest.mark.parametrize("argument", ["a\0b", "\ud800", "x" * 32_769])
def test_what_no_program_can_be_given_is_refused_before(argument: str) -> None:
    with pytest.raises(ValueError, match="arguments"):
        command.Run(program="tool", arguments=[argument])


def test_an_argument_that_could_be_an_option_is_refused_unless_options_end_before_it() -> None:
    refused = failure(program(SEEN, behind=()), "fine", "--force")
    assert (refused.outcome, "argument 2 begins" in str(refused)) == (Outcome.PERMANENT, True)
    assert "--force" not in str(refused)
    assert run(program(SEEN, behind=()), "fine")["ok"]
    assert run(program(SEEN, behind=(), options=True), "--force")["ok"]
    assert run(program(SEEN), "--force")["ok"]


def test_nothing_is_inherited_but_what_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_secret")
    tell = (
        "import json, os; print(json.dumps([dict(os.environ), os.getcwd(), sorted(os.listdir('/dev/fd'))]))"
    )
    environment, directory, descriptors = run(program(tell, env={"SHOP": "shop 1"}))["json"]
    environment.pop("LC_CTYPE", None)  # Python sets it for itself
    assert (environment, directory) == ({"SHOP": "shop 1"}, "/")
    assert set(descriptors) <= {"0", "1", "2", "3"}, "3 is what lists them"


def test_it_runs_where_it_is_told_to(tmp_path: Path) -> None:
    found = run(program("import os; print(os.getcwd())", directory=str(tmp_path)))
    assert found["stdout"].strip() == str(tmp_path.resolve())


def test_standard_input_is_empty() -> None:
    assert run(program("import sys; print(repr(sys.stdin.read()))"))["stdout"] == "''\n"


def test_another_user_is_for_root_alone() -> None:
    one = {"path": shutil.which("id"), "arguments": ["-un"], "user": "nobody"}
    if os.geteuid() == 0:
        assert run(one)["stdout"] == "nobody\n"
        unknown = failure({**one, "user": "no-such-user"})
        assert (unknown.outcome, "no user no-such-user" in str(unknown)) == (Outcome.PERMANENT, True)
    else:
        refused = failure(one)
        assert (refused.outcome, "only root" in str(refused)) == (Outcome.PERMANENT, True)


def test_too_much_output_is_cut_and_the_program_does_not_wait_for_us() -> None:
    code = "import sys; sys.stdout.write('a' * 3_000_000 + 'z'); sys.stderr.write('b' * 3_000_000 + 'y')"
    found = run(program(code, max_output=1_000))
    assert (len(found["stdout"]), len(found["stderr"]), found["cut"]) == (1_000, 1_000, True)
    assert (found["stdout"][-1], found["stderr"][-1]) == ("a", "y")


@pytest.mark.parametrize(
    ("status", "exits", "outcome"),
    [
        (0, {}, Outcome.OK),
        (1, {}, Outcome.PERMANENT),
        (69, {}, Outcome.TEMPORARY),
        (75, {}, Outcome.TEMPORARY),
        (3, {3: "ok"}, Outcome.OK),
        (3, {3: "retry"}, Outcome.TEMPORARY),
        (3, {3: "give_up"}, Outcome.PERMANENT),
        (3, {3: "ask"}, Outcome.UNKNOWN),
        (75, {75: "give_up"}, Outcome.PERMANENT),
        (0, {0: "ask"}, Outcome.UNKNOWN),
    ],
)
def test_every_exit_status_has_its_meaning(status: int, exits: dict[int, str], outcome: Outcome) -> None:
    one = program(f"import sys; print('no such shop', file=sys.stderr); sys.exit({status})", exits=exits)
    if outcome is Outcome.OK:
        assert (run(one)["ok"], run(one)["exit"]) == (status == 0, status)
        return
    failed = failure(one)
    assert (failed.outcome, f"ended with {status}" in str(failed)) == (outcome, True)
    assert "no such shop" in str(failed)


def test_a_status_nobody_has_explained_says_where_to_explain_it() -> None:
    assert "say so in its exits" in str(failure(program("raise SystemExit(7)")))


def test_a_secret_in_the_last_line_is_not_told() -> None:
    failed = failure(program("raise SystemExit('bad token=hunter2hunter2')"))
    assert "bad token=" in str(failed)
    assert "hunter2" not in str(failed)


@pytest.mark.parametrize(("action", "outcome"), [("run", Outcome.UNKNOWN), ("read", Outcome.TEMPORARY)])
def test_who_is_ended_by_a_signal_may_have_changed_something(action: str, outcome: Outcome) -> None:
    failed = failure(program("import os; os.kill(os.getpid(), 9)"), action=action)
    assert (failed.outcome, "SIGKILL" in str(failed)) == (outcome, True)


class Alive:
    """A pipe that whoever opened it holds open for as long as it lives: its end is their end."""

    def __init__(self, room: Path) -> None:
        self.path = room / "alive"
        os.mkfifo(self.path)
        self._reading = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)

    def heard(self, number: int) -> set[bytes]:
        """The first words, as soon as there are so many. Raises TimeoutError."""
        found, until = b"", time.monotonic() + 30
        while len(found.split()) < number:
            if time.monotonic() > until:
                raise TimeoutError(found)
            select.select([self._reading], [], [], 0.05)
            with suppress(BlockingIOError):
                found += os.read(self._reading, 1_000)
        return set(found.split())

    def said(self) -> bytes:
        """All they wrote, once none of them lives. Raises TimeoutError."""
        found, until = b"", time.monotonic() + 10
        while True:
            ready, _, _ = select.select([self._reading], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise TimeoutError(found)
            chunk = os.read(self._reading, 1_000)
            if not chunk:
                os.close(self._reading)
                return found
            found += chunk


FAMILY = """
import os, signal, sys, time
alive = os.open({path!r}, os.O_WRONLY)
{before}
if os.fork():
    os.write(alive, b"parent ")
    {parent}
else:
    os.write(alive, b"child ")
    time.sleep(600)
"""


def family(alive: Alive, parent: str, before: str = "") -> dict[str, Any]:
    """A program with a child; both hold `alive` open."""
    return program(FAMILY.format(path=str(alive.path), parent=parent, before=before))


@pytest.mark.parametrize(("action", "outcome"), [("run", Outcome.UNKNOWN), ("read", Outcome.TEMPORARY)])
def test_who_is_late_is_killed_with_all_it_started(tmp_path: Path, action: str, outcome: Outcome) -> None:
    alive = Alive(tmp_path)
    failed = failure(family(alive, "time.sleep(600)"), action=action, timeout_s=1.5)
    assert (failed.outcome, "within 1.5 s" in str(failed)) == (outcome, True)
    assert set(alive.said().split()) == {b"parent", b"child"}


def test_who_does_not_want_to_end_is_killed(tmp_path: Path) -> None:
    alive = Alive(tmp_path)
    began = time.monotonic()
    one = family(alive, "time.sleep(600)", "signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    assert failure(one, timeout_s=1.5).outcome is Outcome.UNKNOWN
    assert set(alive.said().split()) == {b"parent", b"child"}
    assert time.monotonic() - began < 60


def test_what_a_program_leaves_behind_is_killed_and_not_waited_for(tmp_path: Path) -> None:
    alive = Alive(tmp_path)
    assert run(family(alive, "os._exit(0)"), timeout_s=60)["ok"]
    assert b"parent" in alive.said()


STARTER = """
import sys
from workers.running import Command, run
run(Command(argv=sys.argv[1:], environment={}, timeout_s=600, max_output=1_000))
"""


def test_a_program_ends_with_the_worker_that_is_killed(tmp_path: Path) -> None:
    alive = Alive(tmp_path)
    one = family(alive, "time.sleep(600)")
    with subprocess.Popen([sys.executable, "-c", STARTER, one["path"], *one["arguments"]]) as worker:
        words = alive.heard(2)
        worker.kill()
    assert words == {b"parent", b"child"}
    assert alive.said() == b""


def test_permission_is_asked_for_right_before_a_change_and_not_for_a_look(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    one = program(f"open({str(mark)!r}, 'w')")
    assert failure(one, allowed=lambda: False).outcome is Outcome.REFUSED
    assert not mark.exists()
    assert run(one, action="read", allowed=lambda: False)["ok"]


def test_only_what_promises_to_change_nothing_may_look() -> None:
    refused = failure(program("", reads=False), action="read")
    assert (refused.outcome, "reads: true" in str(refused)) == (Outcome.PERMANENT, True)


@pytest.mark.parametrize(
    "changes", [{"path": "/no/such/program"}, {"path": "/dev/null"}, {"directory": "/no/such/folder"}]
)
def test_what_cannot_be_started_is_permanent_and_says_what_to_check(changes: dict[str, Any]) -> None:
    failed = failure(program("", **changes))
    assert (failed.outcome, "check path and directory of tool" in str(failed)) == (Outcome.PERMANENT, True)


def test_a_program_that_is_not_listed_is_not_run() -> None:
    with pytest.raises(ActionError, match='no program "other" in config') as failed:
        command.run(step({"tool": program("")}), command.Run(program="other"))
    assert failed.value.outcome is Outcome.PERMANENT


def test_without_programs_every_step_is_only_simulated() -> None:
    with pytest.raises(NoCredentialsError):
        command.run(step({}), command.Run(program="tool"))


def test_the_audit_names_the_program_and_its_end_and_no_argument() -> None:
    with journal() as lines:
        run(program(SEEN), "hunter2")
    assert lines == ["tool ended with 0"]


def test_a_dry_run_says_what_it_would_start() -> None:
    plan = command.ACTIONS["run"].plan
    assert plan
    one = {"path": "/bin/sync-shop", "arguments": ["--"]}
    found = plan(step({"tool": one}), command.Run(program="tool", arguments=["a b"]))
    assert found == {"would": {"argv": ["/bin/sync-shop", "--", "a b"]}}
