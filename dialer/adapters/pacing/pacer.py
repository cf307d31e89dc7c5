"""The Pacer port over Redis."""

import asyncio
import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from typing import Any, TypeVar

from redis.asyncio import Redis

from dialer.adapters.pacing.account import AccountPacer
from dialer.adapters.pacing.script import DOWN, REDIS_TIME, PacerScript, read_look
from dialer.adapters.pacing.timing import Timing
from dialer.adapters.queue.cancelling import cancelled
from dialer.domain.pacing import interval_us, window
from dialer.ports import Grant, Limits, OldLines, PaceState

Item = TypeVar("Item")
LISTEN_S = 1.0
RECONNECT_S = 0.1
BATCH = 500
"""Lines in one command: Redis serves nobody else meanwhile."""


class RedisPacer:
    """Slots and lines of every account, shared through Redis by all processes that use the same prefix.

    ``client`` is used for the scripts and lends its pool a connection for the messages; it is not closed here.
    ``monotonic`` gives seconds and must be the clock the event loop sleeps by; ``redis_time`` is what the script
    takes for Redis's own.
    """

    def __init__(
        self,
        client: "Redis",
        prefix: str,
        monotonic: Callable[[], float],
        timing: Timing | None = None,
        redis_time: str = REDIS_TIME,
    ) -> None:
        self._client, self._prefix, self._clock, self._redis_time = client, prefix, monotonic, redis_time
        self._timing = timing or Timing()
        self._accounts: dict[str, AccountPacer] = {}
        self._ears: _Ears | None = None
        self._asked: dict[str, tuple[Any, ...]] = {}
        """Account -> limits, those of its campaigns, as the script takes them, and their fingerprint."""

    @property
    def commands(self) -> int:
        """Commands sent to Redis so far, without the messages."""
        return sum(account.script.calls for account in self._accounts.values())

    async def configure(self, account: str, limits: Limits, campaigns: Mapping[int, Limits]) -> int | None:
        """Set the limits in force; free of effect when they are in force already. Raises QueueUnavailable.

        Answers the lines in use; None when they are not known, and nothing is granted before ``restored``.
        """
        asked = limits, dict(campaigns)
        if self._asked.get(account, ())[:2] != asked:
            args = self._limits(limits, campaigns)
            self._asked[account] = *asked, args, sha256(repr(args).encode()).hexdigest()
        *_, args, fingerprint = self._asked[account]
        keeper, sent = self._account(account), self._clock()
        raw = await keeper.script("configured", fingerprint)
        if raw:
            look = read_look(raw)
            keeper.see(look, sent)
        else:
            await keeper.script("configure", fingerprint, *args)
            look = await keeper.look()
        return look.lines if look.ready else None

    def _limits(self, limits: Limits, campaigns: Mapping[int, Limits]) -> list[int]:
        guard = self._timing.guard_us
        args = [interval_us(limits.calls_per_second, guard), limits.concurrent_calls, int(limits.paused)]
        for campaign_id, own in sorted(campaigns.items()):
            calls, span = window(own.calls_per_second, guard)
            spacing = interval_us(own.calls_per_second, guard)
            args += campaign_id, spacing, calls, span, own.concurrent_calls, int(own.paused)
        return args

    async def acquire(self, account: str, campaign_id: int, attempt_id: int, patience_s: float) -> Grant | None:
        """A grant, ``lead_s`` before its slot; None when none was to be had in ``patience_s``.

        Patience may be overrun by the time to a slot already given (0.5 s at most) or to an answer (1 s).
        """
        return await self._account(account).acquire(campaign_id, attempt_id, patience_s, again=False)

    async def again(self, account: str, campaign_id: int, attempt_id: int, patience_s: float) -> Grant | None:
        """Another slot, before all who wait in this process; the line is kept even when the answer is None."""
        return await self._account(account).acquire(campaign_id, attempt_id, patience_s, again=True)

    async def release(self, account: str, attempt_ids: Sequence[int]) -> None:
        """Free lines; repeated in the background while Redis is away."""
        outbox = self._account(account).outbox
        outbox.put(attempt_ids)
        await outbox.sent()

    async def brake(self, account: str, seconds: float) -> None:
        """Stop every worker of the account. While Redis is away, this process stops; others hear of it later."""
        await self._account(account).brake(seconds)

    async def hold(self, account: str, lines: Mapping[int, tuple[int, float]]) -> None:
        """These lines are in use; those not named stay as they are. Raises QueueUnavailable."""
        for part in batched(lines.items()):
            args: list[int] = []
            for attempt_id, (campaign_id, ends) in part:
                args += attempt_id, campaign_id, math.ceil(ends * 1e6)
            await self._account(account).script("hold", *args)

    async def old_lines(self, account: str, cursor: int) -> OldLines:
        """Some lines that were granted longer than 5 s ago, from ``cursor`` on. Raises QueueUnavailable."""
        script, young, ids = self._account(account).script, round(self._timing.young_s * 1e6), set[int]()
        granted_before = math.inf
        while True:
            raw = await script("old", cursor, BATCH, young)
            cursor, before = int(raw[0]), int(raw[1])
            granted_before = min(granted_before, before)
            ids.update(int(attempt_id) for attempt_id in raw[2:])
            if not cursor or len(ids) >= BATCH:
                return OldLines(cursor, tuple(ids), granted_before / 1e6)

    async def drop(self, account: str, attempt_ids: Sequence[int], granted_before: float) -> None:
        """Free lines, except those granted again since ``granted_before``. Raises QueueUnavailable."""
        for part in batched(attempt_ids):
            await self._account(account).script("drop", math.floor(granted_before * 1e6), *part)

    async def restored(self, account: str) -> None:
        """All lines are held that there are; grants may be given. Raises QueueUnavailable."""
        await self._account(account).script("restored")

    async def state(self, account: str) -> PaceState:
        """What is in force now. Raises QueueUnavailable."""
        look = read_look(await self._account(account).script("look"))
        guarded = 1e6 + self._timing.guard_us
        configured = guarded / look.configured_us if look.configured_us else 0.0
        learned = guarded / look.learned_us if look.learned_us else 0.0
        braked = look.braked_until_us / 1e6 if look.braked_until_us > look.now_us else None
        return PaceState(look.lines, round(configured, 3), round(learned, 3), braked)

    async def aclose(self) -> None:
        """Stop every background task. The Redis client stays open."""
        if self._ears is not None:
            await self._ears.aclose()
        for account in self._accounts.values():
            await account.aclose()

    def _account(self, name: str) -> AccountPacer:
        account = self._accounts.get(name)
        if account is None:
            key = f"{self._prefix}:{{{name}}}"
            script = PacerScript(self._client, key, self._timing.timeout_s, self._redis_time)
            account = self._accounts[name] = AccountPacer(script, self._clock, self._timing)
            if self._ears is None:
                self._ears = _Ears(self._client)
            self._ears.listen(f"{key}:ev", account)
        return account


class _Ears:
    """The one connection on which messages arrive. When it breaks, nothing given before holds."""

    def __init__(self, client: "Redis") -> None:
        self._client = client
        self._accounts: dict[str, AccountPacer] = {}
        self._news = False
        self._task: asyncio.Task[None] | None = None

    def listen(self, channel: str, account: AccountPacer) -> None:
        """Hear this account's messages too."""
        self._accounts[channel] = account
        self._news = True
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(*DOWN):
                await self._listen()
            for account in self._accounts.values():
                account.lost()
            await asyncio.sleep(RECONNECT_S)

    async def _listen(self) -> None:
        async with self._client.pubsub() as pubsub:
            self._news = True
            while True:
                if self._news:
                    self._news = False
                    await pubsub.subscribe(*self._accounts)
                message = await pubsub.get_message(timeout=LISTEN_S)
                if message is not None:
                    self._pass_on(message)

    def _pass_on(self, message: Mapping[str, Any]) -> None:
        account = self._accounts.get(_text(message["channel"]))
        if account is None:
            return
        if message["type"] == "subscribe":
            account.hear(["K"])  # whatever was said before is unknown
        elif message["type"] == "message":
            account.hear(_text(message["data"]).split())

    async def aclose(self) -> None:
        if self._task is not None:
            await cancelled([self._task])


def batched(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items in lists of at most BATCH."""
    rest = iter(items)
    while part := list(islice(rest, BATCH)):
        yield part


def _text(raw: bytes | str) -> str:
    return raw.decode() if isinstance(raw, bytes) else raw
