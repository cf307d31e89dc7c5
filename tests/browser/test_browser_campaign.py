"""A campaign on one screen: it moves by itself, by the keyboard, and without its script."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.dialer_process import stays
from tests.browser.browser_steps import NARROW, Console, Visit, visit

FOCUSED = """() => { const e = document.activeElement;
return e.tagName + ' ' + (e.getAttribute('aria-label') || e.innerText || e.name || '').trim().slice(0, 60) }"""
COUNT_ALL = """() => [...document.querySelectorAll('a[href], button, summary, input, [tabindex="0"]')]
.filter(e => e.checkVisibility()).length"""
WITHIN_MS = 60_000
"""Longer than anything takes on a machine that others use too."""
expect.set_options(timeout=WITHIN_MS)


@pytest.fixture
def campaign(looked_at: Console, request: pytest.FixtureRequest) -> Iterator[str]:
    """A campaign of its own that is being dialed, by its address."""
    first = 1_000 * len(looked_at.home.running)
    name = f"list{first}"
    looked_at.enqueue(name, 600, rate=10, first=first)
    shown = looked_at.home.command("campaigns", "--json").json()
    place = [one["campaign"] for one in shown].index(name) + 1
    yield f"/campaigns/{place}"
    looked_at.home.command("cancel", name, code=None)


def reached(page: Page) -> int:
    """How many people are said to be reached."""
    read = re.search(r"([\d,]+) reached", page.locator("#bar").inner_text())
    return int(read[1].replace(",", "")) if read else 0


def grows(visiting: Visit) -> None:
    """The numbers move without a reload."""
    before = reached(visiting.page)
    visiting.page.evaluate("window.mark = 1")
    visiting.page.wait_for_function(
        "before => { const said = /([\\d,]+) reached/.exec(document.getElementById('bar').innerText);"
        " return said && Number(said[1].replaceAll(',', '')) > before }", arg=before, timeout=WITHIN_MS,
    )  # fmt: skip
    assert visiting.page.evaluate("window.mark") == 1, "it was loaded again"


def nothing_leaves(looked_at: Console) -> None:
    """By the provider's own books."""
    placed = len(looked_at.provider.books().placing)
    assert placed > 0
    assert stays(lambda: len(looked_at.provider.books().placing) == placed, for_s=1.5)


def test_numbers_move_and_a_pause_holds(browser: Browser, looked_at: Console, campaign: str) -> None:
    with visit(browser, looked_at) as visiting:
        visiting.go(campaign)
        grows(visiting)
        visiting.page.get_by_role("button", name="Pause").click()
        expect(visiting.page.locator("#head")).to_contain_text("No request leaves since")
        expect(visiting.page.get_by_role("button", name="Resume")).to_be_visible()
        nothing_leaves(looked_at)
        visiting.page.get_by_role("button", name="Resume").click()
        expect(visiting.page.get_by_role("button", name="Pause")).to_be_visible()
        grows(visiting)


def test_what_another_does_is_seen_within_a_moment(browser: Browser, looked_at: Console, campaign: str) -> None:
    with visit(browser, looked_at) as visiting:
        visiting.go(campaign)
        name = visiting.page.locator("h1").inner_text()
        looked_at.home.command("pause", name, "--reason", "somebody else")
        expect(visiting.page.locator("#head")).to_contain_text("somebody else")
        expect(visiting.page.locator("#log")).to_contain_text("pause by")


def test_without_a_script_a_pause_holds(browser: Browser, looked_at: Console, campaign: str) -> None:
    with visit(browser, looked_at, script=False, width=NARROW) as visiting:
        visiting.go(campaign)
        assert "UTC" in visiting.page.locator("#head").inner_text(), "no script, no times in the viewer's zone"
        visiting.page.get_by_role("button", name="Pause").click()
        # The page after the answer shows what holds now: nothing moves it later.
        assert "No request leaves since" in visiting.page.locator("#head").inner_text()
        assert visiting.page.get_by_role("button", name="Pause").count() == 0
        nothing_leaves(looked_at)
        visiting.page.get_by_role("button", name="Resume").click()
        assert visiting.page.get_by_role("button", name="Pause").count() == 1
        visiting.page.get_by_text("More", exact=True).click()
        visiting.page.get_by_role("link", name="End it for good").click()
        visiting.page.get_by_label("Type the name of the campaign").fill("another")
        visiting.page.get_by_role("button", name="End it for good").click()
        assert "That is not its name" in visiting.page.get_by_role("alert").inner_text()
        visiting.complaints.clear()
        visiting.page.get_by_role("link", name="Keep it").click()
        assert visiting.page.url.endswith(campaign)


def focused(page: Page) -> str:
    """What has the focus: its role by element, and its words."""
    return str(page.evaluate(FOCUSED))


def tab_to(page: Page, what: str) -> list[str]:
    """Press Tab until that has the focus; what had it on the way."""
    way: list[str] = []
    for _ in range(80):
        page.keyboard.press("Tab")
        way.append(focused(page))
        if way[-1] == what:
            return way
    raise AssertionError(f"no way to {what!r} by the keyboard: {way}")


def test_everything_is_reached_and_worked_by_the_keyboard(browser: Browser, looked_at: Console, campaign: str) -> None:
    with visit(browser, looked_at) as visiting:
        page = visiting.page
        visiting.go(campaign)
        page.keyboard.press("Tab")
        assert focused(page) == "A Skip to the content"
        page.keyboard.press("Enter")
        way = tab_to(page, "BUTTON Pause")
        assert not any("Campaigns" in one for one in way), "the head was skipped"
        outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Resume")).to_be_visible()

        everything = page.evaluate(COUNT_ALL)
        visiting.go(campaign)
        seen = set()
        for _ in range(everything + 5):
            page.keyboard.press("Tab")
            seen.add(page.evaluate("() => { const all = [...document.querySelectorAll('*')];"
                                   " return all.indexOf(document.activeElement) }"))  # fmt: skip
        assert len(seen) >= everything

        visiting.go(campaign)
        tab_to(page, "SUMMARY More")
        page.keyboard.press("Enter")
        tab_to(page, "A End it for good")
        page.keyboard.press("Enter")
        expect(page.get_by_label("Type the name of the campaign")).to_be_visible()
        tab_to(page, "INPUT typed")
        page.keyboard.type(page.locator("h1").inner_text().removeprefix("End ").removesuffix(" for good?"))
        tab_to(page, "BUTTON End it for good")
        page.keyboard.press("Enter")
        expect(page.locator("#head")).to_contain_text("cancelled")


def test_the_focus_stays_while_numbers_move(browser: Browser, looked_at: Console, campaign: str) -> None:
    with visit(browser, looked_at) as visiting:
        visiting.go(campaign)
        tab_to(visiting.page, "SUMMARY More")
        visiting.page.keyboard.press("Enter")
        tab_to(visiting.page, "A Everybody")
        grows(visiting)
        assert focused(visiting.page) == "A Everybody"
        visiting.page.locator("#bar a").first.focus()
        kept = visiting.page.evaluate("() => document.activeElement.getAttribute('href')")
        grows(visiting)
        assert visiting.page.evaluate("() => document.activeElement.getAttribute('href')") == kept


def test_who_signs_out_elsewhere_is_asked_to_sign_in(browser: Browser, looked_at: Console, campaign: str) -> None:
    token = looked_at.home.command("token", "add", "for a while", "--role", "viewer").out.strip()
    with visit(browser, looked_at) as visiting:
        visiting.page.context.clear_cookies()
        visiting.go("/login")
        visiting.page.get_by_label("Token").fill(token)
        visiting.page.get_by_role("button", name="Sign in").click()
        visiting.go(campaign)
        assert visiting.page.get_by_role("button", name="Pause").count() == 0, "a viewer only looks"
        looked_at.home.command("token", "revoke", "for a while")
        visiting.page.evaluate("hush(), listen()")
        expect(visiting.page.get_by_role("heading", name="Sign in")).to_be_visible()
        visiting.complaints.clear()
