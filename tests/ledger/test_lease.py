import time

from racing import race
from redis import Redis

from ledger.connection import connect
from ledger.keys import Keys
from ledger.lease import Lease, evict, holder, process
from ledger.settings import LedgerSettings


def test_one_process_at_a_time_holds_the_lease(redis_url: str, keys: Keys) -> None:
    def acquire(_number: int) -> int | None:
        with connect(LedgerSettings(redis_url=redis_url)) as client:
            return Lease(client, keys).acquire()

    fences = race(acquire, 8)

    assert sorted(fences, key=bool) == [None] * 7 + [1]


def test_asking_again_keeps_the_fence(redis: Redis, keys: Keys) -> None:
    lease = Lease(redis, keys)

    assert lease.acquire() == lease.acquire() == 1


def test_each_takeover_moves_the_fence(redis: Redis, keys: Keys) -> None:
    first, second = Lease(redis, keys), Lease(redis, keys)

    assert first.acquire() == 1
    assert second.acquire() is None
    assert first.release()
    assert second.acquire() == 2


def test_a_lease_that_ran_out_is_taken_over_and_cannot_be_renewed(redis: Redis, keys: Keys) -> None:
    dead, heir = Lease(redis, keys, ttl_ms=30), Lease(redis, keys)
    dead.acquire()

    until = time.monotonic() + 5
    while (fence := heir.acquire()) is None:
        assert time.monotonic() < until
        time.sleep(0.005)

    assert fence == 2
    assert not dead.renew()
    assert not dead.release()
    assert holder(redis, keys) == heir.token


def test_a_renewed_lease_does_not_run_out(redis: Redis, keys: Keys) -> None:
    lease = Lease(redis, keys, ttl_ms=500)
    lease.acquire()
    redis.pexpire(keys.lease, 50)

    assert lease.renew()
    assert redis.pttl(keys.lease) > 100


def test_the_token_names_its_process_so_that_a_supervisor_can_free_it_at_once(
    redis: Redis, keys: Keys
) -> None:
    lease = Lease(redis, keys, token=f"{process(4711)}:abc")
    lease.acquire()

    token = holder(redis, keys)
    assert token.startswith(f"{process(4711)}:")
    assert evict(redis, keys, token)
    assert holder(redis, keys) == ""
    assert Lease(redis, keys).token.startswith(f"{process()}:")


def test_evicting_somebody_who_does_not_hold_it_changes_nothing(redis: Redis, keys: Keys) -> None:
    lease = Lease(redis, keys)
    lease.acquire()

    assert not evict(redis, keys, "host:1:gone")
    assert holder(redis, keys) == lease.token
