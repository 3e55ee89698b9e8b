"""A real browser that looks at pages: how wide they are, and how well their texts stand out."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
"""Debian's, and others' names of it; "" where there is none."""
PHONE = 360
DESK = 1_280
AA, AA_LARGE = 4.5, 3.0
"""WCAG 2 AA; large is from 24 px, or 18.66 px bold."""

_CONTRASTS = """
() => {
  const channel = (value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) =>
    0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const found = parse(getComputedStyle(each).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const text = texts.currentNode.textContent.trim();
    const style = getComputedStyle(element);
    if (!text || ['STYLE', 'TITLE', 'title'].includes(element.tagName) || !element.getClientRects().length) continue;
    const svg = element instanceof SVGElement;
    const ink = light(parse(svg ? style.fill : style.color)), back = light(ground(element));
    const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
    found.push({
      text: text.slice(0, 40), ratio: (Math.max(ink, back) + 0.05) / (Math.min(ink, back) + 0.05),
      large: size >= 24 || (bold && size >= 18.66),
    });
  }
  return found;
}
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """How a page came out. `asked`: what it wanted to load, `faint`: texts that hardly stand out, `texts`: of how many."""

    beyond: int
    """Pixels that it is wider than the window."""
    faint: list[str]
    texts: int
    asked: list[str]
    said: list[str] = field(default_factory=list)
    """Errors of the page itself."""


@contextmanager
def browsing() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def look(
    browser: Browser, html: str, *, width: int = PHONE, dark: bool = False, unfolded: bool = True
) -> Seen:
    """Show a page; with `unfolded` also what it folds away."""
    scheme: Any = "dark" if dark else "light"
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    asked: list[str] = []
    said: list[str] = []
    try:
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.set_content(html)
        if unfolded:
            page.evaluate("() => document.querySelectorAll('details').forEach(each => each.open = true)")
        wide = page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        texts = page.evaluate(_CONTRASTS)
    finally:
        context.close()
    faint = [
        f"{each['text']!r} {each['ratio']:.2f}"
        for each in texts
        if each["ratio"] < (AA_LARGE if each["large"] else AA)
    ]
    return Seen(int(wide), faint, len(texts), asked, said)
