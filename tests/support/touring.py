"""Somebody with a browser who looks at the console, and acts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from browser import DESK, contrasts, faint
from playwright.sync_api import Browser, Page
from seeing import Seen

from console.trust.acts import Role

PHONE, HEIGHT = 390, 844
_TARGETS = """() => [...document.querySelectorAll('button, .button, .nav a, .nav summary, select, input:not([type=hidden])')]
  .filter(each => each.getClientRects().length && !each.matches('[type=checkbox],[type=radio]'))
  .map(each => [each.textContent.trim().slice(0, 30) || each.name, each.getBoundingClientRect().height])
  .filter(([, height]) => height < 43.5)"""
_INERT = r"""() => {
  const wrong = [], unseen = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/;
  for (const each of document.querySelectorAll('main :is(script, style, img, iframe, object, embed, link, meta, base, dial, say)'))
    wrong.push('an element of the sender\'s: ' + each.outerHTML.slice(0, 80));
  for (const each of document.querySelectorAll('*')) for (const { name, value } of each.attributes) {
    if (/^on/.test(name)) wrong.push(`a handler: ${name}`);
    if (/^(href|src|action|formaction)$/.test(name) && !/^https?:$/.test(new URL(value, location.href).protocol)) wrong.push(value.slice(0, 80));
    if (unseen.test(value)) wrong.push(`unseen characters in ${name}`);
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) if (unseen.test(texts.currentNode.data) && !texts.currentNode.parentElement.matches('textarea'))
    wrong.push('unseen characters: ' + JSON.stringify(texts.currentNode.data.slice(0, 80)));
  return wrong;
}"""
_MARKUP_MOST = 400_000
"""Characters of a page, whatever it is of: a line of a megabyte is cut."""
_LOOKS = ((True, True, True), (True, False, False), (False, False, True), (False, True, False))
"""Phone or desk, dark or light, everything or contrast alone: what else there is looks the same in both."""
_RULES = {"resultTypes": ["violations"], "preload": {"assets": ["media"]}}
"""All that count by default; none of them looks into the style sheets, whose reading takes a third of the time."""
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

    def top(self, what: str) -> float:
        """Pixels from the top of the window to where the first such element begins."""
        return float(self._box(what)["y"])

    def bottom(self, what: str) -> float:
        """And to where it ends."""
        box = self._box(what)
        return float(box["y"] + box["height"])

    def _box(self, what: str) -> Any:
        box = self.page.locator(what).first.bounding_box()
        assert box is not None, f"{what} is not shown"
        return box

    def is_live(self) -> None:
        self.page.locator("#live[data-state=live]").wait_for()

    def faults(self) -> list[str]:
        """What is wrong with the page as it stands, on a phone and at a desk, dark and light: for all who use it."""
        wrong = [*self.page.evaluate(_INERT)]
        size = len(self.page.content())
        wrong += [f"{size} characters"] if size > _MARKUP_MOST else []
        self.page.evaluate(Axe().axe_script)
        for phone, dark, whole in _LOOKS:
            if whole:
                self.page.set_viewport_size({"width": PHONE if phone else DESK, "height": HEIGHT})
            self.page.emulate_media(color_scheme="dark" if dark else "light")
            where = f"{'phone' if phone else 'desk'}, {'dark' if dark else 'light'}"
            found = self._against_rules(touch=phone) if whole else faint(contrasts(self.page))
            wrong += [f"{where}: {each}" for each in found]
        return wrong + self.said

    def _against_rules(self, *, touch: bool) -> list[str]:
        violations = self.page.evaluate(
            "options => axe.run(document, options).then(found => found.violations)", _RULES
        )
        wrong = [f"{each['id']}: {node['html'][:120]}" for each in violations for node in each["nodes"]]
        beyond = int(self.page.evaluate(_WIDE))
        wrong += [f"{beyond} px wider than the window"] if beyond else []
        small = self.page.evaluate(_TARGETS) if touch else ()
        return wrong + [f"too small to touch: {each}" for each in small]


@contextmanager
def touring(
    browser: Browser, seen: Seen, name: str = "anna", role: Role = Role.RESPONDER, *teams: str,
    width: int = PHONE, dark: bool = False, scripts: bool = True, signed_in: bool = True,
) -> Iterator[Tourist]:  # fmt: skip
    scheme: Any = "dark" if dark else "light"
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHT}, color_scheme=scheme, java_script_enabled=scripts, locale="en-GB",
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


__all__ = ["DESK", "HEIGHT", "PHONE", "Tourist", "touring"]
