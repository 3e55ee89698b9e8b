"""How a vendor's HTTP interface refuses, and what class each refusal is of: one table for all channels."""

import pytest
from vendor_server import Misbehaviour

from routing.entry import Outcome

STATUSES = {
    Outcome.PERMANENT: (302, 400, 401, 403, 404, 409, 413, 422),
    Outcome.TEMPORARY: (408, 429, 500, 503),
    Outcome.UNKNOWN: (502, 504),
}
WAYS = {
    "garbage": Misbehaviour(garbage=True),
    "not_ok": Misbehaviour(not_ok=True),
    "hang_up": Misbehaviour(hang_up=True),
    "silent": Misbehaviour(delay_s=30),
}


def every_refusal(**different: Outcome | None) -> pytest.MarkDecorator:
    """Parametrize `how` (a Misbehaviour) and `outcome`. What is no status leaves it unknown whether it happened;
    `different` says what one of WAYS means to this vendor instead, or None where it means nothing.
    """
    cases = [
        pytest.param(Misbehaviour(status=status), outcome, id=str(status))
        for outcome, statuses in STATUSES.items()
        for status in statuses
    ]
    for name, how in WAYS.items():
        outcome = different.get(name, Outcome.UNKNOWN)
        if outcome is not None:
            cases.append(pytest.param(how, outcome, id=name))
    return pytest.mark.parametrize(("how", "outcome"), cases)
