"""Dead letters and the outbox in a real browser: one mended and brought through, many dropped and back, a key pressed."""

import re
from pathlib import Path
from typing import Any

import pytest
from scene import Scene, keep_call
from working import until

from ledger import accounts, dead
from ledger.clock import now_ms
from ledger.views import entries

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(180)]

try:
    from touring import DESK, touring
except ImportError:  # a checkout whose development packages are older
    pytest.skip("no browser is installed", allow_module_level=True)

ROOT = Path(__file__).parents[2]


def broken(scene: Scene, number: int, why: str = "object: not an event") -> str:
    """A dead letter of Alertmanager's that lacks what makes it readable."""
    body = f'{{"alerts": "none", "number": {number}}}'.encode()
    return dead.bury_now(
        scene.desk.client, scene.desk.keys, dead.refused("alertmanager", why, body, now_ms())
    )


def test_a_dead_letter_is_mended_and_brought_through(chromium: Any, scene: Scene) -> None:
    letter = broken(scene, 1)
    sample = (ROOT / "receiver/samples/alertmanager/firing.json").read_text()
    mended = re.sub(r'("startsAt": )"[^"]*"', r'\1"2026-11-24T02:30:00Z"', sample)
    with touring(chromium, scene.seen) as anna:
        anna.opens(f"/dead/{letter}")
        anna.sees("It still cannot be read")
        assert anna.page.get_by_role("button", name="Replay").count() == 0
        anna.page.get_by_role("link", name="Mend").click()
        anna.page.get_by_label("Its body").fill(mended)
        anna.presses("Save and check")
        anna.sees("It can be brought through")
        anna.presses("Replay")
        anna.sees("Brought through")
        anna.sees(f"{letter}.r1")
    until(lambda: entries.find(scene.desk.store, f"{letter}.r1"), 30, "its event")
    kept = dead.get(scene.desk.client, scene.desk.keys, letter)
    assert kept
    assert (kept.status, kept.by, kept.edited_by) == ("retried", "anna", "anna")
    told = [line for _, line in accounts.audited(scene.desk.client, scene.desk.keys, 5)]
    assert any(line.what == f"retried the dead letter {letter}" and "session" in line.client for line in told)


def test_all_that_match_are_dropped_after_a_preview_and_wait_again_when_that_is_undone(
    chromium: Any, scene: Scene
) -> None:
    mine = [broken(scene, number, "a fault of its own") for number in range(100, 220)]
    other = broken(scene, 999, "something else")

    def waiting() -> list[str]:
        return [each for each in (*mine, other) if scene.waits(each)]

    with touring(chromium, scene.seen, width=DESK) as anna:
        anna.opens("/dead?text=a+fault+of+its+own")
        anna.page.get_by_text("All that match, on every page").click()
        anna.presses("Drop all that match")
        anna.sees("more than 100")
        assert len(waiting()) == 121, "a preview does nothing"
        anna.presses("Drop them")
        anna.page.wait_for_url("**/dead/jobs/*")
        anna.page.reload()
        anna.sees("Dropped 120")
        assert waiting() == [other]
        anna.opens("/dead")
        anna.page.get_by_role("link", name="Dropped 120").click()
        anna.presses("Undo: let them wait again")
        until(lambda: len(waiting()) == 121, 30, "them to wait again")
        anna.opens("/dead?text=something+else")
        anna.page.get_by_label(f"Choose {other}").check()
        anna.presses("Replay")
        anna.sees("would be kept")
        anna.presses("Replay it")
        anna.sees("Replayed 0")
        assert scene.waits(other), "what fails again is kept"


def test_a_newcomer_presses_4_on_the_drawn_phone(chromium: Any, scene: Scene) -> None:
    incident = scene.opened("Ring ring", 0)
    keep_call(scene, incident)
    with touring(chromium, scene.seen) as anna:
        anna.opens("/outbox")
        anna.page.get_by_role("link", name="SEV-0. Ring ring <b>.").first.click()
        anna.sees("Press 4 to")
        anna.page.get_by_role("button", name="4 ack").click()
        anna.sees("acknowledged by")
    scene.until(incident, "acknowledged")


def test_dead_letters_need_no_scripts(chromium: Any, scene: Scene) -> None:
    letter = broken(scene, 2000, "without scripts")
    with touring(chromium, scene.seen, scripts=False) as anna:
        anna.opens("/dead?text=without+scripts")
        anna.page.get_by_label(f"Choose {letter}").check()
        anna.presses("Drop")
        anna.presses("Drop it")
        until(lambda: not scene.waits(letter), 30, "it to be dropped")
        anna.opens(f"/dead/{letter}")
        anna.presses("Undo: let it wait again")
        assert scene.waits(letter)
