"""Rails outlive whoever keeps them: a dispatcher that starts anew knows how often a runbook ran, and what failed."""

from dataclasses import replace
from pathlib import Path

from desk import Desk
from small_policy import POLICY, ROLLBACK, firing, resolved

from ledger.clock import now_ms
from ledger.state import load_state
from routing.decision import Table
from routing.policy import Limits
from routing.run import Run, RunPhase, TargetRecord


def test_a_budget_is_not_filled_up_by_a_new_dispatcher(redis_url: str, tmp_path: Path) -> None:
    limits = Limits(cooldown_ms=0, per_hour=2)
    policy = replace(POLICY, runbooks=(replace(ROLLBACK, limits=limits),))
    for _ in range(3):
        desk = Desk(redis_url, tmp_path, policy)
        desk.append(firing("api-broken", at=now_ms(), starts_at=now_ms()))
        desk.append(resolved("api-broken", at=now_ms(), ends_at=now_ms()))
        desk.leave()
    state = load_state(desk.client, desk.keys)
    runs = [each for each in state.tables[Table.RUN].values() if isinstance(each, Run)]
    refused = [run.why for run in sorted(runs, key=lambda run: run.id) if run.phase is RunPhase.REFUSED]
    assert refused == ["budget: 2 runs an hour are used up"]
    kept = {
        key: each.started
        for key, each in state.tables[Table.TARGET].items()
        if isinstance(each, TargetRecord)
    }
    assert {key: len(times) for key, times in kept.items()} == {
        "rollback@vercel:site": 2,
        "rollback": 2,
        "@": 2,
    }
