"""Many who look at the same page at once: one reading serves them, and each sees what was there when they asked."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import seeing
from desk import Desk, outage
from seeing import Seen
from small_policy import POLICY

from console.serving.together import Together
from console.trust.acts import Role


def test_fifty_who_ask_at_once_cost_two_readings_and_none_sees_what_was_read_before() -> None:
    async def look() -> None:
        together, may, began = Together(), asyncio.Event(), list[str]()

        async def make() -> str:
            began.append(str(len(began)))
            number = began[-1]
            await may.wait()
            return number

        first = asyncio.create_task(together.ask("now", make))
        while not began:  # noqa: ASYNC110  # a list
            await asyncio.sleep(0)
        others = [asyncio.create_task(together.ask("now", make)) for _ in range(50)]
        for _ in range(5):  # all of them have asked while the first reading was under way
            await asyncio.sleep(0)
        may.set()
        assert await first == "0"
        assert set(await asyncio.gather(*others)) == {"1"}
        assert await together.ask("now", make) == "2"

    asyncio.run(look())


def test_who_asks_for_another_page_waits_for_nobody() -> None:
    async def look() -> None:
        together, never = Together(), asyncio.Event()

        async def stuck() -> str:
            await never.wait()
            return ""

        async def quick() -> str:
            return "here"

        slow = asyncio.create_task(together.ask("slow", stuck))
        assert await asyncio.wait_for(together.ask("now", quick), 20) == "here"
        never.set()
        await slow

    asyncio.run(look())


def test_a_failure_is_everybodys_and_the_next_try_is_anew() -> None:
    async def look() -> None:
        together, tries = Together(), list[int]()

        async def make() -> str:
            tries.append(1)
            await asyncio.sleep(0)
            if len(tries) < 3:
                raise OSError("the database does not answer")
            return "here"

        all_of_them = [asyncio.create_task(together.ask("now", make)) for _ in range(5)]
        found = await asyncio.gather(*all_of_them, return_exceptions=True)
        assert all(isinstance(each, OSError) for each in found)
        assert len(tries) == 1
        with pytest.raises(OSError, match="database"):
            await together.ask("now", make)
        assert await together.ask("now", make) == "here"

    asyncio.run(look())


def test_who_goes_away_takes_the_answer_from_nobody() -> None:
    async def look() -> None:
        together, may = Together(), asyncio.Event()

        async def make() -> str:
            await may.wait()
            return "here"

        gone, stays = (asyncio.create_task(together.ask("now", make)) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        may.set()
        assert await stays == "here"

    asyncio.run(look())


@pytest.fixture
def seen(redis_url: str, tmp_path: Path) -> Iterator[Seen]:
    desk = Desk(redis_url, tmp_path, POLICY)
    desk.publish()
    desk.receive(outage(), b"{}")
    with seeing.console(seeing.site(redis_url, tmp_path)) as found:
        yield found


def test_each_of_many_sees_their_own_name_and_what_they_may_do(seen: Seen) -> None:
    roles = {"anna": Role.RESPONDER, "ben": Role.RESPONDER, "vera": Role.VIEWER, "ole": Role.VIEWER}
    people = {name: seen.signed_in(name, role) for name, role in roles.items()}
    with ThreadPoolExecutor(8) as pool:
        looks = [(name, pool.submit(people[name].get, "/")) for _ in range(10) for name in people]
        pages = [(name, look.result().text) for name, look in looks]
    for name, page in pages:
        assert re.findall(r'class="who" href="/account">([^<]*)<', page) == [name]
        assert ("/incidents/INC-1/ack" in page) == (roles[name] is Role.RESPONDER)
        assert "<!--" not in page
