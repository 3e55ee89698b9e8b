"""No provider is asked faster than it takes; what is urgent has the next turn; all have theirs in the end."""

from heapq import heappop, heappush
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from examples import examples
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from redis import Redis

from ledger import pace
from ledger.keys import Keys
from routing.ports import Pace

START = 1_764_000_000_000
PATIENCE_MS = 1_100
ONE_SERVER = [HealthCheck.function_scoped_fixture]
"""Each example empties it."""


class Message(NamedTuple):
    after_ms: int
    """Since the one before."""
    urgent: bool
    place: int


class Sent(NamedTuple):
    at: int
    came_at: int
    urgent: bool
    place: int


MESSAGES = st.lists(
    st.builds(
        Message, st.one_of(st.just(0), st.integers(0, 3_000)), st.sampled_from([False] * 4 + [True]), st.integers(0, 2)
    ),
    min_size=1,
    max_size=40,
)  # fmt: skip


def send_all(redis: Redis, name: str, messages: list[Message], per_s: float, overall: float) -> list[Sent]:
    """Each asks when it comes, and again whenever it is told to, a little late; both paces bind it."""
    waiting: list[tuple[int, int, bool]] = []
    came = START
    for number, message in enumerate(messages):
        came += message.after_ms
        heappush(waiting, (came, number, False))
    cames = {number: at for at, number, _ in waiting}
    sent, asked = [], 0
    while waiting:
        asked += 1
        assert asked < 40 * len(messages) ** 2
        now, number, returns = heappop(waiting)
        message = messages[number]
        bound = (Pace(f"{name}:{message.place}", per_s), Pace(f"{name}:all", overall))
        turn = pace.take(
            redis, Keys(), bound, urgent=message.urgent, returns=returns, patience_ms=PATIENCE_MS, now=now
        )
        if turn.granted:
            sent.append(Sent(now + turn.wait_ms, cames[number], message.urgent, message.place))
        else:
            assert turn.wait_ms > 0
            heappush(waiting, (now + turn.wait_ms + number % 3, number, True))
    return sent


def between(per_s: float) -> int:
    return ceil(1000 * pace.SLACK / per_s)


@given(MESSAGES, st.sampled_from([0.5, 1, 5]), st.sampled_from([2, 30]))
@examples(25, suppress_health_check=ONE_SERVER)
def test_however_they_come_the_provider_never_gets_more_than_it_takes_and_gets_them_all(
    redis: Redis, messages: list[Message], per_s: float, overall: float
) -> None:
    redis.flushdb()
    sent = send_all(redis, "p", messages, per_s, overall)
    assert len(sent) == len(messages)
    for place in range(3):
        mine = sorted(each.at for each in sent if each.place == place)
        assert all(after - before >= between(per_s) for before, after in pairwise(mine))
    everywhere = sorted(each.at for each in sent)
    assert all(after - before >= between(overall) for before, after in pairwise(everywhere))


@given(st.integers(1, 60), st.integers(0, 4_000))
@examples(25, suppress_health_check=ONE_SERVER)
def test_what_is_urgent_has_the_very_next_turn_whatever_waits(redis: Redis, chatter: int, at: int) -> None:
    redis.flushdb()
    messages = [Message(0, urgent=False, place=0)] * chatter
    came = [*messages, Message(at, urgent=True, place=0)]
    (urgent,) = [each for each in send_all(redis, "p", came, 1, 1) if each.urgent]
    assert urgent.at - urgent.came_at <= between(1)


@given(st.integers(2, 12))
@examples(10, suppress_health_check=ONE_SERVER)
def test_many_that_are_urgent_go_one_after_the_other_before_any_that_is_not(redis: Redis, many: int) -> None:
    redis.flushdb()
    chatter = [Message(0, urgent=False, place=0)] * 5
    urgent = [Message(0, urgent=True, place=0)] * many
    sent = sorted(send_all(redis, "p", [*chatter, *urgent], 1, 1))
    # The first of the chatter had its turn before anything urgent came.
    assert [each.urgent for each in sent] == [False, *[True] * many, *[False] * 4]


def test_a_provider_that_says_wait_is_left_alone_by_all_and_sooner_asked_for_what_is_urgent(
    redis: Redis,
) -> None:
    bound = (Pace("p", 100),)
    pace.shut(redis, Keys(), bound, 60_000, 2_000)
    later = pace.take(redis, Keys(), bound, urgent=False)
    urgent = pace.take(redis, Keys(), bound, urgent=True, patience_ms=500)
    assert not later.granted
    assert 55_000 < later.wait_ms <= 60_000
    assert not urgent.granted
    assert 1_000 < urgent.wait_ms <= 2_000
    pace.shut(redis, Keys(), bound, 1_000, 1_000)  # a shorter word does not open it sooner
    assert pace.take(redis, Keys(), bound, urgent=False).wait_ms > 50_000


def test_what_is_known_of_a_pace_is_forgotten_when_nobody_sends(redis: Redis) -> None:
    pace.take(redis, Keys(), (Pace("p", 1),), urgent=False)
    assert 0 < redis.pttl(Keys().pace("p")) <= 700_000
