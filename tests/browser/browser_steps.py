"""A console that dials, and a browser that looks at it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.acceptance.dialer_process import QUICK, Home, Provider, dialing, provider_process, settings_for, write_list
from tests.web.serving import Serving, serve

CHROMIUM = Path("/usr/bin/chromium")
NARROW, WIDE = 320, 1280
Scheme = Literal["light", "dark"]
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
}
MARKUP = '<b onclick="alert(1)">"spring" & \'autumn\'</b>'


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's, without a window."""
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing: apt-get install chromium", pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Console:
    """What is looked at: a page that dials with a provider whose books can be read."""

    home: Home
    provider: Provider
    serving: Serving
    cookies: list[Any] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)
    """What stands for a part of an address that is only known when calls were made."""

    def enqueue(self, name: str, people: int, *, rate: float = 0, lines: int = 0, first: int = 0) -> None:
        """A campaign of so many people that begins now."""
        listed = write_list(self.home.path / f"{name}.csv", people, first)
        self.home.command("enqueue", str(listed), *dialing(rate=rate, lines=lines))


@contextmanager
def console(path: Path) -> Iterator[Console]:
    """A home with ``dialer serve --worker`` and a simulator of its own."""
    with provider_process(QUICK) as provider:
        home = Home(path, settings_for(provider, DIALER_REDIAL_SCALE="0.0005"))
        try:
            yield Console(home, provider, serve(home, "--worker"))
        finally:
            home.end()


@dataclass
class Visit:
    """A page in a browser, and what the browser complained of."""

    page: Page
    address: str
    parts: dict[str, str]
    script: bool = True
    complaints: list[tuple[str, str]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self.complaints.append((message.location["url"], message.text)))
        self.page.on("pageerror", lambda error: self.complaints.append((self.page.url, str(error))))

    def go(self, path: str) -> int:
        """Open an address; the status of its answer."""
        for word, part in self.parts.items():
            path = path.replace(word, part)
        answer = self.page.goto(self.address + path)
        assert answer is not None
        if answer.status >= 400:
            self.refused.add(answer.url)
        return answer.status

    def complained(self) -> list[str]:
        """What the browser complained of, except that a page was refused, of which it says so itself."""
        return [f"{url}: {text}" for url, text in self.complaints if url not in self.refused]

    def findings(self) -> list[str]:
        """What axe finds wrong: its rule, and where."""
        found = Axe().run(self.page, options=RULES).response["violations"]
        return [f"{one['id']}: {node['html'][:150]} {node['failureSummary'][:200]}" for one in found
                for node in one["nodes"]]  # fmt: skip

    @property
    def too_wide_px(self) -> int:
        """By how much the page is wider than the window."""
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.page.evaluate(wide))


@contextmanager
def visit(
    browser: Browser, looked_at: Console, *, width: int = WIDE, scheme: Scheme = "light", script: bool = True
) -> Iterator[Visit]:
    """A window, signed in."""
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
    )
    try:
        if looked_at.cookies:
            context.add_cookies(looked_at.cookies)
        page = context.new_page()
        visiting = Visit(page, looked_at.serving.address, looked_at.parts, script)
        if not looked_at.cookies:
            visiting.go(looked_at.serving.link)
            looked_at.cookies.extend(context.cookies())
        yield visiting
        assert not visiting.complained(), "\n".join(visiting.complained())
    finally:
        context.close()
