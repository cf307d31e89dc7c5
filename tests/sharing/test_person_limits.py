"""Nobody is called more often than the limits allow, whatever happens to the workers; the provider's books judge."""

import csv
import os
import signal
from collections import Counter

import pytest

from tests.acceptance.conftest import OpenHome, OpenProvider
from tests.acceptance.dialer_process import Home, Provider, campaign_file, dialing, number, stays, until
from tests.redis_server import RedisServer

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]

PEOPLE = int(os.environ.get("DIALER_TEST_PEOPLE", "40"))
MOST = 7
SECOND_PHONES = 10_000
"""Every other person has another number in the second campaign."""
REG_F = '[limits]\npreset = "reg_f"\n[contacts]\nkey = "id"'


def second_phone(of: int) -> str:
    return number(of + SECOND_PHONES * (of % 2))


def enqueue(home: Home, name: str, phones: list[str]) -> None:
    path = home.path / f"{name}.csv"
    with path.open("w", newline="") as file:
        rows = [[f"p{of}", phone] for of, phone in enumerate(phones)]
        csv.writer(file).writerows([["id", "phone"], *rows])
    home.command("enqueue", str(path), *campaign_file(home, REG_F, name), *dialing(most=MOST + 3))


def made(home: Home) -> tuple[int, int]:
    """Attempts of both campaigns that count, and those whose fate is still open."""
    states = Counter[str]()
    for name in ("one", "two"):
        states.update({state: n for state, n in home.glance(name)["attempts"].items() if state != "total"})
    unsure = states["dialing"] + states["placed"] + states["unknown"]
    return states["ended"] + states["unconfirmed"] + unsure, unsure


def calls_of_people(provider: Provider) -> Counter[int]:
    people = {phone: of for of in range(PEOPLE) for phone in (number(of), second_phone(of))}
    return Counter(people[call["to"]] for call in provider.books().calls)


def test_two_campaigns_share_the_limits_of_their_people_and_a_killed_worker_changes_nothing(
    open_provider: OpenProvider, open_home: OpenHome, own_redis: RedisServer
) -> None:
    provider = open_provider("--outcomes=no_answer=1", "--answer-s=0.05,0.2")
    home = open_home(
        provider,
        DIALER_REDIS_URL=own_redis.url,
        DIALER_REDIAL_SCALE="0.00005",
        DIALER_PROVIDER_TIMEOUT_S="2",
        DIALER_UNKNOWN_HORIZON_S="8",
        DIALER_MAX_CALL_S="6",
    )
    enqueue(home, "one", [number(of) for of in range(PEOPLE)])
    enqueue(home, "two", [second_phone(of) for of in range(PEOPLE)])
    first = home.start("worker")
    until(lambda: provider.placed() >= 2 * PEOPLE, "two calls for each")
    first.signal(signal.SIGKILL)
    first.ended()
    home.start("worker")
    until(lambda: made(home) == (MOST * PEOPLE, 0), "every person has had every call", every_s=1.0)
    assert stays(lambda: provider.placed() <= MOST * PEOPLE, 2.0)
    calls = calls_of_people(provider)
    assert max(calls.values()) <= MOST
    assert sum(calls.values()) >= MOST * PEOPLE - 20, "hardly a call was counted that never left"
    waiting = home.report("one")["waiting"]
    assert sum(n for why, n in waiting.items() if why == "7 calls in 7 days already") >= PEOPLE // 2
