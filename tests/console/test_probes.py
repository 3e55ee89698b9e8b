"""`tocsin probes list`: each state a probe can be in, and which of them are a fault."""

import pytest
from desk import Ask, Desk, Run

from ledger import probes
from ledger.clock import now_ms
from ledger.probes import Seen
from routing.instant import MINUTE


def show(desk: Desk, name: str = "", **seen: object) -> None:
    """All are well, but for the one that is named."""
    now = now_ms()
    well = {"at": now, "look": "well", "what": "200", "firing": False, "due_by": now + MINUTE}
    for each in desk.policy.probes:
        given = {**well, **(seen if each.name == name else {})}
        probes.show(desk.client, desk.keys, each.name, Seen(**given))  # type: ignore[arg-type]


def test_all_well_is_no_fault(desk: Desk, run: Run) -> None:
    show(desk)
    assert "site-health" in run("probes", "list").stdout


@pytest.mark.parametrize(
    ("seen", "state", "code"),
    [
        ({"firing": True, "look": "ill"}, "fires", 1),
        ({"look": "blind"}, "sees nothing", 1),
        ({"look": "blind", "unset": True, "what": "STRIPE_API_KEY not set"}, "not set up", 0),
        ({"look": "blind", "unset": True, "firing": True}, "fires", 1),
        ({"firing": None}, "looking", 1),
        ({"at": 0, "look": "", "what": "", "firing": None}, "looking", 1),
        ({"due_by": 1}, "not looked at", 1),
    ],
)
def test_every_state_is_told_and_a_fault_where_somebody_has_to_look(
    desk: Desk, run: Run, ask: Ask, seen: dict[str, object], state: str, code: int
) -> None:
    show(desk, "site-health", **seen)
    (told,) = [each for each in ask("probes", "list", code=code) if each["name"] == "site-health"]
    assert told["state"] == state
    assert (told["at"] is None) == (seen.get("at") == 0)
    assert state in run("probes", "list", code=code).stdout


def test_how_long_a_look_took_is_told_beside_what_is_usual(desk: Desk, run: Run, ask: Ask) -> None:
    show(desk, "site-health", took_ms=950, usual_ms=120)
    told = {each["name"]: (each["took_ms"], each["usual_ms"]) for each in ask("probes", "list")}
    assert told["site-health"] == (950, 120)
    assert told["api-in-time"] == (0, None)
    line = next(line for line in run("probes", "list").stdout.splitlines() if line.startswith("site-health"))
    assert line.index("950 ms") < line.index("120 ms")


def test_before_anybody_has_looked_nothing_is_looked_at(desk: Desk, run: Run) -> None:
    assert "nobody looks: start `tocsin prober`" in run("probes", "list", code=1).stdout
