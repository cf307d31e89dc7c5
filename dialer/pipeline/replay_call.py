"""What was said in a call: its transcript and its recording, fetched from the provider when somebody asks."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dialer.domain.act import By
from dialer.domain.campaign import REHEARSAL, SIMULATOR
from dialer.errors import NotFound, UnknownName
from dialer.pipeline.note_looks import NoteLooks
from dialer.ports import AttemptRow, CallArchive, LedgerView

OpenArchive = Callable[[str], AbstractAsyncContextManager[CallArchive]]
"""Given an account. Raises UsageError when it cannot be asked."""

Fetch = Callable[[Path], Awaitable[tuple[str, int]]]
"""Saves a recording as a file; answers its content type and its bytes."""


class Recordings(Protocol):
    """Where recordings are kept for a while."""

    async def get(self, call_id: str, fetch: Fetch) -> tuple[Path, str]:
        """The file and its content type, fetched unless it is there."""
        ...


@dataclass(frozen=True)
class ReplayCall:
    """The listener's room. Who listens is kept in the audit."""

    view: LedgerView
    open_archive: OpenArchive
    recordings: Recordings
    looks: NoteLooks

    async def transcript(self, attempt_id: int, by: By) -> str | None:
        """What was said; None while it is being made. Raises UnknownName, UsageError, ProviderError."""
        attempt, call_id = await self._call(attempt_id)
        async with self.open_archive(attempt.account) as archive:
            said = await archive.transcript(call_id)
        await self.looks.note(by, "transcript", handle_of(attempt), f"attempt {attempt_id}")
        return said

    async def recording(self, attempt_id: int, by: By) -> tuple[Path, str]:
        """A file with the recording, and its content type. Raises UnknownName, UsageError, ProviderError."""
        attempt, call_id = await self._call(attempt_id)

        async def fetch(path: Path) -> tuple[str, int]:
            async with self.open_archive(attempt.account) as archive:
                return await archive.save_recording(call_id, path)

        kept = await self.recordings.get(f"{attempt.account} {call_id}", fetch)
        await self.looks.note(by, "recording", handle_of(attempt), f"attempt {attempt_id}")
        return kept

    async def _call(self, attempt_id: int) -> tuple[AttemptRow, str]:
        story = await self.view.story(attempt_id=attempt_id)
        if not story:
            raise UnknownName(f"there is no attempt {attempt_id}")
        attempt = story[0][0]
        if not attempt.call_id:
            raise NotFound(f"attempt {attempt_id} has no call at the provider")
        return attempt, attempt.call_id


def handle_of(attempt: AttemptRow) -> str:
    """The handle of an attempt's campaign."""
    return (REHEARSAL if attempt.account == SIMULATOR else "") + attempt.campaign
