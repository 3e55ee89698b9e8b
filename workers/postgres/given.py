"""What the configuration says of the database: `postgres` in `config/actions.yaml`, which reaches actions as text."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.credentials import faults
from workers.postgres.connection import APPLICATION

NAME: Final = r"^[a-zA-Z0-9_-]{1,64}$"

Names = list[Annotated[str, Field(min_length=1, max_length=63)]]
Queries = dict[Annotated[str, Field(pattern=NAME)], Annotated[str, Field(min_length=1)]]


class Settings(BaseModel):
    """`spared_*`: whose sessions are never ended. `app_roles`: whose queries may be cancelled. `dump_schemas` []:
    all of them. `programs`: the folder of pg_dump, if not on the search path.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = ""
    spared_roles: Names = []
    spared_applications: Names = []
    app_roles: Names = []
    queries: Queries = {}
    checks: Queries = {}
    dumps: str = ""
    dump_schemas: Names = []
    scratch_url: str = ""
    programs: str = ""


_NAMES: Final = TypeAdapter(Names)
_QUERIES: Final = TypeAdapter(Queries)


def names(step: Step, setting: str) -> list[str]:
    """A list of names; none when it is not set. Raises ActionError."""
    found: list[str] = _read(_NAMES, step, setting, "[]")
    return found


def queries(step: Step, setting: str) -> dict[str, str]:
    """Queries by name; none when it is not set. Raises ActionError."""
    found: dict[str, str] = _read(_QUERIES, step, setting, "{}")
    return found


def spared(step: Step) -> dict[str, list[str]]:
    """Whose sessions are never ended: {"roles", "applications"}, ours among them."""
    return {
        "roles": names(step, "spared_roles"),
        "applications": [*names(step, "spared_applications"), APPLICATION],
    }


def _read(shape: TypeAdapter[Any], step: Step, setting: str, unset: str) -> Any:
    try:
        return shape.validate_json(step.settings.get(setting) or unset)
    except ValidationError as error:
        raise ActionError(
            f"postgres.{setting} in config/actions.yaml: {faults(error)}", outcome=Outcome.PERMANENT
        ) from error
