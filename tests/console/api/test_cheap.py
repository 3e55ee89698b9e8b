"""Reads cost what they show, however much there is: so many questions to the store, so many bytes of it."""

import gzip
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

import crowd
import httpx2
import long_night
import pytest
import seeing
from desk import Desk
from embedded import running_server
from small_policy import POLICY

from console.api.declared import Asked, Operation
from console.api.openapi import operations
from console.pages import (
    channels,
    contacts,
    dead,
    incident,
    incidents,
    now,
    oncall,
    ourselves,
    outbox,
    policy,
    runbooks,
    runs,
    silencing,
    sources,
)
from console.serving.site import LiveContext
from console.serving.view import Facts, View
from console.trust.actor import Actor
from console.trust.acts import Role, Scope
from console.trust.grants import Grants
from ledger.keys import Keys
from ledger.settings import LedgerSettings

pytestmark = [pytest.mark.xdist_group("api-cheap")]
ADMIN = Actor("anna", Grants(Role.ADMIN), "token", "t1", frozenset(scope.value for scope in Scope), "")
MANY = (3_000, 120, 8_000)
"""Incidents, of which open; dead letters."""
FEW = (150, 120, 400)
LONG = 17
"""The number of an incident that in the large store was a long night's."""


@dataclass
class Store:
    """`ask` answers as the API would; `cost` is what that took: round trips, and bytes that came."""

    desk: Desk

    def cost(self, operation: Operation, **query: Any) -> tuple[int, int]:
        before = self._counted()
        asked(self.desk, operation, **query)
        trips, sent = (after - first for first, after in zip(before, self._counted(), strict=True))
        return trips - 1, sent

    def looked(
        self, ask: Callable[[View], Facts], path: dict[str, str], query: dict[str, str]
    ) -> tuple[int, int]:
        """What one look at a page costs, once its policy is known."""
        with self._view(path, query) as view:
            ask(view)
            before = self._counted()
            ask(view)
            trips, sent = (after - first for first, after in zip(before, self._counted(), strict=True))
        return trips - 1, sent

    def facts(self, ask: Callable[[View], Facts], path: dict[str, str], query: dict[str, str]) -> Facts:
        with self._view(path, query) as view:
            return ask(view)

    @contextmanager
    def _view(self, path: dict[str, str], query: dict[str, str]) -> Iterator[View]:
        site = seeing.site(str(self.desk.settings.redis_url), self.desk.settings.data_dir)
        yield View(site, ADMIN, path, query, crowd.START + 10_000_000_000)
        site.client.close()

    def _counted(self) -> tuple[int, int]:
        found = self.desk.client.info("stats")
        commands = sum(each["calls"] for each in self.desk.client.info("commandstats").values())
        return int(commands), int(found["total_net_output_bytes"])


def asked(desk: Desk, operation: Operation, place: str = "", **query: Any) -> Any:
    settings = LedgerSettings(redis_url=desk.settings.redis_url, data_dir=desk.settings.data_dir)
    context = LiveContext(settings, desk.client, Keys())
    path = dict.fromkeys(("id", "delivery", "run", "name"), place)
    read = operation.query.model_validate(query) if operation.query else None
    return operation.does(Asked(context, ADMIN, crowd.START + 10_000_000_000, path, read))


def filled(data: Path, url: str, count: int, opened: int, letters: int) -> Desk:
    desk = Desk(url, data, POLICY)
    desk.publish()
    crowd.incidents(desk, count, opened)
    crowd.letters(desk, letters)
    return desk


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Store]]:
    """One with few of everything, and one with many."""
    data = tmp_path_factory.mktemp("cheap")
    with running_server() as small, running_server() as large:
        few, many = filled(data / "few", small.url, *FEW), filled(data / "many", large.url, *MANY)
        long_night.put(many, LONG, crowd.START)
        yield Store(few), Store(many)


def operation(name: str) -> Operation:
    return next(each for each in operations() if each.name == name)


CASES: list[tuple[str, dict[str, Any], int]] = [
    ("getIncidents", {}, 6),
    ("getIncidents", {"status": ["triggered"], "limit": 100}, 6),
    ("getIncidents", {"all": "true"}, 8),
    ("getIncidentsId", {"place": "INC-100"}, 16),
    ("getIncidentsIdAlerts", {"place": "INC-100"}, 6),
    ("getIncidentsIdTimeline", {"place": "INC-100"}, 6),
    ("getDead", {}, 8),
    ("getDead", {"kind": "refused", "limit": 100}, 8),
    ("getDeadId", {"place": "dl-0000000000000001"}, 6),
    ("getStatus", {}, 20),
    ("getSources", {}, 14),
    ("getOutbox", {}, 2),
    ("getTrials", {}, 2),
]
"""Of the API's answers, how many commands each may take at most."""


@pytest.mark.parametrize(("name", "query", "most"), CASES, ids=lambda value: str(value)[:40])
def test_a_read_costs_what_it_shows_however_much_there_is(
    stores: tuple[Store, Store], name: str, query: dict[str, Any], most: int
) -> None:
    few, many = (store.cost(operation(name), **query) for store in stores)
    assert many[0] <= most, f"{many[0]} commands"
    assert many[1] <= 1.6 * few[1] + 20_000, f"{many[1]} bytes, {few[1]} where there are few"


def _said(value: object) -> str:
    """The same in every process, which a function's own words are not."""
    return f"{value.__module__}.{value.__name__}" if isinstance(value, FunctionType) else str(value)[:40]


PAGES: list[tuple[Callable[[View], Facts], dict[str, str], dict[str, str], int]] = [
    (oncall.ask, {}, {}, 32),
    (oncall.ask, {}, {"by": "person", "days": "28"}, 32),
    (sources.ask, {}, {}, 18),
    (sources.ask_one, {"name": "stripe"}, {}, 45),
    (runbooks.ask, {}, {}, 125),
    (runbooks.ask_one, {"id": "rollback"}, {}, 130),
    (policy.ask, {}, {"labels": "severity=SEV-1"}, 12),
    (ourselves.ask, {}, {}, 40),
    (contacts.ask, {}, {}, 8),
    (channels.ask, {}, {}, 6),
    (now.ask, {}, {}, 45),
    (incidents.ask, {}, {}, 14),
    (incidents.ask, {}, {"all": "true"}, 16),
    (dead.ask, {}, {}, 24),
    (outbox.ask, {}, {}, 8),
    (incident.ask, {"id": "INC-140"}, {}, 32),
]
"""Of the console's pages that read many things, what each is asked with, and how many commands it may take."""


@pytest.mark.parametrize(("ask", "path", "query", "most"), PAGES, ids=_said)
def test_a_page_costs_what_it_shows_however_much_there_is(
    stores: tuple[Store, Store],
    ask: Callable[[View], Facts],
    path: dict[str, str],
    query: dict[str, str],
    most: int,
) -> None:
    few, many = (store.looked(ask, path, query) for store in stores)
    assert many[0] <= most, f"{many[0]} commands"
    assert many[1] <= 1.6 * few[1] + 20_000, f"{many[1]} bytes, {few[1]} where there are few"


FIRST_VIEW = 150_000
"""Bytes that a browser which was never here may have to load, as they come over the wire."""
_LOADED = re.compile(r'<(?:script[^>]* src|link[^>]* href)="([^"]+)"')


def test_a_first_view_with_all_that_it_loads_is_small(stores: tuple[Store, Store]) -> None:
    _, many = stores
    site = seeing.site(str(many.desk.settings.redis_url), many.desk.settings.data_dir)
    with seeing.console(site) as seen:
        client = seen.signed_in("anna", Role.ADMIN)
        for path in ("/", "/incidents", "/incidents?all=true", f"/incidents/INC-{LONG}", "/dead", "/outbox",
                     "/oncall", "/sources", "/runbooks", "/policy", "/reports", "/health", "/people", "/account"):  # fmt: skip
            page, sent = came(client, path)
            loaded = set(_LOADED.findall(page))
            assert len(loaded) >= 6
            sizes = {name: came(client, name)[1] for name in loaded}
            assert sent + sum(sizes.values()) < FIRST_VIEW, (path, sent, sizes)


def came(client: httpx2.Client, path: str) -> tuple[str, int]:
    """A body, and how many bytes of it came over the wire."""
    with client.stream("GET", path, headers={"accept-encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
        assert answer.status_code == 200, path
        packed = answer.headers.get("content-encoding") == "gzip"
    return (gzip.decompress(raw) if packed else raw).decode(), len(raw)


@pytest.mark.parametrize("query", [{}, {"deliveries": "100", "until": "700"}, {"person": "anna"}], ids=str)
def test_of_a_long_night_a_page_reads_what_it_shows(
    stores: tuple[Store, Store], query: dict[str, str]
) -> None:
    _, many = stores
    found = many.facts(incident.ask, {"id": f"INC-{LONG}"}, query)
    assert len(found["timeline"]) == incident.MOST
    assert len(found["deliveries"]) == incident.ROWS
    assert len(found["one"]["alerts"]) <= 2 * incident.ROWS
    assert len(found["runs"]) + len(found["earlier"]) == incident.LISTED
    brought = sum(len(str(step["output"])) for run in found["runs"] for step in run["steps"])
    assert brought <= incident.RUNS * 4 * (runs.BRIEF + 1)


def test_what_a_silence_would_hide_is_looked_for_among_so_many(stores: tuple[Store, Store]) -> None:
    _, many = stores
    trips, sent = many.looked(silencing.ask, {"id": "INC-140"}, {})
    assert trips <= 160
    assert sent <= 1_000 * silencing.PREVIEWED + 200_000


def test_a_filter_that_matches_nothing_gives_up_after_so_many(stores: tuple[Store, Store]) -> None:
    _, many = stores
    page = asked(many.desk, operation("getIncidents"), all="true", text="no such title")
    assert (page["incidents"], page["after"]) == ([], f"INC-{MANY[0] - 499}")
    letters = asked(many.desk, operation("getDead"), text="no such words")
    assert letters["letters"] == []
    assert letters["after"]
    trips, _ = many.cost(operation("getDead"), text="no such words")
    assert trips <= 20


def test_all_of_many_are_reached_page_by_page(stores: tuple[Store, Store]) -> None:
    _, many = stores
    assert len(set(_all(many.desk, "getIncidents", "incidents", all="true", limit=500))) == MANY[0]
    vercel = _all(many.desk, "getDead", "letters", source="vercel", limit=500)
    assert len(set(vercel)) == MANY[2] // 100


def _all(desk: Desk, name: str, rows: str, **query: Any) -> list[str]:
    found: list[str] = []
    after = ""
    while True:
        page = asked(desk, operation(name), after=after, **query)
        found += [each["id"] for each in page[rows]]
        after = page["after"]
        if not after:
            return found
