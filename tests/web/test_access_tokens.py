"""Tokens and sessions, as the ledger keeps them: in memory, on SQLite and on PostgreSQL."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from dialer.adapters.ledger import SqlLedger
from dialer.domain.access import Role, Visitor, is_token, kept, make_token
from dialer.errors import UnknownName, UsageError
from dialer.pipeline.keep_access import IDLE_S, LINK_S, SESSION_S, KeepAccess
from tests.fakes.clock import ManualClock
from tests.ledger_steps import FullLedger
from tests.web.door_steps import BY

DAY_S = 86_400.0
ADDRESS = "203.0.113.9"


def room(ledger: FullLedger, clock: ManualClock, web_token: str = "") -> KeepAccess:
    assert isinstance(ledger, SqlLedger)
    return KeepAccess(ledger.keys, clock, os.urandom, web_token)


async def signed_in(access: KeepAccess, token: str) -> str:
    opened = await access.sign_in(token, ADDRESS)
    assert opened is not None
    return opened[1]


async def test_a_token_is_known_until_it_ends(ledger: FullLedger, clock: ManualClock) -> None:
    access = room(ledger, clock)
    _, forever = await access.add("for ever", "viewer", "", BY)
    token_id, token = await access.add("for a day", "operator", "1d", BY)

    clock.skip(DAY_S - 1)
    assert await access.holder(token) == Visitor("for a day", Role.OPERATOR, token_id)
    clock.skip(1)
    assert await access.holder(token) is None
    assert await access.sign_in(token, ADDRESS) is None
    assert await access.holder(forever) is not None


async def test_only_the_hash_of_a_token_is_kept(ledger: FullLedger, clock: ManualClock) -> None:
    access = room(ledger, clock)
    _, token = await access.add("a program", "viewer", "", BY)
    (listed,) = await access.tokens()

    assert token.startswith(listed.shown)
    assert len(listed.shown) < len(token) / 4
    assert await access.holder(kept(token)) is None, "what is kept opens nothing"


async def test_a_revoked_token_ends_its_sessions_and_no_others(ledger: FullLedger, clock: ManualClock) -> None:
    access = room(ledger, clock)
    _, token = await access.add("lost", "operator", "", BY)
    _, other = await access.add("kept", "operator", "", BY)
    first, second, theirs = (
        await signed_in(access, token),
        await signed_in(access, token),
        await signed_in(access, other),
    )

    await access.revoke("lost", BY)

    assert [await access.visitor(secret) for secret in (first, second)] == [None, None]
    assert await access.visitor(theirs) is not None
    assert await access.holder(token) is None
    with pytest.raises(UnknownName):
        await access.revoke("lost", BY)


async def test_a_session_ends_with_its_token(ledger: FullLedger, clock: ManualClock) -> None:
    access = room(ledger, clock)
    _, token = await access.add("short", "viewer", "1h", BY)
    secret = await signed_in(access, token)

    clock.skip(3_599)
    assert await access.visitor(secret) is not None
    clock.skip(1)
    assert await access.visitor(secret) is None


async def test_a_session_ends_when_it_was_idle(ledger: FullLedger, clock: ManualClock) -> None:
    access = room(ledger, clock)
    _, token = await access.add("a browser", "viewer", "", BY)
    used, idle = await signed_in(access, token), await signed_in(access, token)

    clock.skip(IDLE_S - 120)
    assert await access.visitor(used) is not None
    clock.skip(120)
    assert await access.visitor(idle) is None
    assert await access.visitor(used) is not None


async def test_a_session_in_use_ends_after_twelve_hours(ledger: FullLedger, clock: ManualClock) -> None:
    access = room(ledger, clock)
    _, token = await access.add("a browser", "viewer", "", BY)
    secret = await signed_in(access, token)

    for _ in range(int(SESSION_S // 3_600) - 1):
        clock.skip(3_600)
        assert await access.visitor(secret) is not None
    clock.skip(3_600)
    assert await access.visitor(secret) is None


async def test_a_session_that_was_ended_opens_nothing(ledger: FullLedger, clock: ManualClock) -> None:
    access = room(ledger, clock, web_token="a token of the settings")
    secret = await signed_in(access, "a token of the settings")
    assert await access.visitor(secret) == Visitor("DIALER_WEB_TOKEN", Role.ADMIN)

    await access.sign_out(secret)
    await access.sign_out(secret)

    assert await access.visitor(secret) is None


async def test_a_link_opens_one_session_within_its_time(ledger: FullLedger, clock: ManualClock) -> None:
    access = room(ledger, clock)
    link, late = await access.link(BY), await access.link(BY)
    secret = await signed_in(access, link)

    assert await access.sign_in(link, ADDRESS) is None
    clock.skip(LINK_S)
    assert await access.sign_in(late, ADDRESS) is None
    assert await access.visitor(secret) is not None, "the session outlives the link"


async def test_a_link_is_no_token_of_a_program(ledger: FullLedger, clock: ManualClock) -> None:
    access = room(ledger, clock)
    link = await access.link(BY)

    assert await access.holder(link) is None
    assert await access.tokens() == []
    assert await access.anybody() is False
    with pytest.raises(UnknownName):
        await access.revoke("link", BY)
    assert await access.sign_in(link, ADDRESS) is not None


async def test_a_token_that_is_called_link_is_as_any_other(ledger: FullLedger, clock: ManualClock) -> None:
    access = room(ledger, clock)
    _, token = await access.add("link", "viewer", "", BY)

    assert await access.sign_in(token, ADDRESS) is not None
    assert await access.sign_in(token, ADDRESS) is not None


async def test_links_that_nobody_can_use_are_forgotten(clock: ManualClock) -> None:
    from tests.memory_ledger import MemoryStore, Tables

    tables = Tables(clock)
    access = KeepAccess(SqlLedger(MemoryStore(tables), clock, "memory").keys, clock, os.urandom)
    secret = await signed_in(access, await access.link(BY))
    await access.link(BY)
    clock.skip(IDLE_S - 1)
    await access.link(BY)
    assert await access.visitor(secret) is not None

    clock.skip(4 * DAY_S)
    await access.link(BY)
    assert tables.rows("SELECT COUNT(*) FROM tokens") == [(1,)]


async def test_anybody_means_somebody_whose_token_is_valid(ledger: FullLedger, clock: ManualClock) -> None:
    access = room(ledger, clock)
    await access.add("for an hour", "admin", "1h", BY)
    assert await access.anybody() is True

    clock.skip(3_600)
    assert await access.anybody() is False
    assert await room(ledger, clock, web_token="of the settings").anybody() is True


async def test_an_id_is_meant_before_a_name(ledger: FullLedger, clock: ManualClock) -> None:
    access = room(ledger, clock)
    first, _ = await access.add("first", "viewer", "", BY)
    await access.add(str(first), "viewer", "", BY)

    assert (await access.revoke(str(first), BY)).name == "first"
    assert (await access.revoke(str(first), BY)).name == str(first)


async def test_two_tokens_of_one_name_are_told_apart_by_id(ledger: FullLedger, clock: ManualClock) -> None:
    access = room(ledger, clock)
    await access.add("twin", "viewer", "", BY)
    second, _ = await access.add("twin", "admin", "", BY)

    with pytest.raises(UsageError, match="2 tokens"):
        await access.revoke("twin", BY)
    assert (await access.revoke(str(second), BY)).role is Role.ADMIN


@pytest.mark.parametrize("name", ["", " ", "-x", "x" * 61, "a\nb", "a\0b", "<b>", "a/b", "\ud800"])
async def test_a_name_that_could_mislead_is_refused(ledger: FullLedger, clock: ManualClock, name: str) -> None:
    with pytest.raises(UsageError):
        await room(ledger, clock).add(name, "viewer", "", BY)


@pytest.mark.parametrize("expires", ["0d", "1", "d", "-1d", "1.5h", "100000d", "1w", "١d"])
async def test_a_time_that_is_none_is_refused(ledger: FullLedger, clock: ManualClock, expires: str) -> None:
    with pytest.raises(UsageError):
        await room(ledger, clock).add("a program", "viewer", expires, BY)


@pytest.mark.parametrize("wrong", ["", "dlr_", "x" * 200, "\ud800", "\0", "dlr_" + "A" * 43 + "00000000"])
async def test_what_is_no_token_opens_nothing(ledger: FullLedger, clock: ManualClock, wrong: str) -> None:
    access = room(ledger, clock, web_token="a token of the settings")

    assert await access.holder(wrong) is None
    assert await access.sign_in(wrong, ADDRESS) is None


def test_a_mistyped_token_is_known_by_its_checksum() -> None:
    token = make_token(bytes(range(32)))
    assert is_token(token)
    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        assert not is_token(token[:place] + other + token[place + 1 :])


async def test_every_change_of_who_may_leaves_an_act(ledger: FullLedger, clock: ManualClock) -> None:
    access = room(ledger, clock)
    _, token = await access.add("a program", "operator", "", BY)
    await signed_in(access, token)
    await access.revoke("a program", BY)
    assert isinstance(ledger, SqlLedger)

    acts = [(one.act, one.subject) for one in await ledger.people.last_acts("", 10)]
    assert acts == [("revoke", "a program"), ("sign in", "a program"), ("token", "a program")]
    said = " ".join(str(one) for one in await ledger.people.last_acts("", 10))
    assert token not in said
    assert kept(token) not in said


OPEN_BY_LINK = """
import asyncio, os, sys
from dialer.adapters.ledger import SqlLedger
from dialer.adapters.local.system_clock import SystemClock
from dialer.pipeline.keep_access import KeepAccess

async def use():
    ledger = await SqlLedger.open(sys.argv[1], SystemClock())
    access = KeepAccess(ledger.keys, SystemClock(), os.urandom)
    print("ready", flush=True)
    sys.stdin.readline()
    print("in" if await access.sign_in(sys.argv[2], "203.0.113.9") else "out", flush=True)
    await ledger.aclose()

asyncio.run(use())
"""


async def test_of_two_processes_one_uses_a_link(ledger_url: str) -> None:
    from dialer.adapters.local.system_clock import SystemClock

    ledger = await SqlLedger.open(ledger_url, SystemClock())
    link = await KeepAccess(ledger.keys, SystemClock(), os.urandom).link(BY)
    pipe = asyncio.subprocess.PIPE
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", OPEN_BY_LINK, ledger_url, link, stdin=pipe, stdout=pipe, cwd=Path(__file__).parents[2]
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    said = [out for out, _ in await asyncio.gather(*(process.communicate(b"\n") for process in processes))]

    assert sorted(said) == [b"in\n", b"out\n"]
    await ledger.aclose()
