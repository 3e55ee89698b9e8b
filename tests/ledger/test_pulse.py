"""Signs of life do not pile up, and the silence of a whole kind of process stays visible."""

from redis import Redis

from ledger import pulse, wire
from ledger.keys import Keys
from ledger.pulse import FORGOTTEN_MS

NOW = 1_764_000_000_000


def left(redis: Redis, keys: Keys) -> dict[str, int]:
    return {wire.text(name): int(at) for name, at in redis.hgetall(keys.pulse).items()}


def test_a_process_shows_when_it_was_last_seen(redis: Redis, keys: Keys) -> None:
    for at in (NOW, NOW + 5):
        pulse.show(redis, keys, "deliver.host.1", at)
    assert left(redis, keys) == {"deliver.host.1": NOW + 5}


def test_processes_of_the_past_are_forgotten(redis: Redis, keys: Keys) -> None:
    for pid in range(5):
        pulse.show(redis, keys, f"deliver.host.{pid}", NOW + pid)
    pulse.show(redis, keys, "deliver.host.9", NOW + FORGOTTEN_MS)
    pulse.forget(redis, keys, NOW + FORGOTTEN_MS + 2)
    assert sorted(left(redis, keys)) == [f"deliver.host.{pid}" for pid in (2, 3, 4, 9)]


def test_the_last_of_its_kind_is_remembered_however_long_it_is_silent(redis: Redis, keys: Keys) -> None:
    pulse.show(redis, keys, "dispatch.host.1", NOW)
    pulse.show(redis, keys, "dispatch.other.host.2", NOW + 1)
    pulse.show(redis, keys, "upkeep.host.3", NOW + 2)
    pulse.forget(redis, keys, NOW + 100 * FORGOTTEN_MS)
    assert sorted(left(redis, keys)) == ["dispatch.other.host.2", "upkeep.host.3"]


def test_where_nobody_ever_lived_there_is_nothing_to_forget(redis: Redis, keys: Keys) -> None:
    pulse.forget(redis, keys, NOW)
    assert left(redis, keys) == {}
