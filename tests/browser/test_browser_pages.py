"""Every page, in both schemes, narrow and wide: no rule of WCAG 2.2 AA is broken, the browser complains of nothing."""

import re
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute
from playwright.sync_api import Browser

from config import load_settings
from dialer.console import open_console
from dialer.web.app import Application
from tests.acceptance.dialer_process import ROOT, number, until, write_list
from tests.browser.browser_pages import ADDRESSES, MISSING, NO_PAGES, PAGES
from tests.browser.browser_steps import MARKUP, NARROW, WIDE, Console, Scheme, visit

LINKS = "() => [...document.querySelectorAll('a[href]')].map(a => [a.getAttribute('href'), a.textContent])"


@pytest.fixture(scope="module")
def filled(looked_at: Console) -> Console:
    """With the campaigns that ``browser_pages`` names."""
    home = looked_at.home
    looked_at.enqueue("going", 400, rate=4)
    looked_at.enqueue("over", 12, first=1_000)
    listed = write_list(home.path / "markup.csv", 2, 2_000)
    (home.path / "markup.toml").write_text(f"name = '''{MARKUP}'''\nagent = 'a'\nprovider = 'vaanivoice'\n")
    home.command("enqueue", str(listed), "--campaign", str(home.path / "markup.toml"))
    home.command("pause", "going", "--reason", "lunch")
    home.command("resume", "going")
    home.command("suppress", "add", number(5_000), "--reason", "asked to")
    token = home.command("token", "add", "boss", "--role", "admin").out.strip()
    with looked_at.serving.browser(token) as browsing, (ROOT / "examples" / "contacts.csv").open("rb") as sent:
        assert (
            browsing.post("/new/list", files={"list": ("contacts.csv", sent)}).headers["location"].startswith("/new/1")
        )
        until(lambda: _talked(browsing) > 0, "a call with a transcript")
        looked_at.parts["TALKED"] = str(_talked(browsing))
    return looked_at


def _talked(browsing: httpx.Client) -> int:
    """The first attempt that has a transcript; 0: none yet."""
    return next((n for n in range(1, 21) if browsing.get(f"/attempts/{n}/transcript").is_success), 0)


def test_every_page_is_tried() -> None:
    settings = load_settings(Path("no such file"))
    page = Application(settings, lambda: open_console(settings))
    read = [route for route in page.routes if isinstance(route, APIRoute) and "GET" in (route.methods or ())]
    routes = {re.sub(r":\w+}", "}", route.path) for route in read if not route.path.startswith("/api/")}

    assert routes - NO_PAGES - set(PAGES) == set(), "name them in tests/browser/browser_pages.py"
    assert set(PAGES) <= routes


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_everybody_can_use_every_page(browser: Browser, filled: Console, width: int, scheme: Scheme) -> None:
    wrong: dict[str, list[str]] = {}
    with visit(browser, filled, width=width, scheme=scheme) as visiting:
        for address in ADDRESSES:
            status = visiting.go(address)
            findings = visiting.findings()
            if (status >= 400) != (address in MISSING):
                findings.append(f"answered {status}")
            if visiting.too_wide_px > 0:
                findings.append(f"{visiting.too_wide_px} px wider than the window")
            if findings:
                wrong[address] = findings
    assert wrong == {}


def test_markup_in_a_name_is_text(browser: Browser, filled: Console) -> None:
    with visit(browser, filled) as visiting:
        for address in ("/", "/campaigns/3", "/campaigns/3/cancel"):
            visiting.go(address)
            assert visiting.page.locator("b[onclick]").count() == 0
            assert visiting.page.get_by_text(MARKUP).count() > 0


def test_every_link_of_a_page_leads_somewhere(browser: Browser, filled: Console) -> None:
    """A transcript is only known of by asking the provider, so a link to one may come to a page that says so."""
    links: dict[str, str] = {}
    with visit(browser, filled) as visiting:
        for address in ADDRESSES:
            visiting.go(address)
            for target, words in visiting.page.evaluate(LINKS):
                assert target.startswith(("/", "#")), f"{address}: {target}"
                assert words.strip(), f"{address}: a link without words"
                links.setdefault(target.partition("#")[0], address)
        request = visiting.page.request
        dead = {target: address for target, address in links.items() if target and not request.get(
            filled.serving.address + target).ok and not target.endswith("/transcript")}  # fmt: skip
    assert dead == {}
    assert len(links) > 20
