"""Everything that is asked before one change is made: by the fold whether it may run, by the worker the rest."""

import time

from redis import Redis

from ledger import locks, switches
from ledger.keys import Keys
from routing.automation import guards
from routing.automation.guards import Purse
from routing.instant import HOUR
from routing.policy import Budget, Limits
from routing.run import TargetRecord

NOW = 1_764_000_000_000


def guarded(client: Redis, keys: Keys, number: int) -> float:
    """Seconds until the change may be made; the lock is given back after it. Raises AssertionError when it may not."""
    run, target = f"INC-{number}-r1", f"site:{number % 100}"
    lately = TargetRecord(
        key=f"rollback@{target}", started=[NOW - hours * 4 * HOUR for hours in range(6, 0, -1)]
    )
    spent = TargetRecord(key="@", started=[NOW - quarters * HOUR // 4 for quarters in range(90, 0, -1)])
    purses = [Purse("rollback", Budget(10, 100), spent), Purse("all runbooks", Budget(30, 200), spent)]
    began = time.perf_counter()
    permit = guards.permit(lately, Limits(), purses, run, NOW, stopped="")
    killed = switches.killed(client, keys)
    lock = locks.take(client, keys, target, run, 60_000, 3)
    assert isinstance(lock, locks.Taken), lock
    allowed = locks.may_change(client, keys, target, lock.token)
    took = time.perf_counter() - began
    locks.give_back(client, keys, target, run, lock.token)
    assert (permit.refusal, killed, allowed) == ("", False, True)
    return took
