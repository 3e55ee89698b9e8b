"""Pages of the console in a real browser: the reader's own zone, and forms that need no scripts."""

from typing import Any

import pytest
from scene import Scene
from working import until

from console.overrides import laid
from routing.decision import Table
from routing.entry import SwitchSet

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(180)]

try:
    from touring import PHONE, touring
except ImportError:  # a checkout whose development packages are older
    pytest.skip("no browser is installed", allow_module_level=True)


def test_the_calendar_is_in_the_zone_of_the_browser(chromium: Any, scene: Scene) -> None:
    context = chromium.new_context(viewport={"width": PHONE, "height": 844}, timezone_id="America/New_York")
    context.add_cookies([{"name": "tocsin", "value": scene.seen.session("anna"), "url": scene.seen.url}])
    page = context.new_page()
    page.goto(f"{scene.seen.url}/oncall")
    page.wait_for_url("**/oncall?zone=America%2FNew_York")
    assert page.get_by_label("Times are those of").input_value() == "America/New_York"
    page.get_by_label("Times are those of").select_option("UTC")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**zone=UTC**")
    assert page.locator("#calendar h2").inner_text().endswith("UTC"), "what was chosen stays"
    context.close()


def test_an_override_is_set_and_removed_without_scripts(chromium: Any, scene: Scene) -> None:
    with touring(chromium, scene.seen, scripts=False) as anna:
        anna.opens("/oncall")
        anna.page.locator("#do-override summary").click()
        anna.page.get_by_label("Who", exact=True).select_option("cto")
        anna.page.get_by_label("Does what").select_option("add")
        anna.presses("Set it")
        anna.sees("cto in primary, set by anna")
        (one,) = laid(scene.seen.site.context)
        anna.presses(f"Remove {one.id}")
        anna.sees("The override is removed")
    assert laid(scene.seen.site.context) == []


def test_all_automation_is_stopped_from_a_phone_without_scripts(chromium: Any, scene: Scene) -> None:
    def stopped() -> bool:
        return "kill" in scene.desk.store.records(Table.SWITCH, SwitchSet)

    with touring(chromium, scene.seen, scripts=False) as anna:
        anna.opens("/runbooks")
        anna.page.get_by_text("Stop all automation…").click()
        anna.page.get_by_label("Why").first.fill("it makes things worse")
        anna.presses("Stop all automation")
        anna.sees("Kill switch: on, by anna")
        anna.sees("it makes things worse")
        assert stopped()
        anna.presses("Allow automation again")
        anna.sees("Kill switch: off")
    until(lambda: not stopped(), 5, "automation to be allowed")


def test_an_event_is_walked_through_the_tree_live(chromium: Any, scene: Scene) -> None:
    incident = scene.opened("Walk me through")
    with touring(chromium, scene.seen) as anna:
        anna.opens("/policy")
        anna.page.get_by_label("Or: what happened").fill(incident)
        anna.presses("Why?")
        anna.sees("TAKES IT")
        anna.sees("opened by ben")
        assert anna.said == []
