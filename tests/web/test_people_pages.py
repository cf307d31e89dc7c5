"""People of a campaign and one person on the page: who is shown, and what is done to whom."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from dialer.domain.contact import ContactStatus, NewContact
from dialer.domain.disposition import Disposition as D
from dialer.domain.redial import Redial
from dialer.domain.suppression import hash_of
from dialer.pipeline import act_on_people
from dialer.ports import Campaign
from tests.ledger_steps import REACHED, contact, phone, running
from tests.simulator_support import line
from tests.web.people_desk import Desk, links, open_desk, said


@pytest_asyncio.fixture
async def desk(tmp_path: Path, sqlite_ledger_url: str) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, sqlite_ledger_url) as opened:
        yield opened


async def statuses(desk: Desk, campaign: Campaign) -> list[str]:
    return [str((await contact(desk.ledger, campaign, phone(n))).status) for n in range(1, 5)]


def here(campaign: Campaign) -> str:
    return f"/campaigns/{campaign.campaign_id}/people"


async def test_everybody_and_those_of_a_filter_with_masked_numbers(desk: Desk) -> None:
    campaign = await desk.people()
    page = await (await desk.browser("viewer")).get(here(campaign))
    assert all(f"Person {n} (" in said(page) for n in range(1, 5))
    assert "4 people: everybody." in said(page)
    assert "+1********01" in said(page)
    assert phone(1) not in page.text
    assert links(page, f"{here(campaign)}/") == []
    browser = await desk.browser()
    page = await browser.get(f"{here(campaign)}?status=&outcome=no_answer&waits=later&attempts=")
    assert ("Person 3 (" in said(page), "Person 2 (" in said(page)) == (True, False)
    assert "whose last call came to no answer, planned for later" in said(page)
    assert len(links(page, f"{here(campaign)}/")) == 4
    assert "Nobody is so." in said(await browser.get(f"{here(campaign)}?attempts=9"))
    assert (await browser.get(f"{here(campaign)}?waits=x")).status_code == 422
    assert (await browser.get("/campaigns/99/people")).status_code == 404


async def test_more_than_a_page(desk: Desk) -> None:
    campaign = await running(desk.ledger, 130)
    browser = await desk.browser()
    first = await browser.get(f"{here(campaign)}?status=pending")
    assert len(links(first, "/people/")) == 100
    (following,) = [one for one in links(first, f"{here(campaign)}?") if "after=" in one]
    assert "status=pending" in following
    second = await browser.get(following)
    assert len(links(second, "/people/")) == 30
    assert not set(links(first, "/people/")) & set(links(second, "/people/"))


async def test_each_count_on_the_campaign_leads_to_so_many_people(desk: Desk) -> None:
    campaign = await desk.people()
    await running(desk.ledger, 2, first=5)
    await desk.call(campaign, D.NO_ANSWER, Redial(desk.ledger.clock.now()))
    browser = await desk.browser()
    page = await browser.get(f"/campaigns/{campaign.campaign_id}")
    counts = re.findall(rf'<a href="({here(campaign)}\?[^"]*)">([0-9]+) ', page.text)
    assert {address.partition("?")[2] for address, _ in counts} >= {
        "status=reached", "status=exhausted", "waits=ready", "waits=any", "waits=later",
    }  # fmt: skip
    for address, count in counts:
        assert len(links(await browser.get(unescape(address)), "/people/")) == int(count), address


async def test_of_many_it_is_said_that_there_are_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(act_on_people, "PAGE", 1)
    monkeypatch.setattr(act_on_people, "MOST_LOOKED", 2)
    campaign = await desk.people()
    browser = await desk.browser()
    page = said(await browser.get(f"{here(campaign)}/suppress"))
    assert "More than 2 people to be put on the do-not-call list" in page
    page = said(await browser.post(f"{here(campaign)}/suppress", data={"reason": "all of them"}))
    assert "4 put on the do-not-call list" in page


async def test_what_a_list_says_is_shown_and_does_nothing(desk: Desk) -> None:
    campaign = await running(desk.ledger, 1)
    odd = NewContact(phone(7), "<script>alert(1)</script>", 2, variables={"<b>": "<img src=x>", "other": phone(8)})
    await desk.ledger.add_contacts(campaign.campaign_id, [odd])
    browser = await desk.browser("viewer")
    page = await browser.get(here(campaign))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    page = await browser.get(links(page, "/people/")[1])
    assert ("<script>alert" in page.text, "<img" in page.text, phone(8) in page.text) == (False, False, False)


@pytest.mark.parametrize("action", ["redial", "stop", "suppress"])
async def test_nothing_is_done_without_a_reason(desk: Desk, action: str) -> None:
    campaign = await desk.people()
    browser = await desk.browser()
    before = await statuses(desk, campaign)
    assert (await browser.post(f"{here(campaign)}/{action}", data={"reason": "  "})).status_code == 422
    assert await statuses(desk, campaign) == before


async def test_the_question_names_the_filter_the_number_and_the_skipped(desk: Desk) -> None:
    campaign = await desk.people()
    browser = await desk.browser()
    page = await browser.get(f"{here(campaign)}/redial?outcome=no_answer")
    assert "whose last call came to no answer" in said(page)
    assert "1 person to be called again, now" in said(page)
    assert "to be called anyway 1" in said(page)
    assert (await statuses(desk, campaign)) == ["reached", "exhausted", "active", "pending"]
    page = await browser.get(f"{here(campaign)}/stop")
    assert "2 people to be called no more" in said(page)
    assert "not to be called anyway 2" in said(page)


async def test_those_of_a_filter_are_called_again(desk: Desk) -> None:
    campaign = await desk.people()
    browser = await desk.browser()
    page = await browser.post(f"{here(campaign)}/redial?outcome=no_answer", data={"reason": "second week"})
    assert page.url.path == here(campaign)
    assert "1 to be called again now, 1 skipped." in said(page)
    assert (await statuses(desk, campaign)) == ["reached", "active", "active", "pending"]
    (act,) = await desk.acts("redial", "spring")
    assert (act.why, act.who.partition(" at ")[0]) == ("second week", "operator browser")
    page = await browser.post(f"{here(campaign)}/redial?outcome=no_answer", data={"reason": "second week"})
    assert "0 to be called again now, 2 skipped." in said(page)


async def test_those_of_a_filter_are_called_no_more(desk: Desk) -> None:
    campaign = await desk.people()
    browser = await desk.browser()
    page = await browser.post(f"{here(campaign)}/stop?waits=later", data={"reason": "enough"})
    assert "1 to be called no more." in said(page)
    assert (await statuses(desk, campaign)) == ["reached", "exhausted", "cancelled", "pending"]
    assert [act.why for act in await desk.acts("stop calling", "spring")] == ["enough"]


async def test_those_of_a_filter_are_never_called_again(desk: Desk) -> None:
    campaign = await desk.people()
    browser = await desk.browser()
    page = await browser.post(f"{here(campaign)}/suppress?outcome=no_answer", data={"reason": "they asked"})
    assert "2 put on the do-not-call list, 0 were there already." in said(page)
    assert (await statuses(desk, campaign)) == ["reached", "exhausted", "suppressed", "pending"]
    assert await desk.ledger.people.barred_among([phone(n) for n in range(1, 5)]) == {phone(2), phone(3)}
    page = await browser.get(f"{here(campaign)}/suppress?outcome=no_answer")
    assert "There is nobody to do it to." in said(page)
    assert "on the list already 2" in said(page)


async def test_only_those_of_a_filter_are_exported(desk: Desk) -> None:
    campaign = await desk.people()
    browser = await desk.browser()
    answer = await browser.post(f"{here(campaign)}/export?status=reached", data={"format": "csv", "reason": "audit"})
    rows = answer.text.splitlines()
    assert (len(rows), rows[1].startswith(f"'{phone(1)},Person 1,k1,reached,answered,1,")) == (2, True)
    assert "attachment" in answer.headers["content-disposition"]
    assert [(act.subject, act.why) for act in await desk.acts("export", "spring")] == [("contacts: reached", "audit")]
    page = await browser.get(f"/campaigns/{campaign.campaign_id}/export")
    assert "4 people to go into the file" in said(page)


@pytest.mark.parametrize("path", ["redial", "stop", "suppress", "export"])
async def test_a_viewer_does_nothing(desk: Desk, path: str) -> None:
    campaign = await desk.people()
    browser = await desk.browser("viewer")
    before = await statuses(desk, campaign)
    assert (await browser.get(f"{here(campaign)}/{path}")).status_code == 403
    assert (await browser.post(f"{here(campaign)}/{path}", data={"reason": "x"})).status_code == 403
    assert await statuses(desk, campaign) == before


async def test_in_a_cancelled_campaign_nobody_is_called_again(desk: Desk) -> None:
    campaign = await desk.people()
    await desk.ledger.move_campaign(campaign.campaign_id, "cancel", "")
    browser = await desk.browser()
    assert (await browser.get(f"{here(campaign)}/redial")).status_code == 409
    assert (await browser.post(f"{here(campaign)}/redial", data={"reason": "x"})).status_code == 409


async def find(browser: httpx.AsyncClient, number: str, region: str = "") -> httpx.Response:
    return await browser.post("/people/search", data={"phone": number, "region": region})


async def test_a_person_is_looked_for_by_number_which_stands_in_no_address(desk: Desk) -> None:
    await desk.people()
    browser = await desk.browser()
    page = await find(browser, "(415) 555-0002", "us")
    assert "Person 2" in said(page)
    assert all("555" not in str(step.url) for step in [page, *page.history])
    assert "No list has this number." in said(await find(browser, phone(99)))
    assert (await find(browser, "nonsense")).status_code == 422
    assert (await find(await desk.browser("viewer"), phone(1))).status_code == 403


async def test_the_story_of_a_person(desk: Desk) -> None:
    await desk.people()
    browser = await desk.browser()
    page = await find(browser, phone(3))
    story = said(page)
    assert "Call 1 of spring : no answer" in story
    assert "queued -> dialing" in story
    assert "1 request: no answer after" in story
    assert "Call 2 of spring : planned" in story
    assert phone(3) not in page.text


async def test_a_number_is_revealed_to_an_operator_and_the_audit_keeps_it(desk: Desk) -> None:
    await desk.people()
    browser = await desk.browser()
    page = await find(browser, phone(1))
    path = page.url.path
    assert phone(1) not in page.text
    assert phone(1) in (await browser.post(f"{path}/reveal")).text
    (act,) = await desk.acts("reveal", "spring")
    assert act.subject == hash_of(phone(1))
    viewer = await desk.browser("viewer")
    assert (await viewer.post(f"{path}/reveal")).status_code == 403
    assert phone(1) not in (await viewer.get(path)).text


async def test_one_person_is_called_again_and_another_never(desk: Desk) -> None:
    campaign = await desk.people()
    browser = await desk.browser()
    path = (await find(browser, phone(2))).url.path
    page = await browser.post(f"{path}/redial", data={"reason": "she called back"})
    assert "To be called again now" in said(page)
    assert (await contact(desk.ledger, campaign, phone(2))).status is ContactStatus.ACTIVE
    page = await browser.post(f"{path}/redial", data={"reason": "again"})
    assert (page.status_code, "Not called again: to be called anyway." in said(page)) == (409, True)
    page = await browser.post(f"{path}/suppress", data={"reason": "asked"})
    assert "On the do-not-call list now." in said(page)
    assert (await contact(desk.ledger, campaign, phone(2))).status is ContactStatus.SUPPRESSED
    assert "was on the do-not-call list already" in said(await browser.post(f"{path}/suppress", data={"reason": "x"}))
    assert [act.why for act in await desk.acts("redial", "spring")] == ["she called back"]


async def test_what_was_said_is_fetched_when_somebody_asks(tmp_path: Path, sqlite_ledger_url: str) -> None:
    async with line(recording_bytes=5000, recording_cuts=1) as at:
        call_id = (await at.trigger(phone(1))).json()["output"]["call_id"]
        at.clock.advance(60)
        provider = {"vaanivoice_base_url": at.simulator.url, "vaanivoice_api_key": "k", "plain_http": True}
        async with open_desk(tmp_path, sqlite_ledger_url, **provider) as desk:
            call = await desk.call(await running(desk.ledger, 1), D.ANSWERED, REACHED, call_id)
            browser = await desk.browser()
            page = await find(browser, phone(1))
            assert at.simulator.url not in page.text
            assert f'src="/attempts/{call.attempt_id}/recording"' in page.text
            assert "AGENT:" in said(await browser.get(f"/attempts/{call.attempt_id}/transcript"))
            part = await browser.get(f"/attempts/{call.attempt_id}/recording", headers={"Range": "bytes=4990-"})
            assert (part.status_code, len(part.content)) == (206, 10)
            viewer = await desk.browser("viewer")
            assert "/recording" not in (await viewer.get(page.url.path)).text
            assert (await viewer.get(f"/attempts/{call.attempt_id}/recording")).status_code == 403
