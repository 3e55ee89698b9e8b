import pytest
from racing import race
from redis import Redis

from ledger import dead
from ledger.connection import connect
from ledger.dead import DeadLetter, Kind
from ledger.keys import Keys
from ledger.settings import LedgerSettings


def letter(number: int, kind: Kind = Kind.UNDELIVERED, source: str = "") -> DeadLetter:
    return DeadLetter(
        id=f"dl-{number}",
        kind=kind,
        at=number,
        why="boom",
        source=source,
        raw=b"\x00\xff",
        headers={"a": "b"},
    )


def bury(redis: Redis, keys: Keys, *letters: DeadLetter) -> None:
    for each in letters:
        dead.bury_now(redis, keys, each)


def listed(redis: Redis, keys: Keys, limit: int = 3, **filters: str) -> list[str]:
    """All pages, one after the other."""
    found: list[str] = []
    cursor = ""
    while True:
        page = dead.listing(redis, keys, cursor=cursor, limit=limit, **filters)  # type: ignore[arg-type]
        assert len(page.letters) <= limit
        found += [each.id for each in page.letters]
        if not page.next:
            return found
        cursor = page.next


def test_a_letter_is_kept_whole(redis: Redis, keys: Keys) -> None:
    bury(redis, keys, letter(1))

    assert dead.get(redis, keys, "dl-1") == letter(1)
    assert dead.waiting(redis, keys) == 1


def test_the_same_work_given_up_again_is_one_letter_and_counted(redis: Redis, keys: Keys) -> None:
    bury(redis, keys, letter(1), letter(1))

    found = dead.get(redis, keys, "dl-1")
    assert found is not None
    assert found.tries == 2
    assert dead.waiting(redis, keys) == 1


def test_the_same_work_has_the_same_id_and_other_work_another() -> None:
    same = dead.dead_id(Kind.REFUSED, "shop", b"[]")

    assert same == dead.dead_id(Kind.REFUSED, "shop", b"[]")
    others = [
        dead.dead_id(Kind.REFUSED, "shop[", b"]"),
        dead.dead_id(Kind.UNDELIVERED, "shop", b"[]"),
        dead.dead_id(Kind.REFUSED, "shop", b"{}"),
    ]
    assert len({same, *others}) == 4


@pytest.mark.parametrize("limit", [1, 3, 10, 100])
def test_paging_shows_each_letter_once_newest_first(limit: int, redis: Redis, keys: Keys) -> None:
    bury(redis, keys, *(letter(number) for number in range(10)))

    assert listed(redis, keys, limit) == [f"dl-{number}" for number in reversed(range(10))]


def test_filters_narrow_the_listing(redis: Redis, keys: Keys) -> None:
    bury(redis, keys, letter(1, Kind.REFUSED, "a"), letter(2, Kind.REFUSED, "b"), letter(3))

    assert listed(redis, keys, kind="refused") == ["dl-2", "dl-1"]
    assert listed(redis, keys, source="a") == ["dl-1"]
    assert [each.id for each in dead.listing(redis, keys, since=2).letters] == ["dl-3", "dl-2"]
    assert listed(redis, keys, status="dropped") == []


def test_a_letter_dropped_or_retried_says_by_whom_and_waits_no_more(redis: Redis, keys: Keys) -> None:
    bury(redis, keys, letter(1), letter(2), letter(3))

    dropped = dead.drop(redis, keys, "dl-1", "ana", 7)
    retried = dead.mark_retried(redis, keys, "dl-2", "ben", 8)

    assert (dropped.status, dropped.by, dropped.changed_at) == ("dropped", "ana", 7)
    assert (retried.status, retried.by, retried.changed_at) == ("retried", "ben", 8)
    assert dead.get(redis, keys, "dl-1") == dropped
    assert listed(redis, keys) == ["dl-3"]
    assert listed(redis, keys, status="") == ["dl-3", "dl-2", "dl-1"]
    assert dead.waiting(redis, keys) == 1


def test_work_given_up_again_after_its_retry_waits_again(redis: Redis, keys: Keys) -> None:
    bury(redis, keys, letter(1))
    dead.mark_retried(redis, keys, "dl-1", "ana", 7)
    bury(redis, keys, letter(1))

    assert listed(redis, keys) == ["dl-1"]
    assert dead.waiting(redis, keys) == 1


def test_an_edit_replaces_the_bytes_and_says_by_whom(redis: Redis, keys: Keys) -> None:
    bury(redis, keys, letter(1))

    edited = dead.edit(redis, keys, "dl-1", b"mended", "ana", 7)

    assert (edited.raw, edited.edited_by, edited.edited_at) == (b"mended", "ana", 7)
    assert dead.get(redis, keys, "dl-1") == edited
    assert dead.waiting(redis, keys) == 1


def test_changes_made_at_once_are_all_kept(redis: Redis, redis_url: str, keys: Keys) -> None:
    bury(redis, keys, letter(1))

    def change(number: int) -> DeadLetter:
        with connect(LedgerSettings(redis_url=redis_url)) as client:
            if number:
                return dead.drop(client, keys, "dl-1", "ana", 7)
            return dead.edit(client, keys, "dl-1", b"mended", "ben", 7)

    race(change, 2)

    found = dead.get(redis, keys, "dl-1")
    assert found is not None
    assert (found.raw, found.status, found.by, found.edited_by) == (b"mended", "dropped", "ana", "ben")


def test_what_is_not_there_cannot_be_changed(redis: Redis, keys: Keys) -> None:
    assert dead.get(redis, keys, "dl-1") is None
    for change in (dead.drop, dead.mark_retried):
        with pytest.raises(dead.NotThere, match="dl-1"):
            change(redis, keys, "dl-1", "ana", 7)
    assert not redis.exists(keys.dead)


def test_a_mark_goes_on_behind_its_letter_whatever_came_meanwhile(redis: Redis, keys: Keys) -> None:
    bury(redis, keys, *(letter(number) for number in range(6)))
    first = dead.listing(redis, keys, limit=2)
    bury(redis, keys, letter(9))

    second = dead.listing(redis, keys, limit=2, cursor=dead.place(redis, keys, first.mark))
    assert [each.id for each in second.letters] == ["dl-3", "dl-2"]
    redis.zrem(keys.dead_index, "dl-2")
    third = dead.listing(redis, keys, limit=2, cursor=dead.place(redis, keys, second.mark))
    assert [each.id for each in third.letters] == ["dl-1", "dl-0"]
    with pytest.raises(ValueError, match="no place"):
        dead.place(redis, keys, "dl-2")


def test_a_filter_that_matches_little_reads_only_so_many_at_a_time(redis: Redis, keys: Keys) -> None:
    bury(redis, keys, *(letter(number, source="rare" if number == 0 else "") for number in range(30)))

    seen: list[DeadLetter] = []
    cursor, pages = "", 0
    while True:
        page = dead.listing(redis, keys, cursor=cursor, limit=5, source="rare", most=10)
        seen, cursor, pages = [*seen, *page.letters], page.next, pages + 1
        if not cursor:
            break
    assert [each.id for each in seen] == ["dl-0"]
    assert pages == 4


def test_what_was_dropped_can_wait_again(redis: Redis, keys: Keys) -> None:
    bury(redis, keys, letter(1))
    dead.drop(redis, keys, "dl-1", "anna", 5)

    found = dead.restore(redis, keys, "dl-1", "ben", 6)

    assert (found.status, found.by, found.changed_at) == (dead.Fate.WAITING, "ben", 6)
    assert dead.waiting(redis, keys) == 1
    with pytest.raises(dead.NotThere):
        dead.restore(redis, keys, "dl-2", "ben", 6)
