"""The outbox: effects between their commit and their result. Who claims one first may carry it out."""

from dataclasses import dataclass

import msgspec
import redis

from ledger.keys import Keys
from ledger.script import Script
from routing.effect import AnyEffect
from routing.entry import Claimed, Lane, encode_entry

_CLAIM = Script("claim")
_decoder: "msgspec.json.Decoder[AnyEffect]" = msgspec.json.Decoder(AnyEffect)


@dataclass(frozen=True, slots=True)
class Pending:
    """An effect whose result is not folded yet. `claimed_at` 0: nobody has claimed this attempt."""

    effect: AnyEffect
    worker: str = ""
    claimed_at: int = 0


def claim(
    client: redis.Redis, keys: Keys, effect_id: str, attempt: int, worker: str, timeout_ms: int, now: int
) -> AnyEffect | None:
    """The effect, now this worker's to carry out within `timeout_ms`; the log is told in the same instant.

    None: withdrawn, superseded by a later attempt, or claimed before; there is nothing to do. Raises
    redis.RedisError; on a connection error the claim may stand, and its timer will repeat the attempt.
    """
    entry = Claimed(at=now, by=worker, effect=effect_id, attempt=attempt, timeout_ms=timeout_ms)
    found = _CLAIM.run(
        client,
        (keys.outbox, keys.claims, keys.log(Lane.CONTROL)),
        (effect_id, attempt, f"{attempt} {worker} {now}", encode_entry(entry)),
    )
    return None if found is None else decode_effect(found)


def pending(client: redis.Redis, keys: Keys) -> list[Pending]:
    """Everything in the outbox, in no order."""
    pipe = client.pipeline(transaction=True)
    pipe.hgetall(keys.outbox)
    pipe.hgetall(keys.claims)
    effects, claims = pipe.execute()
    return [_pending(decode_effect(raw), claims.get(key)) for key, raw in effects.items()]


def find(client: redis.Redis, keys: Keys, effect_id: str) -> Pending | None:
    """One effect of the outbox; None when it is done or withdrawn."""
    raw = client.hget(keys.outbox, effect_id)
    return _pending(decode_effect(raw), client.hget(keys.claims, effect_id)) if raw else None


def decode_effect(raw: bytes | str) -> AnyEffect:
    """Raises msgspec.ValidationError or msgspec.DecodeError when it is not one."""
    return _decoder.decode(raw)


def _pending(effect: AnyEffect, claimed: bytes | str | None) -> Pending:
    if not claimed:
        return Pending(effect)
    text = claimed.decode() if isinstance(claimed, bytes) else claimed
    attempt, _, rest = text.partition(" ")
    worker, _, at = rest.rpartition(" ")
    return Pending(effect, worker, int(at)) if int(attempt) >= effect.attempt else Pending(effect)
