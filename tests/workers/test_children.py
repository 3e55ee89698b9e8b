"""A child ends with its parent, however the parent ends, and is started again when it dies alone."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import small_policy
from stage import until

from routing.policy import Secret
from workers.children import Spec
from workers.environment import Role
from workers.family import PRELOADED, Family
from workers.forking import ForkServer

SUPPORT = str(Path(__file__).parents[1] / "support")
NOBODY = Spec("quick", Role.UPKEEP, "workers.patience:no_such_function")
TELLING = Spec("telling", Role.UPKEEP, "children_tell:main", ("one", "two"))
ENDING = "children_tell:end"
SLEEPING = Spec("sleeping", Role.UPKEEP, "children_tell:sleep")

PARENT = """
import os, sys, time
reading, writing = os.pipe()
import subprocess
CHILD = "import os, time; from workers.child import end_with; end_with(int(os.environ['PIPE'])); time.sleep(60)"
child = subprocess.Popen(
    [sys.executable, "-c", CHILD],
    env={**os.environ, "PIPE": str(reading)}, pass_fds=(reading,), start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_the_child_of_a_parent_that_is_killed_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        until(lambda: not alive(child), 8)


@pytest.fixture(scope="module")
def forking() -> Iterator[ForkServer]:
    with ForkServer({**os.environ, "PYTHONPATH": SUPPORT}, ["workers.children"]) as made:
        yield made


class Household:
    """A family of one, with all that it said. `policy` is what is in force."""

    policy = small_policy.POLICY

    def __init__(self, forking: ForkServer, spec: Spec, environ: Mapping[str, str] | None = None) -> None:
        self.said: list[str] = []
        self.dead: list[int] = []
        self.family = Family(
            forking, environ or {}, lambda _, line: self.said.append(line), lambda _, pid: self.dead.append(pid), [spec]
        )  # fmt: skip

    def until(self, holds: Callable[[], bool]) -> None:
        def turned() -> bool:
            self.family.turn(self.policy, 0.02)
            return holds()

        until(turned, 20, lambda: "\n".join(self.said))

    @property
    def pid(self) -> int:
        return self.family.children[0].pid


@pytest.fixture
def household(forking: ForkServer) -> Iterator[Callable[..., Household]]:
    with ExitStack() as ends:

        def make(spec: Spec, environ: Mapping[str, str] | None = None) -> Household:
            made = Household(forking, spec, environ)
            ends.callback(made.family.stop, 2)
            return made

        yield make


def test_one_that_dies_is_told_and_started_again(household: Callable[..., Household]) -> None:
    one = household(NOBODY)
    one.until(lambda: len(one.dead) >= 2)
    assert len(set(one.dead)) >= 2
    assert any("no_such_function" in line for line in one.said)
    assert any(line.startswith("ended (exit status 1)") for line in one.said)


def test_a_child_is_a_process_of_its_own(household: Callable[..., Household]) -> None:
    """With its session, its name, its arguments and no variable but its own."""
    one = household(
        TELLING, {"TOCSIN_DATA": "here", "STRIPE_WEBHOOK_SECRET": "whsec_1", "TZ": "Asia/Kolkata"}
    )
    one.until(lambda: any("arguments" in line for line in one.said))
    told = json.loads(next(line for line in one.said if "arguments" in line))
    assert told == {
        "arguments": ["children_tell:main", "one", "two"],
        "environment": {"TOCSIN_DATA": "here", "TZ": "Asia/Kolkata"},
        "leader": True,
        "name": "telling",
        "offset": 19_800,
        "threads": ["MainThread", "parent"],
        "stdin": "",
        "sigchld": True,
        "open": 4,
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("0",), "exit status 0"), (("3",), "exit status 3"), ((), "exit status 1")],
    ids=["well", "with a status", "with words"],
)
def test_one_that_ends_does_first_what_is_left_to_do(
    household: Callable[..., Household], arguments: tuple[str, ...], said: str
) -> None:
    one = household(Spec("ending", Role.UPKEEP, ENDING, arguments))
    one.until(lambda: bool(one.dead))
    words = [] if arguments else ["it has had enough"]
    assert one.said[1:] == [*words, "the thread is done", "tidied up", one.said[-1]]
    assert one.said[-1].startswith(f"ended ({said})")


def test_who_gets_other_variables_is_started_again(household: Callable[..., Household]) -> None:
    one = household(Spec("sleeping", Role.REMEDIATE, "children_tell:sleep"), {"VERCEL_TOKEN": "secret"})
    one.until(lambda: one.pid > 0)
    first = one.pid
    one.policy = replace(one.policy, settings={"vercel": {"token": Secret("VERCEL_TOKEN")}})
    one.until(lambda: one.pid not in {0, first})
    assert "is started again: the configuration gives it other variables" in one.said
    assert one.family.children[0].environment == {"VERCEL_TOKEN": "secret"}


def test_a_killed_child_is_told_with_its_signal(household: Callable[..., Household]) -> None:
    one = household(SLEEPING)
    one.until(lambda: one.pid > 0)
    first = one.pid
    os.kill(first, signal.SIGKILL)
    one.until(lambda: one.pid not in {0, first})
    assert one.dead == [first]
    assert any(line.startswith("ended (killed by SIGKILL)") for line in one.said)


def test_with_the_process_they_are_forked_from_they_die_and_come_back(
    forking: ForkServer, household: Callable[..., Household]
) -> None:
    one = household(SLEEPING)
    one.until(lambda: one.pid > 0)
    first, server = one.pid, forking.pid
    os.kill(server, signal.SIGKILL)
    one.until(lambda: one.pid not in {0, first})
    assert not alive(first)
    assert forking.pid != server
    assert one.dead == [first]


def test_a_module_that_fails_ends_nobody_who_does_not_need_it(tmp_path: Path) -> None:
    (tmp_path / "fails_to_load.py").write_text("raise RuntimeError('broken')")
    environ = {**os.environ, "PYTHONPATH": f"{SUPPORT}:{tmp_path}"}
    needing = Spec("needing", Role.UPKEEP, "fails_to_load:main")
    with ForkServer(environ, ["fails_to_load", "workers.children"]) as broken:
        two = [Household(broken, SLEEPING), Household(broken, needing)]
        two[0].until(lambda: two[0].pid > 0)
        first = two[0].pid
        two[1].until(lambda: len(two[1].dead) >= 2)
        two[0].until(lambda: True)
        assert two[0].pid == first
        assert any("RuntimeError: broken" in line for line in two[1].said)
        for each in two:
            each.family.stop(2)


def test_what_the_configuration_says_is_parsed_once_for_all(tmp_path: Path) -> None:
    for name in ("tocsin.yaml", "routes.yaml"):
        (tmp_path / name).write_text(f"# {name}\nname: value\n")
    with ForkServer({**os.environ, "PYTHONPATH": SUPPORT}, [], tmp_path) as reading:
        one = Household(reading, Spec("parsing", Role.UPKEEP, "children_tell:parse", (str(tmp_path),)))
        one.until(lambda: "known 2, new 0" in one.said)
        (tmp_path / "routes.yaml").write_text("name: another\n")
        one.until(lambda: "known 1, new 1" in one.said)
        one.family.stop(2)


@pytest.mark.parametrize("folder", ["nowhere", "broken"])
def test_a_configuration_that_cannot_be_read_ends_nobody(tmp_path: Path, folder: str) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/tocsin.yaml").write_bytes(b"\xff: [\n")
    with ForkServer({**os.environ, "PYTHONPATH": SUPPORT}, [], tmp_path / folder) as reading:
        one = Household(reading, SLEEPING)
        one.until(lambda: one.pid > 0)
        one.family.stop(2)


def test_nobody_is_started_by_a_process_that_cannot_start_and_that_is_said(tmp_path: Path) -> None:
    with ForkServer({**os.environ, "PYTHONHOME": str(tmp_path)}, []) as dead:
        one = Household(dead, SLEEPING)
        one.until(lambda: sum("not started" in line for line in one.said) >= 2)
        assert one.pid == 0
        one.family.stop(2)


@pytest.mark.parametrize("module", PRELOADED)
def test_what_is_imported_for_all_starts_nothing(module: str) -> None:
    """A thread or a connection would not live on in a copy."""
    code = """if True:
        import importlib, sys, threading
        from pathlib import Path
        importlib.import_module(sys.argv[1])
        print(threading.active_count(), [each for each in Path("/proc/self/fd").iterdir() if each.is_socket()])
    """
    command = [sys.executable, "-c", code, module]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["1", "[]"]
