"""Locks on the targets of automation: one run at a time may change a target, and few may at all."""

from dataclasses import dataclass

import redis

from ledger.keys import Keys
from ledger.script import Script

_TAKE = Script("take_lock")
_GIVE_BACK = Script("give_back_lock")


@dataclass(frozen=True, slots=True)
class Taken:
    """`token` grows with every lock given out: a later holder always has the greater one."""

    token: int


@dataclass(frozen=True, slots=True)
class Busy:
    """`stale`: another run may have changed the target since this one looked at it."""

    reason: str
    stale: bool = False


def take(
    client: redis.Redis, keys: Keys, target: str, run: str, ttl_ms: int, cap: int, looked_at: int = 0
) -> Taken | Busy:
    """Lock a target for a run for `ttl_ms`; taking it again is the heartbeat, and keeps the token.

    At most `cap` runs hold locks at the same time, over all targets. `looked_at` (ms): when this run began to look at
    the target; whoever else had the lock since may have changed it.
    """
    where = (keys.lock(target), keys.running, keys.fencing, keys.changed(target))
    state, value = _TAKE.run(client, where, (run, ttl_ms, cap, looked_at))
    text = value.decode() if isinstance(value, bytes) else str(value)
    if state == 1:
        return Taken(int(text))
    if state == 0:
        return Busy(f"{target} is locked by run {text}")
    if state == -2:  # noqa: PLR2004  # as take_lock.lua answers
        return Busy(f"run {text} had {target} since this one looked at it", stale=True)
    return Busy(f"{text} runs are changing something already, and at most {cap} may")


def give_back(client: redis.Redis, keys: Keys, target: str, run: str, token: int) -> bool:
    """False when it had run out, or another run has it: then nothing is changed."""
    return bool(_GIVE_BACK.run(client, (keys.lock(target), keys.running, keys.changed(target)), (run, token)))


def may_change(client: redis.Redis, keys: Keys, target: str, token: int) -> bool:
    """Asked right before a mutating call: the lock is still ours, and the kill switch is off.

    Raises redis.RedisError: who cannot ask may not act.
    """
    pipe = client.pipeline(transaction=False)
    pipe.exists(keys.kill)
    pipe.hget(keys.lock(target), "token")
    killed, found = pipe.execute()
    return not killed and found is not None and int(found) == token
