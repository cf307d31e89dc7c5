"""A new campaign in four steps, as a browser without a script goes through them."""

import html
import re
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from dialer.domain.campaign import CampaignStatus
from tests.web.served import ROOT, Served, serving, text_of

EXAMPLE = (ROOT / "examples" / "contacts.csv").read_bytes()
MORE = b"name,Mobile,Cell\nAsha,x,+14155550190\nRavi,y,+14155550191\n"
TWO_PHONES = b"name,Mobile,Cell\nAsha,+919000000001,+919000000002\nRavi,12,+919000000003\n"


@pytest_asyncio.fixture
async def served(tmp_path: Path, sqlite_ledger_url: str) -> AsyncIterator[Served]:
    """Twice behind one ledger."""
    async with serving(tmp_path, database_url=sqlite_ledger_url, servers=2) as opened:
        yield opened


@pytest_asyncio.fixture
async def browser(served: Served) -> httpx.AsyncClient:
    """An operator's browser."""
    return await served.browser("operator")


def fields(page: httpx.Response) -> dict[str, str]:
    """What a browser would send of the form with keys, as it stands."""
    form = page.text.partition('class="keys">')[2].partition("</form>")[0]
    values = {}
    for name, value in re.findall(r'<input id="[^"]*" name="([^"]*)" value="([^"]*)"', form):
        values[name] = html.unescape(value)
    for name, inner in re.findall(r'<select id="[^"]*" name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', inner) or re.search(r'<option value="([^"]*)"', inner)
        values[name] = chosen[1] if chosen else ""
    return values


async def sent(browser: httpx.AsyncClient, content: bytes, name: str = "contacts.csv", **more: Any) -> httpx.Response:
    """The page that follows an upload."""
    answer = await browser.post("/new/list", files={"list": (name, content, "text/csv"), **more})
    assert answer.status_code == 200, text_of(answer)
    return answer


async def test_from_a_list_to_a_campaign_that_runs(served: Served, browser: httpx.AsyncClient) -> None:
    assert "Nobody is called before the last step" in text_of(await browser.get("/new"))
    columns = await sent(browser, EXAMPLE)
    assert columns.url.path.endswith("/columns")
    assert "336 rows: 312 to be called, 12 duplicate, 0 not to be called, 12 invalid" in text_of(columns)
    at = columns.url.path.removesuffix("/columns")

    rules = await browser.post(columns.url.path, data=fields(columns) | {"do": "next"})
    assert rules.url.path == f"{at}/rules"
    start = await browser.post(rules.url.path, data=fields(rules) | {"do": "next"})
    assert start.url.path == f"{at}/start"
    shown = text_of(start)
    assert "Start the rehearsal with 312 people: it calls nobody" in shown
    assert "Forecast: not forecast yet." in shown
    assert await served.ledger.campaigns() == []

    campaign = await browser.post(start.url.path)

    assert campaign.url.path == "/campaigns/1"
    opened = (await served.ledger.campaigns())[0]
    assert (opened.spec.name, opened.status) == ("contacts", CampaignStatus.RUNNING)
    assert (await served.ledger.report(1)).imported.queued == 312
    rejected = await browser.get("/campaigns/1/rejects")
    assert rejected.text.count("another row of the list has this number") == 12
    assert (await browser.get(f"{at}/rules")).url.path == "/campaigns/1", "it is past its steps"


async def test_what_was_entered_stays_and_counts_follow(served: Served, browser: httpx.AsyncClient) -> None:
    columns = await sent(browser, TWO_PHONES)
    assert "more than one column could be the phone" in text_of(columns)
    assert "Choose it below" in text_of(columns)
    assert "--" not in text_of(columns)
    chosen = fields(columns) | {"contacts.phone": "Mobile", "do": "look"}

    mobile = await browser.post(columns.url.path, data=chosen)
    assert "2 rows: 1 to be called" in text_of(mobile)
    cell = await browser.post(columns.url.path, data=chosen | {"contacts.phone": "Cell"})
    assert "2 rows: 2 to be called" in text_of(cell)

    other = await served.browser("operator", 1)
    again = await other.get(columns.url.path)
    assert fields(again)["contacts.phone"] == "Cell"
    rules = await other.get(columns.url.path.replace("columns", "rules"))
    wrong = await other.post(
        rules.url.path, data=fields(rules) | {"pace.calls_per_second": "fast", "budget.max_cost": "7"}
    )
    assert wrong.status_code == 422
    assert "calls_per_second must be a number" in text_of(wrong)
    assert (fields(wrong)["pace.calls_per_second"], fields(wrong)["budget.max_cost"]) == ("fast", "7")
    right = await other.post(rules.url.path, data=fields(wrong) | {"pace.calls_per_second": "0.5", "do": "look"})
    assert "0.5 calls a second" in text_of(right)
    assert fields(await browser.get(rules.url.path))["budget.max_cost"] == "7"


async def test_another_list_takes_over_what_was_entered(browser: httpx.AsyncClient) -> None:
    columns = await sent(browser, TWO_PHONES)
    await browser.post(columns.url.path, data=fields(columns) | {"contacts.phone": "Cell"})
    listed = await browser.get(columns.url.path.replace("columns", "list"))
    action = re.search(r'action="(/new/list[^"]*)"', listed.text)
    assert action is not None

    next_one = await browser.post(action[1], files={"list": ("other.csv", TWO_PHONES, "text/csv")})

    assert next_one.url.path != columns.url.path
    assert fields(next_one)["contacts.phone"] == "Cell"


async def test_the_page_and_the_campaign_file_are_the_same_thing(browser: httpx.AsyncClient) -> None:
    file = b'name = "may"\nprovider = "vaanivoice"\nagent = "8cf3373e-0000-4000-8000-000000000001"\n' + (
        b'[contacts]\nphone = "Cell"\n[window]\nhours = "10:00-12:00, 14:00-18:00"\nblackout = [2027-12-24]\n'
        b'[limits]\npreset = "reg_f"\nper_day = 2\n[redial]\ncallback = ""\n'
    )
    columns = await sent(browser, TWO_PHONES, file=("may.toml", file, "application/toml"))
    at = columns.url.path.removesuffix("/columns")
    rules = await browser.get(f"{at}/rules")
    assert fields(rules)["window.hours"] == "10:00-12:00, 14:00-18:00"

    await browser.post(columns.url.path, data=fields(columns))
    await browser.post(rules.url.path, data=fields(rules))

    written = (await browser.get(f"{at}/file")).text
    said = tomllib.loads(written)
    given = tomllib.loads(file.decode()) | {"window": said["window"]}
    assert said | {"provider": "vaanivoice"} == given, "what is the default is not said"
    assert said["window"] == {"hours": "10:00-12:00, 14:00-18:00", "blackout": ["2027-12-24"]}
    assert "# calls in any 24 hours" in written
    back = await browser.post(f"{at}/file", files={"file": ("x.toml", written.encode(), "application/toml")})
    assert back.status_code == 200
    assert (await browser.get(f"{at}/file")).text == written
    start = await browser.get(f"{at}/start")
    assert "Start calling 2 people by vaanivoice" in text_of(start)
    assert "The key of vaanivoice is not set" in text_of(start)


async def test_what_a_rehearsal_begins_with_is_not_meant_for_people(browser: httpx.AsyncClient) -> None:
    columns = await sent(browser, EXAMPLE)
    at = columns.url.path.removesuffix("/columns")
    rules = await browser.get(f"{at}/rules")
    assert fields(rules)["window.days"] == "always"

    real = await browser.post(rules.url.path, data=fields(rules) | {"provider": "vaanivoice", "do": "next"})

    assert "an agent" in text_of(real)
    assert "Start calling" not in text_of(real)
    after = fields(await browser.get(rules.url.path))
    assert (after["window.days"], after["window.rules"], after["agent"]) == ("mon-sat", "strict", "")
    assert (after["pace.calls_per_second"], after["redial.max_attempts"]) == ("1", "3")


async def test_a_name_that_is_taken_is_said(served: Served, browser: httpx.AsyncClient) -> None:
    columns = await sent(browser, EXAMPLE)
    await browser.post(columns.url.path.replace("columns", "start"))
    again = await sent(browser, EXAMPLE)
    start = await browser.get(again.url.path.replace("columns", "start"))
    assert "There is a campaign of this name already" in text_of(start)
    assert "312 duplicate" in text_of(start) or "324 duplicate" in text_of(start)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("contacts.csv", b"", "empty"),
        ("contacts.png", b"x", "no kind of list"),
    ],
)
async def test_what_is_no_list_is_refused(
    served: Served, browser: httpx.AsyncClient, name: str, content: bytes, said: str
) -> None:
    refused = await browser.post("/new/list", files={"list": (name, content, "image/png")})
    assert refused.status_code in (415, 422)
    assert said in text_of(refused)


async def test_names_are_shown_as_text(browser: httpx.AsyncClient) -> None:
    columns = await sent(browser, b"phone,<b>x</b>\n+919000000001,<script>alert(1)</script>\n", "<i>a</i>.csv")
    assert "<script>alert" not in columns.text
    assert "<b>x" not in columns.text
    assert "&lt;script&gt;alert(1)" in columns.text


async def test_a_query_is_a_list_too(served: Served) -> None:
    administrator = await served.browser("admin")
    query = {
        "name": "from a query",
        "source.url": "sqlite:///" + str(ROOT / "examples" / "appointments.db"),
        "source.query": "SELECT * FROM appointments",
    }
    columns = await administrator.post("/new/source", data=query)
    assert columns.url.path.endswith("/columns"), text_of(columns)
    assert re.search(r"[1-9]\d* rows", text_of(columns)), text_of(columns)
    operator = await served.browser("operator")
    assert (await operator.post("/new/source", data=query)).status_code == 403


async def test_viewers_may_not(served: Served) -> None:
    viewer = await served.browser("viewer")
    for path in ("/new", "/new/1/columns", "/new/1/file"):
        assert (await viewer.get(path)).status_code == 403
    assert (await viewer.post("/new/list", files={"list": ("a.csv", EXAMPLE, "text/csv")})).status_code == 403


async def test_one_person_by_hand(served: Served, browser: httpx.AsyncClient) -> None:
    await sent(browser, EXAMPLE)
    await browser.post("/new/1/start")
    assert "Add one person" in text_of(await browser.get("/campaigns/1/add"))

    added = await browser.post("/campaigns/1/add", data={"phone": "+14155550199", "variables": "city = Pune"})
    assert "Added" in text_of(added)
    again = await browser.post("/campaigns/1/add", data={"phone": "+14155550199"})
    assert "has this number already" in text_of(again)
    wrong = await browser.post("/campaigns/1/add", data={"phone": "12", "name": "Asha"})
    assert wrong.status_code == 422
    assert 'value="Asha"' in wrong.text
    assert (await browser.get("/campaigns/1/file")).text.startswith('name = "contacts"')


async def test_a_list_for_a_campaign_that_is_there(served: Served, browser: httpx.AsyncClient) -> None:
    await sent(browser, EXAMPLE)
    await browser.post("/new/1/rules", data={"pace.weight": "7"})
    await browser.post("/new/1/start")
    assert "Its people are added to contacts" in text_of(await browser.get("/new?campaign=1"))

    columns = await browser.post("/new/list?campaign=1", files={"list": ("more.csv", MORE, "text/csv")})
    await browser.post(columns.url.path, data={"contacts.phone": "Cell", "do": "next"})
    await browser.post("/new/2/start")

    [campaign] = await served.ledger.campaigns()
    assert campaign.spec.pace.weight == 7
    assert (await served.ledger.report(1)).imported.queued == 314


async def test_a_list_in_another_character_set(browser: httpx.AsyncClient) -> None:
    content = "name,phone\nZoë,+919000000001\n".encode("cp1252")
    assert "upload it again with the character set cp1252" in text_of(await sent(browser, content))
    answer = await browser.post(
        "/new/list?instead=1", files={"list": ("a.csv", content, "text/csv")}, data={"encoding": "cp1252"}
    )
    assert "1 rows: 1 to be called" in text_of(answer)
    assert "Zoë" in text_of(answer)
