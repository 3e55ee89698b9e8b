"""One step of a run in three cells: what it was done with, what was asked of whom, what came of it."""

from ledger.views.incidents import Shown

_MOST = 120


def cells(step: Shown) -> tuple[str, str, str]:
    given = ", ".join(f"{name}: {value}" for name, value in (step["params"] or {}).items())
    return given[:_MOST], step["request"][:_MOST], step["error"] or str(step["output"] or "")[:_MOST]
