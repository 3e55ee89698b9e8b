"""The console's pages of runbooks and of ourselves: limits and breakers, stops, a start by hand, and what is wrong."""

from collections.abc import Iterator
from pathlib import Path

import crowd
import pytest
import seeing
from desk import Desk
from seeing import Seen, console
from small_policy import POLICY
from working import until

from console.trust.acts import Role
from ledger import auditing, log, pulse
from ledger.auditing import Audited
from ledger.clock import now_ms
from routing.decision import Table
from routing.entry import Lane, Opened, Outcome, StepDone, SwitchSet
from routing.instant import HOUR
from routing.record import encode
from routing.run import Run, RunPhase, TargetRecord


@pytest.fixture
def seen(desk: Desk, redis_url: str, tmp_path: Path) -> Iterator[Seen]:
    with console(seeing.site(redis_url, tmp_path)) as found:
        yield found


def _opened(desk: Desk) -> str:
    entry = Opened(
        at=now_ms(), by="ben", title="Site <b>down</b>", severity=1, service="site", team="platform"
    )
    log.append(desk.client, desk.keys, Lane.CONTROL, entry)
    return until(lambda: next((one.id for one in desk.store.open_incidents()), ""), 10, "an incident")


def _runs(desk: Desk) -> list[Run]:
    found = desk.store.owned(list(desk.store.incidents()), Table.RUN, Run)
    return [run for runs in found.values() for run in runs]


def test_a_runbook_is_started_by_hand_for_an_incident_of_one_s_teams(desk: Desk, seen: Seen) -> None:
    incident = _opened(desk)
    other = seen.signed_in("otto", Role.RESPONDER, "another")
    assert other.post("/runbooks/rollback/run", data={"incident": incident}).status_code == 403
    anna = seen.signed_in("anna")
    where = anna.post("/runbooks/rollback/run", data={"incident": incident}).headers["location"]
    assert where.startswith(f"/incidents/{incident}?said=")
    (run,) = _runs(desk)
    assert (run.runbook, run.requested_by) == ("rollback", "anna")
    assert run.id in anna.get("/runbooks/rollback").text
    page = anna.get("/runbooks").text
    assert "1 of 10 an hour" in page
    assert "<b>down</b>" not in page


def _asking(desk: Desk, seen: Seen, by: str = "anna") -> str:
    """A run of INC-1 that waits for a yes of the CTO's."""
    incident = _opened(desk)
    seen.signed_in(by).post("/runbooks/webhook-endpoint/run", data={"incident": incident})
    (run,) = _runs(desk)
    brought = {"count": 1, "disabled": 1, "endpoints": [{"id": "we_1", "status": "disabled"}]}
    done = StepDone(
        at=now_ms(), by="worker", run=run.id, step="endpoints", attempt=1, outcome=Outcome.OK, output=brought
    )
    log.append(desk.client, desk.keys, Lane.CONTROL, done)
    until(lambda: _runs(desk)[0].phase is RunPhase.WAITING, 10, "the run to wait")
    return run.id


def test_what_waits_or_is_at_work_is_shown_however_many_incidents_came_since(desk: Desk, seen: Seen) -> None:
    waits = _asking(desk, seen)
    seen.signed_in("anna").post("/runbooks/rollback/run", data={"incident": "INC-1"})
    with desk.turn:
        crowd.incidents(desk, 150, 0, after=1)
    page = seen.signed_in("vera", Role.VIEWER).get("/runbooks").text
    assert "webhook-endpoint waits for a yes" in page
    assert "it asks each time" in page
    assert 'id="INC-1-r2"' in page.partition("<h2>At work")[2].partition("<h2>Stops")[0]
    assert f'id="{waits}"' in seen.signed_in("vera", Role.VIEWER).get("/runbooks/webhook-endpoint").text


def test_one_glance_says_that_something_waits_for_a_yes(desk: Desk, seen: Seen) -> None:
    run = _asking(desk, seen)
    vera, anna = seen.signed_in("vera", Role.VIEWER), seen.signed_in("anna")
    page = vera.get("/").text
    assert page.index('aria-label="Answer INC-1-r1"') < page.index('id="open"'), "it is before what is open"
    assert ("needs somebody</h1>" in page, 'href="/incidents/INC-1#waits"' in page) == (True, True)
    assert ("cto asked" in page, "<b>down</b>" in page) == (True, False)
    assert '<div id="waits">' in vera.get("/incidents/INC-1").text
    anna.post("/incidents/INC-1/ack")
    assert "1 repair waits for a yes</h1>" in vera.get("/").text
    anna.post("/incidents/INC-1/deny", data={"run": run})
    assert "Waits for a yes" not in vera.get("/").text


@pytest.mark.parametrize(("answer", "phase"), [("approve", RunPhase.DIAGNOSE), ("deny", RunPhase.REFUSED)])
def test_who_was_asked_answers_under_the_name_that_the_policy_has_for_them(
    desk: Desk, seen: Seen, answer: str, phase: RunPhase
) -> None:
    run = _asking(desk, seen)
    seen.user("ola", contact="cto")
    anna, ola = seen.signed_in("anna"), seen.signed_in("ola")
    assert f'aria-label="Approve {run}"' not in anna.get("/incidents/INC-1").text, (
        "who started it is not offered"
    )
    assert f'aria-label="{answer.title()} {run}"' in ola.get("/incidents/INC-1").text
    other = seen.signed_in("otto", Role.RESPONDER, "another")
    assert other.post(f"/incidents/INC-1/{answer}", data={"run": run}).status_code == 403
    ola.post(f"/incidents/INC-1/{answer}", data={"run": run})
    (answered,) = _runs(desk)
    assert answered.phase is phase, "after a yes it looks once more"
    assert answered.approved_by == (["cto"] if answer == "approve" else [])


def test_who_started_a_run_cannot_say_yes_to_it_by_another_name(desk: Desk, seen: Seen) -> None:
    seen.user("ola", contact="cto")
    run = _asking(desk, seen, "ola")
    ola = seen.signed_in("ola")
    page = ola.post("/incidents/INC-1/approve", data={"run": run}, follow_redirects=True).text
    assert _runs(desk)[0].phase is RunPhase.WAITING
    assert "cannot approve it" in page


@pytest.mark.parametrize(("path", "name"), [("kill-switch", "kill"), ("freeze", "freeze")])
def test_a_stop_is_set_and_lifted_by_who_may(desk: Desk, seen: Seen, path: str, name: str) -> None:
    anna = seen.signed_in("anna")

    def stands() -> SwitchSet | None:
        return desk.store.records(Table.SWITCH, SwitchSet).get(name)

    assert seen.signed_in("vera", Role.VIEWER).post(f"/runbooks/{path}", data={"on": "1"}).status_code == 403
    anna.post(f"/runbooks/{path}", data={"on": "1", "reason": "moving <i>"})
    stop = stands()
    assert stop is not None
    assert (stop.by, stop.reason) == ("anna", "moving <i>")
    assert "moving &lt;i&gt;" in anna.get("/runbooks").text
    anna.post(f"/runbooks/{path}", data={"on": "0"})
    assert stands() is None


def test_an_open_breaker_is_named_with_what_it_refuses(desk: Desk, seen: Seen) -> None:
    record = TargetRecord(
        key="rollback@vercel:site", started=[now_ms()], failures=2, open_until=now_ms() + HOUR
    )
    desk.client.hset(desk.keys.state(Table.TARGET.value), record.key, encode(record))
    vera = seen.signed_in("vera", Role.VIEWER)
    assert "open for vercel:site" in vera.get("/runbooks").text
    assert "breaker open until" in vera.get("/runbooks/rollback").text
    assert vera.get("/runbooks/nothing").status_code == 404


def test_its_tests_are_played_and_nothing_runs(desk: Desk, seen: Seen) -> None:
    page = seen.signed_in("vera", Role.VIEWER).post("/runbooks/rollback", data={"test": "1"}).text
    assert "as expected" in page
    assert "It has no test of its own" not in page
    assert _runs(desk) == []


def test_health_names_what_is_wrong_first(desk: Desk, seen: Seen) -> None:
    now = now_ms()
    pulse.show(desk.client, desk.keys, "deliver.host.7", now)
    pulse.show(desk.client, desk.keys, "probe.host.8", now - HOUR)
    auditing.save(desk.client, desk.keys, Audited(now, ""))
    vera = seen.signed_in("vera", Role.VIEWER)
    page = vera.get("/health").text
    assert "nothing open is forgotten" in page
    assert "host 8 does not show itself" in page
    assert "host 7 does not show itself" not in page
    assert "each 202 is on disk" in page
    auditing.save(desk.client, desk.keys, Audited(now, "INC-1: <nothing> moves it"))
    page = vera.get("/health").text
    assert "Tocsin itself needs somebody" in page
    assert page.index("INC-1: &lt;nothing&gt; moves it") < page.index("host 8 does not show itself")


def test_that_nobody_decides_is_said(redis_url: str, tmp_path: Path) -> None:
    still = Desk(redis_url, tmp_path, POLICY)
    still.publish()
    still.leave()
    with console(seeing.site(redis_url, tmp_path)) as found:
        page = found.signed_in("vera", Role.VIEWER).get("/health").text
    assert "no dispatcher is at work" in page
    assert "has not looked yet" in page
