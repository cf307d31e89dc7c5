"""CallArchive over the client of api.vaani.ai."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dialer.adapters.providers.answers.values import phone
from dialer.adapters.providers.vaani.adapter import read_row
from dialer.adapters.providers.vaani.calls import LogFilter
from dialer.adapters.providers.vaani.client import VaaniApi
from dialer.domain.call import CallLog

DAY = timedelta(days=1)


class VaaniArchive:
    """What api.vaani.ai keeps of calls."""

    def __init__(self, api: VaaniApi) -> None:
        self._calls = api.calls

    async def calls(
        self, since: float | None = None, until: float | None = None, agent: str = ""
    ) -> AsyncIterator[CallLog]:
        """The vendor filters by day and agent id, here a day wider: its zone and its ends are unknown."""
        which = LogFilter(
            agent_id=agent if agent and not agent.startswith("+") else None,
            start_date=None if since is None else (datetime.fromtimestamp(since, UTC) - DAY).date().isoformat(),
            end_date=None if until is None else (datetime.fromtimestamp(until, UTC) + DAY).date().isoformat(),
        )
        async for entry in self._calls.logs(which):
            log = read_row(entry.raw)
            begun = log.started_at
            if agent.startswith("+") and phone(agent) != entry.agent_phone_number:
                continue
            if begun is not None and ((since is not None and begun < since) or (until is not None and begun >= until)):
                continue
            yield log

    async def call(self, call_id: str) -> CallLog:
        """``GET /calls/{call_log_id}``."""
        return read_row((await self._calls.get(call_id)).raw)

    async def transcript(self, call_id: str) -> str | None:
        """The messages of the call's log; None while it holds none."""
        return (await self._calls.get(call_id)).transcript or None

    async def save_recording(self, call_id: str, path: Path) -> tuple[str, int]:
        """What lies behind the link in the call's log."""
        saved = await self._calls.save_recording(call_id, path)
        return saved.content_type, saved.size
