"""A real browser that looks at pages: how wide they are, and how well their texts stand out."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

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
  const over = (ground, [r, g, b, a = 1], opacity) =>
    [r, g, b].map((value, at) => value * a * opacity + ground[at] * (1 - a * opacity));
  const canvas = matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255];
  const grounds = new Map();
  const ground = (element) => {
    if (!element) return { back: canvas, opacity: 1 };
    if (!grounds.has(element)) {
      const below = ground(element.parentElement), style = getComputedStyle(element);
      const opacity = below.opacity * Number(style.opacity);
      grounds.set(element, { back: over(below.back, parse(style.backgroundColor), opacity), opacity });
    }
    return grounds.get(element);
  };
  const found = [];
  const keep = (element, text, part) => {
    const style = getComputedStyle(element, part);
    if (!text || !element.getClientRects().length || element.matches(':disabled')) return;
    const { back, opacity } = ground(element);
    const ink = light(over(back, parse(element instanceof SVGElement ? style.fill : style.color), opacity));
    const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700, behind = light(back);
    found.push({
      text: text.slice(0, 40), ratio: (Math.max(ink, behind) + 0.05) / (Math.min(ink, behind) + 0.05),
      large: size >= 24 || (bold && size >= 18.66),
    });
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!['STYLE', 'SCRIPT', 'TITLE', 'title', 'OPTION', 'TEXTAREA'].includes(element.tagName))
      keep(element, texts.currentNode.textContent.trim());
  }
  for (const each of document.querySelectorAll('input:not([type=hidden],[type=checkbox],[type=radio]), textarea, select'))
    keep(each, each.value || each.placeholder, each.value ? null : '::placeholder');
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
        texts = contrasts(page)
    finally:
        context.close()
    return Seen(int(wide), faint(texts), len(texts), asked, said)


def contrasts(page: Page) -> list[dict[str, Any]]:
    """What of a page can be read: each text, or what stands in a field, and how it stands out from its ground."""
    found: list[dict[str, Any]] = page.evaluate(_CONTRASTS)
    return found


def faint(texts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Those that hardly do."""
    return [
        f"{each['text']!r} {each['ratio']:.2f}"
        for each in texts
        if each["ratio"] < (AA_LARGE if each["large"] else AA)
    ]
