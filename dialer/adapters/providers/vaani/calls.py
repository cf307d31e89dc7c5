"""Calls at api.vaani.ai: outbound call, logs, one log, CSV export, recording, token for a browser."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

from dialer.adapters.providers.answers.pages import Page, items_of, pages_of
from dialer.adapters.providers.answers.placing import unsuccessful
from dialer.adapters.providers.answers.proof import Json, json_object
from dialer.adapters.providers.http.client import ProviderClient, segment
from dialer.adapters.providers.http.recording_file import SavedRecording, save_elsewhere, save_recording
from dialer.adapters.providers.vaani.answers import LOGS_PATH, PLACE_PATH, find_call_id
from dialer.adapters.providers.vaani.models import CallLogEntry, OutboundCall, WebToken, day_or_moment
from dialer.errors import NotFound

LARGEST_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Which calls; None is every one. A date is a day (``2026-02-01``) or a moment.

    Whether the ends count, and in which zone a day begins, is documented nowhere: ask for a day more on each side.
    """

    call_type: Literal["phone", "web"] | None = None
    agent_id: str | None = None
    start_date: str | datetime | None = None
    end_date: str | datetime | None = None

    def query(self) -> dict[str, str | int | bool | None]:
        """The parameters of the vendor's page."""
        return {
            "call_type": self.call_type,
            "agent_id": self.agent_id,
            "start_date": day_or_moment(self.start_date),
            "end_date": day_or_moment(self.end_date),
        }


EVERY_CALL = LogFilter()


class Calls:
    """``client.calls``. Every method raises ProviderError and nothing else of the network's."""

    def __init__(self, client: ProviderClient) -> None:
        self._client, self._http = client, client.http

    async def outbound_call(
        self, agent_phone_number: str, phone_number_to_dial: str, dynamic_variables: Mapping[str, Any] | None = None
    ) -> OutboundCall:
        """``POST /calls/outbound_call``. One request, never repeated: two make two calls. Numbers are E.164.

        The agent goes by its number, which is also the caller id. AgentMissing when no agent has it.
        """
        body = {"agent_phone_number": agent_phone_number, "phone_number_to_dial": phone_number_to_dial}
        more = {"dynamic_variables": dict(dynamic_variables)} if dynamic_variables else {}
        answer = await self._client.call(PLACE_PATH, {**body, **more})
        fields: Json = json_object(answer)
        call_id = find_call_id(fields)
        if fields.get("success") is False:
            raise unsuccessful(answer, call_id, self._http.hide)
        return OutboundCall.read({**fields, "call_log_id": call_id}).model_copy(update={"raw": fields})

    def logs(self, which: LogFilter = EVERY_CALL, *, page_size: int = LARGEST_PAGE) -> AsyncIterator[CallLogEntry]:
        """``GET /calls/logs``, every page, at most 100 each; no order is documented."""
        return items_of(self.log_pages(which, page_size=page_size), lambda entry: entry.call_log_id)

    def log_pages(
        self, which: LogFilter = EVERY_CALL, *, page_size: int = LARGEST_PAGE
    ) -> AsyncIterator[Page[CallLogEntry]]:
        """The same page by page."""

        async def ask(page: int) -> Any:
            return await self._client.read(LOGS_PATH, {"page": page, "page_size": page_size, **which.query()})

        return pages_of(ask, page_size, CallLogEntry.read, lambda entry: entry.call_log_id, "call log")

    async def get(self, call_log_id: str) -> CallLogEntry:
        """``GET /calls/{call_log_id}``. Raises NotFound."""
        return CallLogEntry.read(await self._client.read_object(f"/calls/{segment(call_log_id, 'call')}"))

    async def export_csv(self, path: Path, which: LogFilter = EVERY_CALL) -> SavedRecording:
        """``GET /calls/export-csv`` into a file, in little memory; the columns are the vendor's."""
        query = urlencode({name: value for name, value in which.query().items() if value is not None})
        return await save_recording(self._http, f"/calls/export-csv{'?' + query if query else ''}", path, fresh=True)

    async def save_recording(self, call_log_id: str, path: Path) -> SavedRecording:
        """The recording behind the link in a call's log (it lives an hour) into a file. Raises NotFound."""
        entry = await self.get(call_log_id)
        if not entry.recording_url:
            raise NotFound("the log of that call names no recording")
        return await save_elsewhere(self._http, entry.recording_url, path)

    async def generate_token(self, phone: str, session_id: str) -> WebToken:
        """``GET /calls/generate-token``: a browser session with the agent of this number; ``session_id`` is ours."""
        return WebToken.read(
            await self._client.read_object("/calls/generate-token", {"phone": phone, "id": session_id})
        )
