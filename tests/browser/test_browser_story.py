"""A manager's day in a browser, from the file to the export: what the page says is what the books say.

With the script and without it. The numbers are those of ``dialer report --json`` and of the provider's own books.
"""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.dialer_process import AGENT, ROOT, stays, until
from tests.browser.browser_steps import Console, Visit, console, visit

LIST = ROOT / "examples" / "contacts.csv"
PEOPLE = 312
SETTINGS = {
    "agent": AGENT["vaanivoice"], "window.days": "always", "window.rules": "off",
    "window.rules_reason": "a test calls nobody", "pace.calls_per_second": "25", "pace.concurrent_calls": "60",
    "redial.max_attempts": "1",
}  # fmt: skip
"""What is entered in the third step."""
expect.set_options(timeout=60_000)


def number_in(text: str, words: str) -> int:
    """The number before these words; 0 where they are not."""
    read = re.search(rf"([\d,]+) {words}", text)
    return int(read[1].replace(",", "")) if read else 0


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).first.click()


def entered(visiting: Visit, name: str) -> str:
    """The four steps; the campaign's address."""
    page = visiting.page
    visiting.go("/new")
    page.get_by_label("List", exact=True).set_input_files(LIST)
    press(page, "Upload")
    page.wait_for_url("**/columns")
    assert number_in(page.inner_text("main"), "to be called") == PEOPLE
    page.get_by_label("phone", exact=True).select_option("city")
    press(page, "Look again")
    expect(page.locator("main")).to_contain_text("0 to be called")
    page.get_by_label("phone", exact=True).select_option("Mobile Number")
    press(page, "Look again")
    expect(page.locator("main")).to_contain_text(f"{PEOPLE} to be called")
    press(page, "Go on")
    page.wait_for_url("**/rules")
    for key, value in ({"name": name, "provider": "vaanivoice"} | SETTINGS).items():
        field = page.locator(f'[name="{key}"]')
        if field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    press(page, "Go on")
    page.wait_for_url("**/start")
    assert "not forecast yet" in page.inner_text("main")
    press(page, f"Start calling {PEOPLE} people by vaanivoice")
    page.wait_for_url("**/campaigns/*")
    return page.url.removeprefix(visiting.address)


def over(looked_at: Console, visiting: Visit, campaign: str, name: str, calls: int) -> None:
    """Wait until it is finished after so many calls; the page says so by itself, or when it is opened again."""

    def finished() -> bool:
        report = looked_at.home.report(name)
        return bool(report["status"] == "finished" and report["attempts"]["ended"] == calls)

    until(finished, f"{name} is finished after {calls} calls")
    if f"{visiting.address}{campaign}" != visiting.page.url or not visiting.script:
        visiting.go(campaign)
    expect(visiting.page.locator("#head .badge").first).to_have_text("finished")


def same_as_books(looked_at: Console, name: str, page: Page) -> None:
    """Each number of the page is the report's; what was placed is in the provider's books."""
    report = looked_at.home.report(name)
    said = page.inner_text("#bar")
    assert number_in(said, "reached") == report["contacts"]["reached"]
    assert number_in(said, "not reached, given up") == report["contacts"]["exhausted"]
    assert number_in(said, "in all") == report["contacts"]["total"]
    rows = page.locator("#outcomes tbody tr").all()
    shown = {row.locator("th").inner_text(): int(row.locator("td").first.inner_text()) for row in rows}
    named = {word.replace("_", " "): count for word, count in report["dispositions"].items() if count}
    assert shown == named
    numbers = {row["phone"] for row in looked_at.home.export(name)}
    books = looked_at.provider.books()
    calls = [call for call in books.calls if call["to"] in numbers]
    assert len(calls) == report["attempts"]["ended"] == sum(shown.values())


def recording_plays(visiting: Visit, *, script: bool) -> None:
    """From its middle on: a browser can only seek where the server answers ranges."""
    audio = visiting.page.locator("audio").first
    source = str(audio.evaluate("one => one.src"))
    cookies = {one["name"]: one["value"] for one in visiting.page.context.cookies()}
    part = httpx.get(source, cookies=cookies, headers={"Range": "bytes=10-19"}, timeout=60)
    assert (part.status_code, len(part.content)) == (206, 10)
    if script:
        at = audio.evaluate(
            "one => new Promise(done => { one.muted = true; one.onseeked = () => done(one.currentTime / one.duration);"
            " one.onloadedmetadata = () => { one.currentTime = one.duration / 2 }; one.preload = 'auto'; one.load() })"
        )
        assert at == pytest.approx(0.5, abs=0.2)


@pytest.mark.parametrize("script", [True, False], ids=["with the script", "without it"])
def test_from_the_file_to_the_export(browser: Browser, tmp_path: Path, script: bool) -> None:
    name = "october renewals"
    with console(tmp_path) as looked_at, visit(browser, looked_at, script=script) as visiting:
        page = visiting.page
        campaign = entered(visiting, name)
        until(lambda: looked_at.home.report(name)["attempts"]["ended"] > 0, "somebody was called")
        visiting.go(campaign)
        press(page, "Pause")
        expect(page.locator("#head")).to_contain_text("No request leaves since")
        placed = looked_at.provider.placed()
        assert stays(lambda: looked_at.provider.placed() == placed, for_s=1.5)
        press(page, "Resume")
        over(looked_at, visiting, campaign, name, PEOPLE)
        same_as_books(looked_at, name, page)

        unanswered = int(page.locator("#outcomes tr", has_text="no answer").locator("td").first.inner_text())
        page.locator("#outcomes tr", has_text="no answer").get_by_role("link").click()
        assert page.locator("tbody tr").count() == unanswered > 0
        page.get_by_role("link", name="Call again", exact=True).click()
        assert "no answer" in page.inner_text("main")
        page.get_by_label("Why").fill("the second try")
        press(page, "Call")
        over(looked_at, visiting, campaign, name, PEOPLE + unanswered)
        same_as_books(looked_at, name, page)

        page.locator("#bar").get_by_role("link", name=re.compile("[0-9] reached")).click()
        person = page.locator("tbody th a").first
        called = person.inner_text()
        person.click()
        assert page.inner_text("h1") in called
        assert "accepted by the provider" in page.inner_text("main")
        recording_plays(visiting, script=script)
        page.get_by_text("Never call again").first.click()
        page.get_by_label("Why").last.fill("asked us to stop")
        page.get_by_role("button", name="Never call again").click()
        listed = looked_at.home.command("suppress", "list", "--json").json()
        assert [one["reason"] for one in listed].count("asked us to stop") == 1

        visiting.go(f"{campaign}/export")
        with page.expect_download() as downloading:
            page.locator("main").get_by_role("button").first.click()
        downloading.value.save_as(tmp_path / "outcomes.csv")
        text = (tmp_path / "outcomes.csv").read_text("utf-8-sig")
        assert text == looked_at.home.command("export", name).out
