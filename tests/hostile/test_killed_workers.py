"""Two workers, killed every other second for forty seconds, with three flushes of Redis, and 1,500 people."""

import signal
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest
from redis import Redis

from tests.acceptance.dialer_process import (
    QUICK,
    Home,
    Provider,
    clock,
    dialing,
    finals,
    provider_process,
    settings_for,
    until,
    write_list,
)
from tests.redis_server import RedisServer, running_redis

PEOPLE, WORKERS = 1500, 2
KILL_EVERY_S, FOR_S = 2.0, 40.0
FLUSH_AT_S = (10.0, 20.0, 30.0)
FINAL_WITHIN_S = 160.0
RATE, LINES = 30, 150
SETTINGS = {
    "DIALER_PROVIDER_TIMEOUT_S": "3",
    "DIALER_UNKNOWN_HORIZON_S": "15",
    "DIALER_MAX_CALL_S": "6",
}


def storm(home: Home, redis: RedisServer) -> tuple[int, int]:
    """Kill and flush for so long; how many of each."""
    chance, began = Random(3), clock.monotonic()
    workers = [home.start("worker") for _ in range(WORKERS)]
    flushes = list(FLUSH_AT_S)
    kills = 0
    next_kill = KILL_EVERY_S
    client = Redis.from_url(redis.url)

    def is_over() -> bool:
        nonlocal kills, next_kill
        at = clock.monotonic() - began
        if flushes and at >= flushes[0]:
            client.flushall()
            flushes.pop(0)
        if at >= next_kill:
            # Now and then both at once; whoever is gone is replaced in the same moment.
            for n in range(WORKERS) if chance.random() < 0.2 else (chance.randrange(WORKERS),):
                workers[n].signal(signal.SIGKILL)
                workers[n].process.wait()
                workers[n] = home.start("worker")
                kills += 1
            next_kill += KILL_EVERY_S
        return at >= FOR_S

    until(is_over, "the storm is over", FOR_S + 30)
    client.close()
    return kills, len(FLUSH_AT_S) - len(flushes)


def compared(home: Home, provider: Provider) -> tuple[Counter[str], int]:
    """What went wrong, by kind, and how many calls the provider placed."""
    calls = provider.books().by_number()
    rows = {row["phone"]: row for row in home.export()}
    wrong: Counter[str] = Counter()
    wrong["twice"] = sum(1 for one in calls.values() if len(one) > 1)
    wrong["on no list"] = len(set(calls) - set(rows))
    wrong["lost"] = PEOPLE - finals(home.report()) + PEOPLE - len(rows)
    for phone, (call, *_) in calls.items():
        told = rows[phone]["disposition"]
        wrong["not known as called"] += told in ("", "unconfirmed")
        wrong["outcome differs"] += told not in ("", "unconfirmed", call["outcome"])
    return +wrong, len(calls)


@pytest.mark.timeout(400)
def test_workers_killed_every_other_second(tmp_path: Path) -> None:
    with ExitStack() as stack:
        redis = stack.enter_context(running_redis())
        provider = stack.enter_context(provider_process([*QUICK, "--answer-s=0.05,0.4"]))
        home = Home(tmp_path, settings_for(provider, DIALER_REDIS_URL=redis.url, **SETTINGS))
        stack.callback(home.end)
        home.command("enqueue", str(write_list(tmp_path / "list.csv", PEOPLE)), *dialing(rate=RATE, lines=LINES))
        kills, flushes = storm(home, redis)
        over = clock.monotonic()
        home.until_status("finished", FINAL_WITHIN_S)
        took_s = clock.monotonic() - over
        wrong, called = compared(home, provider)
        told = (
            f"{kills} kills, {flushes} flushes, {called} called, all final {took_s:.0f} s after; wrong: {dict(wrong)}"
        )
        print(told)
        assert not wrong, told
        assert kills >= FOR_S / KILL_EVERY_S - 2 and flushes == len(FLUSH_AT_S) and called > PEOPLE * 0.9, told
