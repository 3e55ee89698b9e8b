"""Somebody with a browser who looks at the console, and acts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from browser import DESK
from playwright.sync_api import Browser, Page
from seeing import Seen

from console.trust.acts import Role

PHONE = 390
_TARGETS = """() => [...document.querySelectorAll('button, .button, .nav a, .nav summary, select, input:not([type=hidden])')]
  .filter(each => each.getClientRects().length && !each.matches('[type=checkbox],[type=radio]'))
  .map(each => [each.textContent.trim().slice(0, 30) || each.name, each.getBoundingClientRect().height])
  .filter(([, height]) => height < 43.5)"""
_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass
class Tourist:
    """`asked` are hosts that were asked for anything, `said` errors of the pages."""

    page: Page
    url: str
    asked: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)

    def opens(self, path: str) -> None:
        self.page.goto(self.url + path)

    def sees(self, text: str, within_ms: int = 30_000) -> None:
        self.page.get_by_text(text).first.wait_for(timeout=within_ms)

    def presses(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def is_live(self) -> None:
        self.page.locator("#live[data-state=live]").wait_for()

    def faults(self, *, touch: bool) -> list[str]:
        """What is wrong with the page as it stands: for all who use it."""
        found = Axe().run(self.page)
        violations = found.response["violations"]
        wrong = [f"{each['id']}: {node['html'][:120]}" for each in violations for node in each["nodes"]]
        beyond = int(self.page.evaluate(_WIDE))
        wrong += [f"{beyond} px wider than the window"] if beyond else []
        wrong += [f"too small to touch: {each}" for each in (self.page.evaluate(_TARGETS) if touch else ())]
        return wrong + self.said


@contextmanager
def touring(
    browser: Browser, seen: Seen, name: str = "anna", role: Role = Role.RESPONDER, *teams: str,
    width: int = PHONE, dark: bool = False, scripts: bool = True, signed_in: bool = True,
) -> Iterator[Tourist]:  # fmt: skip
    scheme: Any = "dark" if dark else "light"
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, java_script_enabled=scripts, locale="en-GB",
        timezone_id="Europe/Warsaw",
    )  # fmt: skip
    try:
        if signed_in:
            secret = seen.session(name, role, *teams)
            context.add_cookies([{"name": "tocsin", "value": secret, "url": seen.url}])
        page = context.new_page()
        page.set_default_timeout(30_000)
        tourist = Tourist(page, seen.url)
        page.on("request", lambda request: tourist.asked.add(urlsplit(request.url).netloc))
        page.on("pageerror", lambda error: tourist.said.append(str(error)))
        page.on("console", lambda said: tourist.said.append(said.text) if said.type == "error" else None)
        yield tourist
    finally:
        context.close()


__all__ = ["DESK", "PHONE", "Tourist", "touring"]
