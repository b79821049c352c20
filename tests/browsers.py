"""A real browser, and the eyes that tests look with."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)

from tests.processes import HOUSE

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")

AXE = (HOUSE / "tests/vendor/axe.min.js").read_text(encoding="utf-8")

ARTEFACTS = HOUSE / "artefacts"
"""Where screenshots are left for people to look at."""

WIDTHS = {360: 740, 1280: 800}
"""A telephone and a desk, in CSS pixels, with their heights."""

WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation",
  (event) => window.violations.push(`${event.violatedDirective}: ${event.blockedURI}`));
"""

REFUSED = re.compile(r"status of 4\d\d")
"""What a browser says of a page that was refused, as it is to be."""

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

FIND_FAULTS = """async (levels) => {
  const found = await axe.run(document, {runOnly: {type: "tag", values: levels}});
  return found.violations.map(
    (each) => `${each.impact} ${each.id}: ${each.nodes.map((node) => node.html).join(" | ")}`);
}"""


@contextmanager
def browser_here(*options: str) -> Iterator[Browser]:
    """Start the system's Chromium with these options, or skip the test where there is none."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no browser here: none of {', '.join(NAMES)} is installed")
    alone = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*alone, *options])
        yield browser
        browser.close()


@contextmanager
def window(browser: Browser, url: str, width: int = 1280, **options: Any) -> Iterator[Page]:
    """Open a window, and see in the end that nothing in it was forbidden or went wrong."""
    size = {"width": width, "height": WIDTHS[width]}
    context: BrowserContext = browser.new_context(base_url=url, viewport=size, **options)
    context.add_init_script(WATCH)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda options: wrong.append(options.text) if is_fault(options) else None)
    page.on(
        "requestfailed", lambda request: wrong.append(request.url) if is_lost(request) else None
    )
    try:
        yield page
        forbidden = forbidden_by(page)
    finally:
        context.close()
    assert wrong == []
    assert forbidden == []


def forbidden_by(page: Page) -> list[str]:
    """Return what the policy of the page that is shown forbade it."""
    violations: list[str] = page.evaluate("window.violations || []")
    return violations


def is_fault(message: ConsoleMessage) -> bool:
    """Say whether a line of the console means trouble; that a page was refused does not."""
    return message.type == "error" and not REFUSED.search(message.text)


def is_lost(request: Request) -> bool:
    """Say whether something could not be had; what is no longer wanted is another matter."""
    return request.failure != "net::ERR_ABORTED"


def faults(page: Page) -> list[str]:
    """Return what axe finds against WCAG 2.2 AA on a page."""
    page.evaluate(AXE)
    violations: list[str] = page.evaluate(FIND_FAULTS, LEVELS)
    return violations
