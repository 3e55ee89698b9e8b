"""The console in a real browser: a page at night, two who act at once, news after a restart, and no mouse."""

from pathlib import Path
from typing import Any

import pytest
import seeing
from notices import HOSTILE
from scene import Scene, asked, attacked, keep_call, refused_of, repaired
from seeing import console

from console.trust import passwords
from console.trust.acts import Role
from ledger import dead
from ledger.clock import now_ms
from routing.entry import Verb

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(180)]

try:
    from touring import DESK, HEIGHT, PHONE, touring
except ImportError:  # a checkout whose development packages are older
    pytest.skip("no browser is installed", allow_module_level=True)

ROOT = Path(__file__).parents[2]
PASSWORD = "four words in a row"
LONG = "a_word_that_nobody_can_break_" * 40


def test_a_page_at_night_on_a_phone(chromium: Any, scene: Scene) -> None:
    scene.seen.user("anna", Role.RESPONDER, password=passwords.kept(PASSWORD))
    incident = scene.opened("Checkout fails for everybody" + ", and nobody knows why" * 20, 0)
    repaired(scene, incident)
    with touring(chromium, scene.seen, signed_in=False) as anna:
        anna.opens(f"/incidents/{incident}")
        anna.page.get_by_label("Name").fill("anna")
        anna.page.get_by_label("Password").fill(PASSWORD)
        anna.presses("Sign in")
        anna.sees("Checkout fails for everybody")
        anna.sees("nobody has it")
        first_screen = (
            ".sev",
            "h1",
            "time[data-run=since]",
            "dt:has-text('Respond in')",
            "dt:has-text('Next') + dd",
        )
        deck = anna.top(".deck")
        assert anna.top("text=Tried by itself") > anna.bottom("dl.glance"), "it may be long"
        assert [each for each in first_screen if anna.bottom(f"main {each}") > deck] == [], (
            "it needs scrolling"
        )
        assert deck < anna.bottom("button:has-text('Acknowledge')") < HEIGHT
        anna.presses("Acknowledge")
        anna.sees("acknowledged by anna via the console")
        assert scene.shown(incident)["acknowledged_by"] == "anna"
        (client,) = [one["client"] for one in scene.shown(incident)["timeline"] if one["by"] == "anna"]
        assert client.startswith("session ")
        assert client.endswith("from 127.0.0.1")
        anna.page.locator("#more summary", has_text="Write a note").click()
        anna.page.get_by_label("Into the timeline").fill("the cache was cold <b>")
        anna.presses("Write")
        anna.sees("note: the cache was cold <b>")
        anna.presses("Resolve")
        anna.sees("resolved by anna via the console")
        assert scene.shown(incident)["status"] == "resolved"
        assert anna.asked == {anna.url.removeprefix("http://")}, "no request leaves the host"
        assert anna.said == []


def test_two_act_on_one_incident_at_once_and_each_sees_what_the_other_did(
    chromium: Any, scene: Scene
) -> None:
    incident = scene.opened("Two see this")
    with (
        touring(chromium, scene.seen, "anna") as anna,
        touring(chromium, scene.seen, "ben", width=DESK) as ben,
    ):
        for each in (anna, ben):
            each.opens(f"/incidents/{incident}")
            each.is_live()
        ben.page.evaluate("document.getElementById('page').removeAttribute('hx-trigger')")
        ben.page.evaluate("htmx.process(document.getElementById('page'))")
        anna.presses("Acknowledge")
        anna.sees("acknowledged by anna")
        ben.presses("Resolve")
        ben.sees("resolved by ben via the console")
        anna.sees("resolved by ben via the console")
    told = [each["what"] for each in scene.shown(incident)["timeline"]]
    assert sum("acknowledged by" in each for each in told) == 1


def test_what_a_step_brought_comes_by_itself_and_what_waits_is_answered_on_the_phone(
    chromium: Any, scene: Scene
) -> None:
    yes, no = scene.opened("Endpoint disabled"), scene.opened("Another one disabled")
    scene.seen.user("ola", contact="cto")
    with touring(chromium, scene.seen, "ola") as ola:
        ola.opens(f"/incidents/{yes}")
        ola.is_live()
        run = asked(scene, yes)
        ola.sees("webhook-endpoint waits for a yes")
        ola.page.locator(f"#{run} pre", has_text='"we_1"').wait_for()
        ola.presses(f"Approve {run}")
        ola.sees("approved by cto via the console")
        ola.page.get_by_text("waits for a yes").wait_for(state="detached")
        run = asked(scene, no)
        ola.opens("/runbooks")
        ola.sees("webhook-endpoint waits for a yes")
        ola.presses(f"Deny {run}")
        ola.sees("denied by cto via the console")
        assert ola.said == []


def test_news_come_by_themselves_also_after_a_restart_and_keep_what_was_typed(
    chromium: Any, scene: Scene, tmp_path: Path
) -> None:
    incident = scene.opened("It goes on")
    site = seeing.site(str(scene.desk.settings.redis_url), tmp_path)
    with console(site) as first:
        port = int(first.url.rpartition(":")[2])
        secret = first.session("anna")
        context = chromium.new_context(viewport={"width": PHONE, "height": 844})
        context.add_cookies([{"name": "tocsin", "value": secret, "url": first.url}])
        page = context.new_page()
        page.goto(f"{first.url}/incidents/{incident}")
        page.locator("#live[data-state=live]").wait_for()
        page.locator("#more summary", has_text="Write a note").click()
        page.get_by_label("Into the timeline").fill("half a sent")
        scene.does(incident, Verb.NOTE, text="the first news")
        page.get_by_text("note: the first news").wait_for()
        assert page.get_by_label("Into the timeline").input_value() == "half a sent"
    page.locator("#live[data-state=away]").wait_for()
    scene.does(incident, Verb.NOTE, text="while nobody looked")
    with console(seeing.site(str(scene.desk.settings.redis_url), tmp_path), port=port):
        page.get_by_text("note: while nobody looked").wait_for(timeout=20_000)
        scene.does(incident, Verb.ACK)
        page.get_by_text("acknowledged by ben").first.wait_for()
        assert page.get_by_label("Into the timeline").input_value() == "half a sent"
        context.close()


def test_the_keyboard_alone_is_enough(chromium: Any, scene: Scene) -> None:
    incident = scene.opened("No mouse here", 0, "keyboard")
    with touring(chromium, scene.seen, width=DESK) as anna:
        anna.opens("/")
        anna.page.keyboard.press("Tab")
        assert anna.page.evaluate("document.activeElement.textContent") == "Skip to the page"
        anna.page.keyboard.press("Enter")
        for _ in range(60):
            anna.page.keyboard.press("Tab")
            if anna.page.evaluate("document.activeElement.getAttribute('href')") == f"/incidents/{incident}":
                break
        anna.page.keyboard.press("Enter")
        anna.page.wait_for_url(f"**/incidents/{incident}")
        for _ in range(30):
            anna.page.keyboard.press("Tab")
            if anna.page.evaluate("document.activeElement.textContent") == "Acknowledge":
                break
        assert anna.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        anna.page.keyboard.press("Enter")
        anna.sees("acknowledged by anna via the console")


def test_every_act_works_without_scripts(chromium: Any, scene: Scene) -> None:
    incident = scene.opened("Plain forms")
    with touring(chromium, scene.seen, scripts=False) as anna:
        anna.opens("/")
        anna.page.get_by_label(f"Acknowledge {incident}").click()
        anna.sees(f"{incident}: acknowledged by anna via the console")
        anna.opens(f"/incidents/{incident}/silence?matchers=service%3D%22x%22")
        anna.page.get_by_label("Why").fill("known")
        anna.presses("Silence")
        anna.page.wait_for_url(f"**/incidents/{incident}?said=*")
        anna.opens(f"/incidents/{incident}?person=ben")
        anna.sees("ben was not paged.")


def test_who_may_only_look_is_offered_nothing_else(chromium: Any, scene: Scene) -> None:
    incident = scene.opened("Look, do not touch")
    with touring(chromium, scene.seen, "vera", Role.VIEWER) as vera:
        vera.opens(f"/incidents/{incident}")
        vera.sees("Look, do not touch")
        assert vera.page.locator("form[method=post]").count() == 0
    with touring(chromium, scene.seen, "otto", Role.RESPONDER, "another") as otto:
        otto.opens(f"/incidents/{incident}")
        assert otto.page.locator("form[method=post]").count() == 0
    client = scene.seen.signed_in("otto", Role.RESPONDER, "another")
    assert client.post(f"/incidents/{incident}/ack").status_code == 403
    assert scene.shown(incident)["status"] == "triggered"


def test_pages_have_no_fault_for_anybody_whatever_they_show(chromium: Any, scene: Scene) -> None:
    """On a phone and at a desk, dark and light: contrast, names, sizes; and nothing of what senders wrote does anything."""
    incident = attacked(scene)
    run = scene.shown(incident)["runs"][0]["id"]
    letter = dead.refused("stripe", HOSTILE + LONG, HOSTILE.encode() * 20_000, now_ms(), traceback=HOSTILE)
    dead.bury_now(scene.desk.client, scene.desk.keys, letter)
    call = keep_call(scene, scene.opened("It rang", 0), HOSTILE)
    found: list[str] = []
    with touring(chromium, scene.seen, "root", Role.ADMIN) as root:
        for path in (
            "/",
            "/dead",
            f"/dead/{letter.id}?edit=1",
            f"/dead/{letter.id}?as=received",
            f"/dead/preview?do=retry&ids={letter.id}",
            "/outbox",
            f"/outbox/{call}",
            "/account",
            "/people",
            "/incidents",
            f"/incidents/{incident}?person=ben",
            f"/incidents/{incident}/runs/{run}",
            f"/incidents/{incident}/silence",
            "/oncall?by=person&days=14",
            "/oncall/contacts?of=anna",
            "/oncall/import",
            "/oncall/drills",
            "/health/channels",
            "/health/channels/sms",
            "/sources?vendor=github",
            f"/sources/{refused_of(scene)}",
            "/sources/alertmanager",
            "/runbooks",
            f"/runbooks/{repaired(scene, incident)}",
            "/health",
            f"/policy?event={incident}",
            "/policy?labels=severity%3DSEV-1%0Ateam%3Dpayments",
            "/policy/scenario",
            "/probes",
            "/probes/new",
            f"/status-page?of={incident}",
            "/reports",
            f"/reports/{incident}",
            "/policy/compare",
            "/nowhere",
        ):
            root.opens(path)
            root.page.evaluate(
                "document.querySelectorAll('details:not(.more)').forEach(each => each.open = true)"
            )
            root.said[:] = [] if path == "/nowhere" else root.said  # a 404 is said by the browser itself
            found += [f"{path}: {each}" for each in root.faults()]
        assert found == []
        assert root.asked == {root.url.removeprefix("http://")}
