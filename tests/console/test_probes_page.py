"""The console's pages of probes and of the public status: tried for real, worded without a trace, said to everybody."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import seeing
from desk import Desk
from seeing import Seen, console
from working import until

from console.trust.acts import Role
from ledger import log
from ledger.clock import now_ms
from routing.entry import Lane, Opened


@pytest.fixture
def seen(desk: Desk, redis_url: str, tmp_path: Path) -> Iterator[Seen]:
    with console(seeing.site(redis_url, tmp_path)) as found:
        yield found


def _opened(desk: Desk, team: str) -> str:
    entry = Opened(
        at=now_ms(), by="ben", title="Nobody <b>pays</b>", severity=1, service="checkout", team=team
    )
    log.append(desk.client, desk.keys, Lane.CONTROL, entry)
    return until(lambda: next((one.id for one in desk.store.open_incidents()), ""), 10, "an incident")


def test_the_alert_of_a_probe_is_tried_by_who_may_alert(desk: Desk, seen: Seen) -> None:
    vera, anna = seen.signed_in("vera", Role.VIEWER), seen.signed_in("anna")
    page = vera.get("/probes").text
    assert ("site-health" in page, "not looked at" in page, "Nobody looks" in page) == (True, True, True)
    assert "Send its alert" not in page
    assert vera.post("/probes/site-health/test").status_code == 403
    where = anna.post("/probes/site-health/test", data={"resolve": "1"}).headers["location"]
    assert where == "/incidents/INC-1"
    shown = anna.get(where).text
    assert ("TEST: The site does not answer" in shown, "resolved" in shown) == (True, True)
    assert anna.post("/probes/cook/test").status_code == 404


def test_a_probe_is_worded_played_and_not_written(desk: Desk, seen: Seen) -> None:
    vera = seen.signed_in("vera", Role.VIEWER)
    worded = {
        "name": "api-slow",
        "condition": "response-time > 2000ms",
        "service": "checkout",
        "title": "<i>slow</i>",
    }
    page = vera.post("/probes/new", data=worded).text
    assert "- name: api-slow" in page
    assert "fires as ApiSlow once" in page
    assert "PAGE anna by sms" in page
    assert "&lt;i&gt;slow" in page
    assert (
        "a second probe &#34;site-health&#34;"
        in vera.post("/probes/new", data={"name": "site-health", "condition": "status != 200"}).text
    )
    for wrong, said in (
        ({"condition": "it is slow"}, "is no condition"),
        ({"lasting": "soon"}, "not a duration"),
    ):
        answer = vera.post("/probes/new", data={**worded, **wrong})
        assert (answer.status_code, said in answer.text) == (422, True), answer.text
    assert list(desk.store.incidents()) == []


def test_a_word_in_public_is_for_who_may_speak_of_that_incident(desk: Desk, seen: Seen) -> None:
    incident = _opened(desk, "payments")
    vera, otto = seen.signed_in("vera", Role.VIEWER), seen.signed_in("otto", Role.RESPONDER, "platform")
    anna = seen.signed_in("anna")
    word = {
        "incident": incident,
        "status": "identified",
        "text": "A card <u>scheme</u> is down.",
        "component": "checkout",
    }
    assert "Say it to everybody" not in vera.get("/status-page").text
    assert "Say it to everybody" not in otto.get("/status-page").text
    assert [each.post("/status-page", data=word).status_code for each in (vera, otto)] == [403, 403]
    assert f'value="{incident}" selected' in anna.get(f"/status-page?of={incident}").text
    where = anna.post("/status-page", data=word).headers["location"]
    assert where.startswith(f"/incidents/{incident}?said=")
    page = vera.get("/status-page").text
    assert ("A card &lt;u&gt;scheme&lt;/u&gt; is down." in page, "pays" in page) == (True, False)
    file = vera.get("/status-page/file")
    assert file.headers["content-disposition"] == "attachment; filename=status.html"
    assert file.text.startswith("<!doctype html>")
    for wrong in ({"status": "fine"}, {"health": "ill"}, {"component": "kitchen"}, {"text": "x" * 3_000}):
        assert anna.post("/status-page", data={**word, **wrong}).status_code == 422, wrong
    assert "no incident" in anna.post("/status-page", data={**word, "incident": "INC-99"}).text


def test_headers_are_read_with_a_body_that_is_tried(desk: Desk, seen: Seen) -> None:
    vera = seen.signed_in("vera", Role.VIEWER)
    assert (
        "as in x-github-event:release"
        in vera.post("/sources/alertmanager", data={"body": "{}", "headers": "nonsense"}).text
    )
    page = vera.post("/sources/alertmanager", data={"body": "{}", "headers": "X-Some: thing\n\n"}).text
    assert "X-Some: thing" in page
    assert "A dead letter" in page
