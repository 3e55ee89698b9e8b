"""The console's page of the policy: an event's way through the tree, scenarios, the past played anew, what is muted."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import seeing
import shipped
from click.testing import CliRunner
from desk import CONFIG, Desk, outage
from seeing import Seen, console
from small_policy import POLICY
from working import until

from console.against_history import compared
from console.main import tocsin
from console.trust.acts import Role, Scope
from ledger import log
from ledger.clock import now_ms
from routing.entry import Lane, Opened, SilenceSet
from routing.event import Event
from routing.instant import DAY, HOUR
from routing.load import load


@pytest.fixture
def seen(desk: Desk, redis_url: str, tmp_path: Path) -> Iterator[Seen]:
    with console(seeing.site(redis_url, tmp_path)) as found:
        yield found


def _append(desk: Desk, *entries: Opened | SilenceSet) -> None:
    for entry in entries:
        log.append(desk.client, desk.keys, Lane.CONTROL, entry)


def _opened(title: str) -> Opened:
    return Opened(at=now_ms(), by="ben", title=title, severity=1, service="site", team="payments")


def test_the_way_through_the_tree_is_marked(desk: Desk, seen: Seen) -> None:
    page = seen.signed_in("vera", Role.VIEWER).get("/policy?labels=severity%3DSEV-1%0Ateam%3Dpayments").text
    assert page.count("TAKES IT") == 1
    assert page.index("ON THE WAY") < page.index("TAKES IT")
    assert "routed by root &gt; payments" in page
    assert "after 10 min" in page


def test_labels_that_cannot_be_read_are_said(desk: Desk, seen: Seen) -> None:
    page = seen.signed_in("vera", Role.VIEWER).get("/policy?labels=<script>alert(1)</script>").text
    assert "write one label a line" in page
    assert "<script>alert" not in page


def test_what_happened_is_walked_too(desk: Desk, seen: Seen) -> None:
    _append(desk, _opened("Payments fail"))
    (one,) = until(lambda: list(desk.store.open_incidents()), 10, "an incident")
    vera = seen.signed_in("vera", Role.VIEWER)
    page = vera.get(f"/policy?event={one.id}").text
    assert "routed by root &gt; payments" in page
    assert "opened by ben" in page
    assert "nothing is known by" in vera.get("/policy?event=INC-999").text


def test_a_silence_is_shown_with_what_it_hides_and_ended(desk: Desk, seen: Seen) -> None:
    now = now_ms()
    silence = SilenceSet(
        at=now,
        by="ben",
        id="s-1",
        matchers=['service="site"'],
        from_at=now,
        until_at=now + HOUR,
        reason="known",
    )
    _append(desk, silence, _opened("Held <b>back</b>"))
    until(
        lambda: [one for one in desk.store.open_incidents() if one.silenced_by == "s-1"], 10, "what is held"
    )
    anna = seen.signed_in("anna")
    page = anna.get("/policy").text
    assert "hides 1 now" in page
    assert "Held &lt;b&gt;back&lt;/b&gt;" in page
    assert seen.signed_in("vera", Role.VIEWER).post("/policy/silences/s-1/end").status_code == 403
    assert anna.post("/policy/silences/s-1/end").status_code == 303
    assert "Nothing is silenced" in anna.get("/policy").text
    assert anna.post("/policy/silences/s-1/end").status_code == 404


def test_a_scenario_is_played_and_its_faults_are_listed(desk: Desk, seen: Seen) -> None:
    vera = seen.signed_in("vera", Role.VIEWER)
    text = (CONFIG / "tests" / "sunday-night.yaml").read_text()
    page = vera.post("/policy/scenario", data={"scenario": text}).text
    assert "every expectation holds" in page
    wrong = vera.post("/policy/scenario", data={"scenario": text.replace("SEV-0", "SEV-4")}).text
    assert "1 expectation fails" in wrong
    assert "scenario.yaml:" in vera.post("/policy/scenario", data={"scenario": "title: [<b>"}).text
    assert list(desk.store.incidents()) == []


def test_changed_files_are_held_against_the_past(redis_url: str, tmp_path: Path) -> None:
    still = Desk(redis_url, tmp_path, POLICY)
    still.publish()
    for number in range(3):
        still.receive(_unknown(f"k{number}"), b"{}")
    site = seeing.site(redis_url, tmp_path)
    milder = shipped.spoilt("severity.yaml", "default: SEV-2", "default: SEV-4")
    found = compared(site.context, load(milder, shipped.vendors()), now_ms() - DAY, most=2, limit=1)
    assert (found["entries"], found["cut"], found["more"]) == (2, True, True)
    (told,) = found["differences"]
    assert (told["before"]["severity"], told["after"]["severity"]) == ("SEV-2", "SEV-4")
    with console(site) as running:
        vera = running.signed_in("vera", Role.VIEWER)

        def page(file: str, text: str) -> str:
            return vera.post("/policy/compare", data={"file": file, "text": text}).text

        name = "config/severity.yaml"
        assert "opened SEV-4" in page(name, milder[name])
        assert "it would have come to the same" in page(name, shipped.files()[name])
        assert "config/routes.yaml:1" in page("config/routes.yaml", "route: {escalation: nowhere}")
        assert "no file" in page("../../etc/passwd", "x")
        both = vera.post(
            "/policy/compare",
            data={
                "file": [name, "config/routes.yaml"],
                "text": [milder[name], "route: {escalation: nowhere}"],
            },
        ).text
        assert "config/routes.yaml:1" in both
        assert "as in force" not in both
        kept = {"file": name, "text": milder[name], "drop": "", "add": "config/routes.yaml", "do": "add"}
        more = vera.post("/policy/compare", data=kept).text
        assert ("default: SEV-4" in more, 'value="config/routes.yaml"' in more, "played" in more) == (
            True,
            True,
            False,
        )
        files = [
            ("upload", ("severity.yaml", milder[name].encode())),
            ("upload", ("routes.yaml", shipped.files()["config/routes.yaml"].encode())),
        ]
        assert "opened SEV-4" in vera.post("/policy/compare", data={"days": "1"}, files=files).text
        odd = [("upload", ("passwd", b"x")), ("upload", ("routes.yaml", b"\xff\xfe"))]
        said = vera.post("/policy/compare", data={"days": "1"}, files=odd).text
        assert ("passwd: no such file" in said, "routes.yaml: no text" in said) == (True, True)
        _refused_as_a_change(running)
        folder = tmp_path / "changed"
        shutil.copytree(shipped.FOLDER, folder)
        (folder / "severity.yaml").write_text(milder[name])
        command = ("simulate", "--against-history", "--days", "1", "--config", str(folder))
        beside = {"TOCSIN_REDIS_URL": redis_url, "TOCSIN_DATA": str(tmp_path), "TOCSIN_CONSOLE_TOKEN": None}
        token = running.token("eyes", Role.VIEWER, Scope.READ)
        over = {
            "TOCSIN_CONSOLE_URL": running.url,
            "TOCSIN_CONSOLE_TOKEN": token,
            "TOCSIN_REDIS_URL": "unix:///no",
        }
        for extra in ((), ("--json",), ("--limit", "1")):
            sides = [
                CliRunner().invoke(tocsin, [*command, *extra], env=each).output for each in (beside, over)
            ]
            assert sides[0] == sides[1]
            assert "opened SEV-4" in sides[1] or '"severity": "SEV-4"' in sides[1]
    assert still.policy.version == site.context.policy.version, "nothing went live"


def _refused_as_a_change(running: Seen) -> None:
    headers = {"authorization": f"Bearer {running.token('eyes', Role.VIEWER, Scope.READ)}"}

    def status(body: object) -> int:
        answer = running.client.post(f"{running.url}/api/v1/policy/compare", json=body, headers=headers)
        return answer.status_code

    wrong: list[object] = [
        {}, {"files": []}, {"files": {"config/routes.yaml": 7}}, {"files": {"x": "\u0000"}, "days": 0}, {"files": {}, "more": 1},
        {"files": {"config/routes.yaml": "route: {escalation: nowhere}"}}, {"files": {}, "whole": True},
        {"files": {"../../etc/passwd": "route: ["}, "whole": True}, {"files": {"config/routes.yaml": "{" * 1000}},
    ]  # fmt: skip
    assert [status(each) for each in wrong] == [422] * len(wrong)


def _unknown(key: str) -> Event:
    """What no rule grades."""
    return msgspec.structs.replace(
        outage(key=key, vendor_id=key), source="stripe", kind="nobody.knows", labels={}
    )
