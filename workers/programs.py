"""The programs that an operator allows runbooks to start: which, with what, and what their exit status means.

Sources: sysexits.h (69, 75).
"""

import os
import signal
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers import redaction, running
from workers.credentials import NoCredentialsError, faults
from workers.journal import note
from workers.running import Command, Ran
from workers.text import cut, one_line

NAME: Final = r"^[a-z0-9][a-z0-9_-]{0,62}$"
MOST_ARGUMENTS: Final = 64
_LONGEST: Final = 32_768
_MEANS: Final = {
    "ok": Outcome.OK,
    "retry": Outcome.TEMPORARY,
    "give_up": Outcome.PERMANENT,
    "ask": Outcome.UNKNOWN,
}
_EXITS: Final = {0: "ok", 69: "retry", 75: "retry"}


def _passable(argument: str) -> str:
    if "\0" in argument:
        raise ValueError("no program can be given a NUL character")
    argument.encode()
    return argument


Argument = Annotated[str, Field(max_length=_LONGEST), AfterValidator(_passable)]


class Program(BaseModel):
    """`arguments` come before a step's own. `env` is its whole environment.

    `options`: a step's own arguments may begin with "-". They may as well after a last argument "--", behind
    which a program takes nothing for an option. `exits`: what else than 0, 69 and 75 means; the rest is give_up.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    path: str = Field(pattern="^/")
    arguments: list[Argument] = Field(default=[], max_length=MOST_ARGUMENTS)
    reads: bool = False
    env: dict[str, str] = {}
    user: str = ""
    directory: str = Field(default="/", pattern="^/")
    options: bool = False
    max_output: int = Field(default=10_000, ge=1, le=16_384)
    exits: dict[int, Literal["ok", "retry", "give_up", "ask"]] = {}


Programs = dict[Annotated[str, Field(pattern=NAME)], Program]
_PROGRAMS: Final = TypeAdapter(Programs)


def find(step: Step, name: str) -> Program:
    """Raises ActionError, NoCredentialsError when the operator allows no program at all."""
    try:
        allowed = _PROGRAMS.validate_json(step.settings.get("programs") or "{}")
    except ValidationError as error:
        raise _permanent(f"programs in config/actions.yaml: {faults(error)}") from error
    if not allowed:
        raise NoCredentialsError("no programs are allowed: name them in config/actions.yaml")
    if name not in allowed:
        raise _permanent(
            f'no program "{name}" in config/actions.yaml; there are {", ".join(sorted(allowed))}'
        )
    return allowed[name]


def must_read(name: str, program: Program) -> None:
    """Raises ActionError unless the operator has said that it changes nothing."""
    if not program.reads:
        fix = "set reads: true in config/actions.yaml if it changes nothing, else use the action that runs it"
        raise _permanent(f"{name} may change something; {fix}")


def run(
    step: Step, name: str, program: Program, arguments: Sequence[str], *, mutates: bool
) -> dict[str, Any]:
    """{"ok", "exit", "ms", "stdout", "json", "stderr", "cut"}; what is JSON is in `json` instead of in `stdout`.

    Raises ActionError when it could not be started, ended too late, or with a status that does not mean ok.
    """
    argv = line(name, program, arguments)
    if program.user and os.geteuid() != 0:
        raise _permanent(f"{name}: only root may run it as {program.user}; leave user out, or run as root")
    if mutates and not step.allowed():
        raise ActionError(
            "the kill switch is on, or the lock on the target was lost", outcome=Outcome.REFUSED
        )
    command = Command(
        argv=argv,
        environment=program.env,
        timeout_s=step.timeout_s,
        max_output=program.max_output,
        directory=program.directory,
        user=program.user,
    )
    ran = _started(name, command)
    said = _ending(ran, step)
    note(f"{name} {said}")
    means = _meaning(program, ran, mutates=mutates)
    if means is not Outcome.OK:
        raise ActionError(_failure(name, program, ran, said), outcome=means)
    return _found(ran)


def line(name: str, program: Program, arguments: Sequence[str]) -> list[str]:
    """The argv. Raises ActionError when an argument could be taken for an option."""
    open_ = program.options or program.arguments[-1:] == ["--"]
    for number, argument in enumerate(arguments, 1):
        if argument.startswith("-") and not open_:
            raise _permanent(
                f'{name}: argument {number} begins with "-" and could be taken for an option; end its arguments'
                ' in config/actions.yaml with "--", or set options: true'
            )
    return [program.path, *program.arguments, *arguments]


def _started(name: str, command: Command) -> Ran:
    try:
        return running.run(command)
    except KeyError:
        raise _permanent(f"{name}: there is no user {command.user} on this machine") from None
    except BlockingIOError as error:
        raise ActionError(
            f"{name} cannot be started now: {error.strerror}", outcome=Outcome.TEMPORARY
        ) from error
    except OSError as error:
        fix = f"check path and directory of {name} in config/actions.yaml"
        raise _permanent(f"{name} cannot be started: {error.strerror}; {fix}") from error


def _meaning(program: Program, ran: Ran, *, mutates: bool) -> Outcome:
    if ran.late or ran.status < 0:
        return Outcome.UNKNOWN if mutates else Outcome.TEMPORARY
    known: Mapping[int, str] = {**_EXITS, **program.exits}
    return _MEANS[known.get(ran.status, "give_up")]


def _ending(ran: Ran, step: Step) -> str:
    if ran.late:
        return f"did not end within {step.timeout_s:g} s and was killed"
    if ran.status < 0:
        return f"was ended by {signal.Signals(-ran.status).name}"
    return f"ended with {ran.status}"


def _failure(name: str, program: Program, ran: Ran, said: str) -> str:
    last = (ran.stderr or ran.stdout).decode(errors="replace").strip().rpartition("\n")[2]
    words = [f"{name} {said}", cut(redaction.text(one_line(last)), 200)]
    if ran.status > 0 and not ran.late and ran.status not in {**_EXITS, **program.exits}:
        words.append(f"if {ran.status} means something else than give_up, say so in its exits")
    return "; ".join(word for word in words if word)


def _found(ran: Ran) -> dict[str, Any]:
    out = ran.stdout.decode(errors="replace")
    try:
        said = orjson.loads(ran.stdout) if not ran.cut else None
    except orjson.JSONDecodeError:
        said = None
    return {
        "ok": ran.status == 0,
        "exit": ran.status,
        "ms": ran.took_ms,
        "stdout": "" if said is not None else out,
        "json": said,
        "stderr": ran.stderr.decode(errors="replace"),
        "cut": ran.cut,
    }


def _permanent(reason: str) -> ActionError:
    return ActionError(reason, outcome=Outcome.PERMANENT)
