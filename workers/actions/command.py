"""Programs of the operator's own: those that config/actions.yaml names, with a step's arguments, without a shell.

Settings: programs, by name what may be started: path, arguments, reads, env, user, directory, options,
max_output, exits (docs/actions.md tells each). Without any program every step only says what it would have run.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from routing.ports import Action, Step
from workers import programs
from workers.programs import MOST_ARGUMENTS, NAME, Argument, Programs

TITLE = "Commands"
SETTINGS = ("programs",)


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    programs: Programs = {}


class Run(BaseModel):
    """Each of `arguments` reaches the program as one argument, whatever is in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    program: str = Field(pattern=NAME)
    arguments: list[Argument] = Field(default=[], max_length=MOST_ARGUMENTS)


def read(step: Step, params: Run) -> dict[str, Any]:
    """What a program says that changes nothing, which its `reads: true` promises. Output as `programs.run`."""
    program = programs.find(step, params.program)
    programs.must_read(params.program, program)
    return programs.run(step, params.program, program, params.arguments, mutates=False)


def run(step: Step, params: Run) -> dict[str, Any]:
    """A program that changes something. Nobody but the operator knows what repeating it does."""
    program = programs.find(step, params.program)
    return programs.run(step, params.program, program, params.arguments, mutates=True)


def _plan(step: Step, params: Run) -> dict[str, Any]:
    program = programs.find(step, params.program)
    return {"would": {"argv": programs.line(params.program, program, params.arguments)}}


ACTIONS = {
    "read": Action(params=Run, mutates=False, run=read, plan=_plan),
    "run": Action(params=Run, mutates=True, run=run, undo="irreversible", plan=_plan),
}
