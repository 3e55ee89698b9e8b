"""DNS: what a name leads to, and whether that is what it should.

Settings: nameservers (addresses of the servers to ask, with commas, each with or without a port; left out, those
of this machine), base_url (of the site whose name is meant where none is given).
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Action, Step
from workers import location
from workers.deadline import Deadline
from workers.journal import note

TITLE = "DNS"
SETTINGS = ("nameservers", "base_url")
SHARED = ("nameservers",)

_MOST_SHOWN = 50


class Resolve(BaseModel):
    """`name` "": the site's; "_dmarc.@": below the site's. `expect` []: any answer will do. `exact`: nothing but what
    is expected may be there.

    Answers are written as in a zone file: "192.0.2.7", "10 mail.example.com", names without the last dot.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="", max_length=255)
    type: Literal["A", "AAAA", "CNAME", "MX", "TXT"] = "A"
    expect: list[str] = []
    exact: bool = False


def resolve(step: Step, params: Resolve) -> dict[str, Any]:
    """A name that is ill is a result, not an error.

    {"ok", "name", "status": NOERROR | NXDOMAIN | NODATA | SERVFAIL | TIMEOUT, "answers": [...], "missing": [...],
    "unexpected": [...], "ttl_s", "ms"}; `missing` of what was expected, `unexpected` beyond it if `exact`.
    """
    from workers import resolving  # noqa: PLC0415  # dnspython takes time that every start of a command would pay

    deadline = Deadline(step.timeout_s)
    name = _name(step, params)
    try:
        found = resolving.ask(step.settings.get("nameservers", ""), name, params.type, step.timeout_s)
    except resolving.UnaskableError as error:
        raise ActionError(str(error), outcome=Outcome.PERMANENT) from error
    except ValueError as error:
        fix = "write dns.nameservers in config/actions.yaml like 192.0.2.1, 192.0.2.2:5353"
        raise ActionError(f"no name server to ask: {error}; {fix}", outcome=Outcome.PERMANENT) from error
    note(f"DNS {params.type} {name} {found.status}")
    expected = {resolving.plain(each, params.type) for each in params.expect}
    missing = sorted(expected - set(found.answers))
    unexpected = sorted(set(found.answers) - expected) if params.exact else []
    return {
        "ok": bool(found.answers) and not missing and not unexpected,
        "name": name,
        "status": found.status,
        "answers": list(found.answers[:_MOST_SHOWN]),
        "missing": missing,
        "unexpected": unexpected[:_MOST_SHOWN],
        "ttl_s": found.ttl_s,
        "ms": deadline.passed_ms,
    }


def _name(step: Step, params: Resolve) -> str:
    below = params.name.removesuffix("@") if params.name.endswith(".@") else ""
    return below + location.host(step, "dns", "" if below else params.name)


def _plan(step: Step, params: Resolve) -> dict[str, Any]:
    return {"would": {"resolve": _name(step, params), "type": params.type}}


ACTIONS = {
    "resolve": Action(params=Resolve, mutates=False, run=resolve, plan=_plan),
}
