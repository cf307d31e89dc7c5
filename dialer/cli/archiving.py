"""dialer export --transcripts --recordings DIR: what was said in a campaign's calls, as files.

Asked for no faster than the campaign calls. What is there already is not asked for again, so the same command goes
on where one was interrupted.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from config import Settings
from dialer.adapters.ledger import SqlLedger
from dialer.adapters.local.system_clock import SystemClock
from dialer.cli.opening import with_ledger
from dialer.cli.printing import say
from dialer.domain.campaign import SIMULATOR
from dialer.domain.disposition import Disposition
from dialer.errors import AccountBlocked, NotFound, ProviderError, UsageError
from dialer.ports import CallArchive, Campaign, Clock
from dialer.provider_access import account_limits, require_key
from dialer.reaching import reach

TALKED = frozenset({Disposition.ANSWERED, Disposition.VOICEMAIL})
AT_ONCE = 4
SUFFIXES = {"audio/mpeg": ".mp3", "audio/wav": ".wav", "audio/x-wav": ".wav"}
"""Everything else is ``.ogg``, which both providers document."""


def fetch_files(name: str, *, transcripts: bool, folder: Path | None) -> int:
    """Fetch them; answers the exit code. Raises UnknownName, UsageError, ProviderError."""

    async def use(settings: Settings, ledger: SqlLedger) -> int:
        campaign = await ledger.campaign(name)
        provider = campaign.spec.provider
        if provider == SIMULATOR:
            raise UsageError("the simulator of a rehearsal ends with it, and what was said in it too")
        require_key(settings, provider)
        target = folder or settings.home / "transcripts" / file_name(name)
        async with reach(settings, provider) as reached:
            pace = Pace(_per_second(settings, campaign), SystemClock())
            files = Files(reached.archive, target, pace, transcripts=transcripts, recordings=folder is not None)
            await files.fetch(_talked(ledger, campaign))
        say(files.summary())
        return 1 if files.failed else 0

    return with_ledger(use)


@dataclass(slots=True)
class Pace:
    """Turns at an even rate; 0 is no limit."""

    per_second: float
    clock: Clock
    _next: float = 0.0

    async def turn(self) -> None:
        """Wait for the next turn."""
        now = self.clock.monotonic()
        mine = max(self._next, now)
        self._next = mine + (1 / self.per_second if self.per_second > 0 else 0.0)
        if mine > now:
            await self.clock.sleep(mine - now)


@dataclass(slots=True)
class Files:
    """The files of a campaign, in one folder, named for the provider's ids of the calls."""

    archive: CallArchive
    folder: Path
    pace: Pace
    transcripts: bool
    recordings: bool
    fetched: int = 0
    there: int = 0
    missing: int = 0
    pending: int = 0
    failed: int = 0
    problem: str = ""
    _blocked: list[AccountBlocked] = field(default_factory=list)

    async def fetch(self, calls: AsyncIterator[str]) -> None:
        """Everything that is not there yet. Raises AccountBlocked when nothing more can be fetched."""
        await asyncio.to_thread(self.folder.mkdir, 0o700, True, True)
        room = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            async for call_id in calls:
                await room.acquire()
                if self._blocked:
                    break
                group.create_task(self._call(call_id)).add_done_callback(lambda _: room.release())
        if self._blocked:
            raise self._blocked[0]

    def summary(self) -> str:
        """The counts and the folder, for people."""
        parts = [f"{self.fetched:,} fetched", f"{self.there:,} were there", f"{self.missing:,} the provider has not"]
        if self.pending:
            parts.append(f"{self.pending:,} are still being made")
        if self.failed:
            parts.append(f"{self.failed:,} failed ({self.problem}): the same command tries again")
        return f"{', '.join(parts)}: {self.folder}"

    async def _call(self, call_id: str) -> None:
        stem = file_name(call_id)
        if self.transcripts:
            await self._one([f"{stem}.txt"], lambda: self._transcript(call_id, stem))
        if self.recordings:
            suffixes = (".ogg", *SUFFIXES.values())
            await self._one([stem + suffix for suffix in suffixes], lambda: self._recording(call_id, stem))

    async def _one(self, names: list[str], get: Callable[[], Awaitable[bool]]) -> None:
        if await asyncio.to_thread(lambda: any((self.folder / name).exists() for name in names)):
            self.there += 1
            return
        await self.pace.turn()
        try:
            if await get():
                self.fetched += 1
            else:
                self.pending += 1
        except NotFound:
            self.missing += 1
        except AccountBlocked as blocked:
            self._blocked.append(blocked)
        except ProviderError as error:
            self.failed += 1
            self.problem = str(error)

    async def _transcript(self, call_id: str, stem: str) -> bool:
        text = await self.archive.transcript(call_id)
        if text is None:
            return False
        part, target = self.folder / f"{stem}.txt.part", self.folder / f"{stem}.txt"
        await asyncio.to_thread(part.write_text, text, "utf-8")
        await asyncio.to_thread(part.replace, target)
        return True

    async def _recording(self, call_id: str, stem: str) -> bool:
        path = self.folder / f"{stem}.ogg"
        kind, _ = await self.archive.save_recording(call_id, path)
        if kind in SUFFIXES:
            await asyncio.to_thread(path.replace, path.with_name(stem + SUFFIXES[kind]))
        return True


def file_name(text: str) -> str:
    """A name that is safe as a file's; a few letters at the end keep changed names apart."""
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", text).lstrip(".")[:100]
    return plain if plain and plain == text else f"{plain}-{sha256(text.encode()).hexdigest()[:8]}"


async def _talked(ledger: SqlLedger, campaign: Campaign) -> AsyncIterator[str]:
    """The calls in which somebody, or a machine, was talked to."""
    async for row in ledger.attempt_rows(campaign.campaign_id):
        if row.call_id and row.disposition in TALKED:
            yield row.call_id


def _per_second(settings: Settings, campaign: Campaign) -> float:
    limits = (campaign.spec.pace.calls_per_second, account_limits(settings)[campaign.spec.provider].calls_per_second)
    return min((limit for limit in limits if limit > 0), default=0.0)
