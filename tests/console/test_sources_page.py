"""The console's page of a source: what it sent and what was refused, how a vendor is pointed here, taking it aside."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import seeing
from desk import Desk, outage
from seeing import Seen, console
from small_policy import POLICY
from working import until

from console.charts import Column, columns
from console.pointing import pointing
from console.trust.acts import Role
from ledger import arrivals
from ledger.views.newest import newest
from routing.decision import Table
from routing.entry import Lane, Signal, SwitchSet, encode_entry
from routing.instant import HOUR


@pytest.fixture
def still(redis_url: str, tmp_path: Path) -> Desk:
    """The shipped configuration, decided only when told."""
    desk = Desk(redis_url, tmp_path, POLICY)
    desk.publish()
    return desk


@pytest.fixture
def seen(desk: Desk, redis_url: str, tmp_path: Path) -> Iterator[Seen]:
    with console(seeing.site(redis_url, tmp_path)) as found:
        yield found


def test_a_token_is_put_into_the_request_by_the_shell_and_never_shown(still: Desk) -> None:
    found = pointing(still.policy.sources["alertmanager"], "https://tocsin.example")
    assert found.curl.splitlines()[0] == "curl -sS https://tocsin.example/hooks/alertmanager \\"
    assert '  -H "authorization: Bearer $ALERTMANAGER_TOKEN" \\' in found.curl.splitlines()
    assert found.send == "tocsin send alertmanager " + found.samples[0]
    assert "https://tocsin.example/hooks/alertmanager" in found.steps


def test_of_a_vendor_that_signs_each_body_no_request_is_made_up(still: Desk) -> None:
    found = pointing(still.policy.sources["stripe"], "https://tocsin.example")
    assert found.curl == ""
    assert found.secrets == ("STRIPE_WEBHOOK_SECRET",)
    assert found.send.startswith("tocsin send stripe ")


def test_the_newest_event_of_a_source_comes_with_its_body(still: Desk) -> None:
    for number, source in enumerate(("stripe", "am", "stripe", "am")):
        event = msgspec.structs.replace(outage(key=f"k{number}", vendor_id=f"v{number}"), source=source)
        still.receive(event, json.dumps({"number": number}).encode())
    found = newest(still.store, "stripe")
    assert found is not None
    assert found.event.key == "k2"
    assert found.body is not None
    assert found.body.body == b'{"number": 2}'
    assert newest(still.store, "vercel") is None


def test_hours_are_counted_each_by_itself(still: Desk) -> None:
    now = 1_764_000_000_000
    for ago, count in ((0, 3), (23, 5), (24, 7)):
        still.client.hset(still.keys.arrivals(now // HOUR - ago), "stripe", count)
    assert arrivals.by_hour(still.client, still.keys, "stripe", now) == [5, *[0] * 22, 3]


def test_the_highest_bar_is_as_high_as_the_chart_and_nothing_is_flat() -> None:
    chart = columns([Column("a", 2), Column("b", 4), Column("c", 0)])
    assert [(bar.y, bar.height) for bar in chart.bars] == [(50, 50), (0, 100), (100, 0)]
    assert [bar.height for bar in columns([Column("a", 0)]).bars] == [0]


def test_a_source_is_taken_aside_and_heeded_again(desk: Desk, seen: Seen) -> None:
    anna = seen.signed_in("anna")

    def switched() -> SwitchSet | None:
        return desk.store.records(Table.SWITCH, SwitchSet).get("pause:stripe")

    assert anna.post("/sources/stripe/pause", data={"reason": "moving <b>"}).status_code == 303
    found = switched()
    assert found is not None
    assert (found.by, found.reason) == ("anna", "moving <b>")
    page = anna.get("/sources/stripe").text
    assert "Paused by anna" in page
    assert "moving &lt;b&gt;" in page
    assert anna.post("/sources/stripe/resume").status_code == 303
    assert switched() is None
    vera = seen.signed_in("vera", Role.VIEWER)
    assert vera.post("/sources/stripe/pause").status_code == 403
    assert anna.post("/sources/nobody/pause").status_code == 404


def test_what_was_accepted_and_refused_is_shown_without_secrets_and_people(desk: Desk, seen: Seen) -> None:
    raw = desk.client.xadd(desk.keys.raw, {"b": b'{"email": "joe@example.com"}', "h": b"{}", "s": "stripe"})
    entry = Signal(at=1, by="receiver", event=msgspec.structs.replace(outage(), source="stripe"))
    desk.client.xadd(desk.keys.log(Lane.URGENT), {"e": encode_entry(entry), "r": raw})
    refused = {
        "at": "2026-11-28T20:00:00Z",
        "why": "signature",
        "error": "<script>",
        "content_length": 1,
        "headers": {},
    }
    desk.client.lpush(desk.keys.refused("stripe"), json.dumps(refused))
    page = until(lambda: seen.signed_in("vera", Role.VIEWER).get("/sources/stripe").text, 5, "the page")
    assert "joe@example.com" not in page
    assert "[redacted]" in page
    assert "&lt;script&gt;" in page


def test_a_body_is_tried_and_nothing_is_kept(desk: Desk, seen: Seen) -> None:
    body = {
        "alerts": [
            {"labels": {"alertname": "SiteDown"}, "status": "firing", "startsAt": "2026-11-28T20:00:00Z"}
        ]
    }
    vera = seen.signed_in("vera", Role.VIEWER)
    page = vera.post("/sources/alertmanager", data={"body": json.dumps(body)}).text
    assert "SEV-0 firing: " in page
    assert "A dead letter" in vera.post("/sources/alertmanager", data={"body": "no JSON"}).text
    assert desk.client.xlen(desk.keys.log(Lane.URGENT)) == 0
