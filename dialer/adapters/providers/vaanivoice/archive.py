"""CallArchive over the client of api.vaanivoice.ai. The vendor filters nothing, so every filter works here."""

from collections.abc import AsyncIterator
from pathlib import Path

from dialer.adapters.providers.answers.pages import Page
from dialer.adapters.providers.vaanivoice.adapter import read_row
from dialer.adapters.providers.vaanivoice.client import VaaniVoiceApi
from dialer.adapters.providers.vaanivoice.models import CallRecord
from dialer.domain.call import CallLog
from dialer.errors import NotFound

PAGES_SEARCHED = 50
"""So many pages of 200 calls are looked through for one: there is no endpoint for a single row."""


class VaaniVoiceArchive:
    """What api.vaanivoice.ai keeps of calls."""

    def __init__(self, api: VaaniVoiceApi) -> None:
        self._calls = api.calls

    async def calls(
        self, since: float | None = None, until: float | None = None, agent: str = ""
    ) -> AsyncIterator[CallLog]:
        """From the whole history, since no order of it is documented."""
        async for record in self._calls.history():
            log = read_row(record.raw)
            begun = log.started_at
            if agent and agent not in (record.agent_id, record.agent_name):
                continue
            if begun is not None and ((since is not None and begun < since) or (until is not None and begun >= until)):
                continue
            yield log

    async def call(self, call_id: str) -> CallLog:
        """Looked for page by page."""
        looked = 0
        async for page in self._calls.history_pages():
            if (record := _row_of(page, call_id)) is not None:
                return read_row(record.raw)
            looked += 1
            if looked == PAGES_SEARCHED:
                break
        raise NotFound(f"no call of that id among the newest {looked * 200}")

    async def transcript(self, call_id: str) -> str | None:
        """``GET /api/transcript/{call_id}``."""
        transcript = await self._calls.transcript(call_id)
        return None if transcript.pending else transcript.text

    async def save_recording(self, call_id: str, path: Path) -> tuple[str, int]:
        """``GET /api/stream/{call_id}``."""
        saved = await self._calls.save_recording(call_id, path)
        return saved.content_type, saved.size


def _row_of(page: Page[CallRecord], call_id: str) -> CallRecord | None:
    return next((record for record in page.items if record.call_id == call_id), None)
