"""Strangers at the door: other sites' pages, other names, guesses, old sessions, odd addresses."""

from pathlib import Path
from typing import Any

import pytest

from dialer.domain.access import Role, make_token
from dialer.web.access import COOKIE, SECURE_COOKIE, WRONG_TOKENS
from dialer.web.guard import HEADERS, LONGEST_PATH
from tests.web.door_steps import BY, HOST, House, code_of, open_house

WRONG = make_token(bytes(32))
ODD_PATHS = (
    "//", "//evil.example/", "/static/../app.py", "/static/%2e%2e/app.py",
    "/static/..%2fapp.py", "/static/..%5capp.py", "/static//etc/passwd", "/static/console.js%00.html", "/%00",
    "/campaigns/1%00", "/api/v1/campaigns/%00", "/api/v1/campaigns/october%0d%0aX:y", "/%2e%2e%2f%2e%2e%2fetc/passwd",
    "/login/", "/static", "/enter/", "/enter/%2e%2e", "/;/", "/%ff%fe", "/\\evil.example",
)  # fmt: skip


async def test_only_our_own_names_are_answered(house: House) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "localhost.", "", "[::2]",
                 "127.0.0.1:80:80", "127.0.0.1:x", "0.0.0.0"):  # fmt: skip
        answer = await house.visitor(host=host).get("/livez")
        assert code_of(answer) == (421, "unknown-host"), host
        assert answer.headers["content-security-policy"] == HEADERS["content-security-policy"]
    for host in ("localhost", "127.0.0.1:9", "[::1]:8080", "LOCALHOST:80"):
        assert (await house.visitor(host=host).get("/livez")).status_code == 200, host


async def test_the_names_of_the_settings_are_answered(tmp_path: Path, sqlite_ledger_url: str) -> None:
    async with open_house(tmp_path, sqlite_ledger_url, web_hosts="Dialer.example, other.example") as house:
        for host, status in (("dialer.example", 200), ("other.example:443", 200), ("third.example", 421), ("", 421)):
            assert (await house.visitor(host=host).get("/livez")).status_code == status


FOREIGN: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site", "Origin": HOST},
    {"Sec-Fetch-Site": "same-site", "Origin": HOST},
    {"Sec-Fetch-Site": ""},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:8081"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": ""},
    {},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_another_sites_page_moves_nothing(house: House, headers: dict[str, str]) -> None:
    browser = await house.browser()
    del browser.headers["origin"]
    for address in ("/campaigns/1/start", "/campaigns/1/cancel", "/logout"):
        answer = await browser.post(address, headers=headers, data={"typed": "october"})
        assert answer.status_code == 403, address
    api = await browser.post("/api/v1/campaigns/october/start", headers=headers, json={})
    assert code_of(api) == (403, "not-allowed")
    assert [one.status for one in await house.console.ledger.campaigns()] == ["draft"]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_another_sites_form_signs_nobody_in(house: House, headers: dict[str, str]) -> None:
    answer = await house.visitor().post("/login", headers=headers, data={"token": await house.token()})

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": HOST}])
async def test_our_own_page_moves(house: House, headers: dict[str, str]) -> None:
    browser = await house.browser()
    del browser.headers["origin"]

    assert (await browser.post("/campaigns/1/start", headers=headers)).status_code == 303
    assert [one.status for one in await house.console.ledger.campaigns()] != ["draft"]


async def test_a_program_needs_no_origin(house: House) -> None:
    program = await house.program(Role.OPERATOR)

    assert (await program.post("/api/v1/campaigns/october/start")).status_code == 200


async def test_a_session_that_signed_out_is_not_replayed(house: House) -> None:
    browser = await house.browser()
    cookie = browser.cookies[COOKIE]
    assert (await browser.post("/logout")).headers["location"] == "/login"
    assert COOKIE not in browser.cookies

    stolen = house.visitor(cookie=f"{COOKIE}={cookie}", origin=HOST)
    assert (await stolen.get("/")).headers["location"] == "/login"
    assert (await stolen.get("/api/v1/campaigns")).status_code == 401


async def test_signing_in_again_ends_the_session_before(house: House) -> None:
    browser = await house.browser()
    cookie = browser.cookies[COOKIE]
    await browser.post("/login", data={"token": await house.token(name="another")})

    assert browser.cookies[COOKIE] != cookie
    assert (await house.visitor(cookie=f"{COOKIE}={cookie}").get("/")).status_code == 303
    assert (await browser.get("/")).status_code == 200


async def test_a_stolen_session_ends_with_its_token(house: House) -> None:
    browser = await house.browser(Role.VIEWER)
    assert (await browser.get("/")).status_code == 200
    admin = await house.program()
    for one in (await admin.get("/api/v1/tokens")).json()["data"]:
        if one["role"] == "viewer":
            await admin.delete(f"/api/v1/tokens/{one['token_id']}")

    assert (await browser.get("/")).status_code == 303


async def test_a_session_is_no_token_and_a_token_no_session(house: House) -> None:
    browser = await house.browser()
    secret, token = browser.cookies[COOKIE], await house.token(name="another")

    assert (await house.visitor(authorization=f"Bearer {secret}").get("/api/v1/campaigns")).status_code == 401
    assert (await house.visitor(cookie=f"{COOKIE}={token}").get("/api/v1/campaigns")).status_code == 401
    assert (await house.visitor(authorization=f"Basic {token}").get("/api/v1/campaigns")).status_code == 401


async def test_guesses_are_refused_by_address_and_a_session_works_on(house: House) -> None:
    browser, right = await house.browser(), await house.token(name="right")
    wrong = house.visitor(authorization=f"Bearer {WRONG}")
    for _ in range(WRONG_TOKENS):
        assert (await wrong.get("/api/v1/campaigns")).status_code == 401

    blocked = await wrong.get("/api/v1/campaigns")
    assert code_of(blocked) == (429, "too-many")
    assert 1 <= int(blocked.headers["retry-after"]) <= 61
    assert (await house.visitor(authorization=f"Bearer {right}").get("/api/v1/campaigns")).status_code == 429
    assert (await house.visitor(origin=HOST).post("/login", data={"token": right})).status_code == 429
    assert (await house.visitor().get(f"/enter/{right}")).status_code == 429
    assert (await browser.get("/")).status_code == 200
    elsewhere = house.visitor(address="203.0.113.10", authorization=f"Bearer {right}")
    assert (await elsewhere.get("/api/v1/campaigns")).status_code == 200


async def test_guesses_over_the_form_and_the_link_count_as_well(house: House) -> None:
    visitor = house.visitor(origin=HOST)
    for n in range(WRONG_TOKENS):
        answer = await (visitor.get(f"/enter/{n}") if n % 2 else visitor.post("/login", data={"token": WRONG}))
        assert answer.status_code == 403
        assert "not valid" in answer.text
    assert (await visitor.post("/login", data={"token": WRONG})).status_code == 429


async def test_guesses_from_one_network_of_ipv6_count_together(house: House) -> None:
    for n in range(WRONG_TOKENS):
        one = house.visitor(address=f"2001:db8:1:2::{n}", authorization=f"Bearer {WRONG}")
        assert (await one.get("/api/v1/campaigns")).status_code == 401
    last = house.visitor(address="2001:db8:1:2:ffff::1", authorization=f"Bearer {WRONG}")
    assert (await last.get("/api/v1/campaigns")).status_code == 429
    other = house.visitor(address="2001:db8:1:3::1", authorization=f"Bearer {WRONG}")
    assert (await other.get("/api/v1/campaigns")).status_code == 401


async def test_ten_thousand_wrong_tokens_are_one_line(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    guessers = [house.visitor(address=f"203.0.{n % 7}.{n}") for n in range(100)]
    for n in range(10_000):
        wrong = {"Authorization": f"Bearer dlr_{n}"}
        assert (await guessers[n % 100].get("/api/v1/campaigns", headers=wrong)).status_code in (401, 429)
    out, err = capsys.readouterr()

    assert (out + err).count("console.wrong_token") == 1
    assert len((out + err).splitlines()) == 1
    assert (await house.visitor(address="203.0.9.9").get("/livez")).status_code == 200


@pytest.mark.parametrize("path", ODD_PATHS)
async def test_odd_paths_lead_nowhere(house: House, path: str) -> None:
    browser = await house.browser()
    answer = await browser.get(HOST + path)

    assert answer.status_code in (400, 403, 404, 405, 422), f"{path}: {answer.status_code}"
    assert "location" not in answer.headers
    assert "root:" not in answer.text
    assert "import" not in answer.text


async def test_a_very_long_address_is_refused(house: House) -> None:
    for path in ("/" + "a" * LONGEST_PATH, "/static/" + "a/" * LONGEST_PATH, "/login?back=" + "a" * 20_000):
        assert code_of(await house.visitor().get(path)) == (414, "address-too-long")


BACKS = (
    "//evil.example", "https://evil.example", "/\\evil.example", "/\tevil", "evil", "\\\\x", "javascript:alert(1)",
    "/%0d%0aSet-Cookie:a=b",
)  # fmt: skip


@pytest.mark.parametrize("back", BACKS)
async def test_signing_in_leads_nowhere_else(house: House, back: str) -> None:
    visitor = house.visitor(origin=HOST)
    answer = await visitor.post("/login", data={"token": await house.token(), "back": back})

    assert answer.status_code == 303
    assert answer.headers["location"] in ("/", "/%0d%0aSet-Cookie:a=b")


async def test_signing_in_leads_back_to_where_one_was(house: House) -> None:
    asked = await house.visitor().get("/campaigns/1?after=5")
    assert asked.headers["location"] == "/login?back=/campaigns/1%3Fafter%3D5"
    form = await house.visitor().get(asked.headers["location"])
    assert 'value="/campaigns/1?after=5"' in form.text


async def test_a_link_opens_one_session(house: House) -> None:
    link = await house.console.access.link(BY)
    assert (await house.visitor(authorization=f"Bearer {link}").get("/api/v1/campaigns")).status_code == 401
    visitor = house.visitor()
    assert (await visitor.get(f"/enter/{link}")).headers["location"] == "/"
    assert (await visitor.get("/")).status_code == 200

    assert (await house.visitor().get(f"/enter/{link}")).status_code == 403
    assert (await house.visitor(origin=HOST).post("/login", data={"token": link})).status_code == 403


async def test_forwarded_headers_of_strangers_mean_nothing(house: House) -> None:
    token = await house.token(name="boss")
    liar = house.visitor(x_forwarded_user="boss", x_forwarded_proto="https", x_forwarded_for="198.51.100.7")
    assert (await liar.get("/api/v1/campaigns")).status_code == 401
    answer = await liar.post("/login", data={"token": token}, headers={"Origin": HOST})
    assert answer.headers["set-cookie"].startswith(f"{COOKIE}=")
    assert "Secure" not in answer.headers["set-cookie"]
    acts = await house.console.ledger.people.last_acts("", 1)
    assert acts[0].who.endswith("at 203.0.113.9")


async def test_the_proxy_of_the_settings_is_believed(tmp_path: Path, sqlite_ledger_url: str) -> None:
    async with open_house(tmp_path, sqlite_ledger_url, web_proxy="203.0.113.9") as house:
        token = await house.token(name="boss")
        https = {"X-Forwarded-Proto": "https", "Origin": HOST, "X-Forwarded-For": "192.0.2.1, 198.51.100.7"}
        answer = await house.visitor().post("/login", data={"token": token}, headers=https)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"{SECURE_COOKIE}=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
        assert "Domain" not in cookie
        acts = await house.console.ledger.people.last_acts("", 1)
        assert acts[0].who == "boss at 198.51.100.7", "the last one is the proxy's own word"

        named = {"X-Forwarded-User": "boss"}
        assert (await house.visitor().get("/api/v1/tokens", headers=named)).status_code == 200
        assert (await house.visitor().get("/api/v1/tokens", headers={"X-Forwarded-User": "who"})).status_code == 401
        assert (await house.visitor(address="198.51.100.7").get("/", headers=named)).status_code == 303
        foreign = named | {"Sec-Fetch-Site": "cross-site"}
        assert (await house.visitor().post("/campaigns/1/start", headers=foreign)).status_code == 403


async def test_a_cookie_of_http_is_none_on_https(tmp_path: Path, sqlite_ledger_url: str) -> None:
    async with open_house(tmp_path, sqlite_ledger_url, web_proxy="203.0.113.9") as house:
        browser = await house.browser()
        assert (await browser.get("/")).status_code == 200
        assert (await browser.get("/", headers={"X-Forwarded-Proto": "https"})).status_code == 303


async def test_every_kind_of_answer_carries_the_policy(house: House) -> None:
    browser = await house.browser()
    for answer in (
        await browser.get("/"), await browser.get("/nowhere"), await browser.get("/static/console.js"),
        await browser.get("/campaigns/99"), await browser.post("/campaigns/1/cancel"), await browser.get("/livez"),
        await house.visitor().get("/"), await house.visitor().get("/api/v1/campaigns"),
        await browser.post("/login", content=b"x" * 100_000), await browser.get("/" + "a" * 3_000),
    ):  # fmt: skip
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, answer.url


async def test_no_answer_names_a_number(house: House) -> None:
    program = await house.program()
    for answer in (
        await program.get("/api/v1/campaigns/+14155550123"), await program.get("/campaigns/%2B14155550123"),
        await program.get("/api/v1/events?campaign=%2B14155550123"), await program.get("/%2B14155550123"),
        await program.post("/api/v1/campaigns/october/start", json={"+14155550123": 1}),
        await program.post("/api/v1/tokens", json={"name": "x", "role": "+14155550123"}),
    ):  # fmt: skip
        assert answer.status_code >= 400
        assert "4155550123" not in answer.text


@pytest.mark.parametrize("length", ["-1", "1e3", "²", "0x10", ""])
async def test_an_odd_length_is_no_fault(house: House, length: str) -> None:
    program = await house.program()
    headers = {b"Content-Length": length.encode("latin-1")}

    assert (await program.get("/api/v1/campaigns", headers=headers)).status_code == 200


async def test_who_is_nobody_is_refused_before_a_list_is_taken(house: House) -> None:
    taken = 0

    async def people() -> Any:
        nonlocal taken
        for _ in range(1_000):
            taken += 1
            yield b"x" * 65_536

    for address in ("/api/v1/campaigns/october/contacts", "/api/v1/imports", "/new/list", "/suppressions/import"):
        answer = await house.visitor().post(address, content=people())
        assert answer.status_code in (401, 303), address
        viewer = await house.program(Role.VIEWER)
        assert (await viewer.post(address, content=people())).status_code == 403, address


async def test_a_body_is_taken_up_to_its_bound(house: House) -> None:
    program = await house.program()
    kind = {"Content-Type": "application/json"}
    address = "/api/v1/campaigns/october/pause"
    fits = await program.post(address, content=b'{"reason": "x"}' + b" " * 65_000, headers=kind)
    assert fits.status_code in (200, 409)

    async def pieces() -> Any:
        yield b'{"reason": "x"}'
        for _ in range(100):
            yield b" " * 1_000

    for content in (b" " * 65_537, pieces()):
        large = await program.post(address, content=content, headers=kind)
        assert code_of(large) == (413, "too-large")
        assert large.headers["connection"] == "close"
