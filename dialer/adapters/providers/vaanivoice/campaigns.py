"""The vendor's own campaigns at api.vaanivoice.ai, to compare with or to move from.

The reference pages name another host; paths and keys are those of the vendor's own client.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, Field

from dialer.adapters.providers.answers.models import ApiModel, Flag, List, Moment, Name, Number, Object, Text, Whole
from dialer.adapters.providers.answers.pages import items_of, pages_of
from dialer.adapters.providers.http.client import Form, ProviderClient, segment
from dialer.adapters.providers.http.recording_file import SavedRecording, save_elsewhere

PAGE_SIZE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignPlan:
    """How a campaign calls; what is None is not sent.

    Times are UTC and must lie inside 02:30 to 14:29. ``max_retries`` (1 to 10) is, despite its name, the number of
    attempts for each contact; ``retry_delay_mins`` is 0 to 1440. ``concurrency`` may not be above the
    organisation's own limit.
    """

    agent_id: str | None = None
    concurrency: int | None = None
    from_date: date | None = None
    to_date: date | None = None
    start_time: time | None = None
    end_time: time | None = None
    days_of_week: Sequence[str] | None = None
    perform_dnd_check: bool | None = None
    max_retries: int | None = None
    retry_delay_mins: int | None = None
    notification_emails: Sequence[str] | None = None
    campaign_webhook_url: str | None = None
    per_call_webhook_url: str | None = None

    def form(self) -> Form:
        """The fields of the vendor's form."""
        return {name: _field(getattr(self, name)) for name in self.__slots__ if getattr(self, name) is not None}


class VendorCampaign(ApiModel):
    """One campaign, as every campaign endpoint gives it.

    ``status`` is scheduled, active, paused, paused_out_of_range, completed or cancelled. ``time_range_*`` are UTC.
    """

    campaign_id: Name = Field(validation_alias=AliasChoices("id", "campaign_id"))
    name: Text = Field("", validation_alias=AliasChoices("campaign_name", "name"))
    status: Text = Field("", validation_alias=AliasChoices("campaign_status", "status"))
    agent_id: Text = ""
    client_id: Text = ""
    call_concurrency: Whole = Field(None, validation_alias=AliasChoices("call_concurrency", "concurrency"))
    days_of_week: Any = None
    time_range_from: Text = ""
    time_range_to: Text = ""
    start_date: Text = ""
    end_date: Text = ""
    max_retries: Whole = None
    retry_after_mins: Number = None
    notification_emails: List = Field(default_factory=list)
    webhook_url: Text = ""
    perform_dnd_check: Flag = None
    total_leads: Whole = None
    completed_calls: Whole = None
    pending_calls: Whole = None
    failed_calls: Whole = None
    stats: Object = Field(default_factory=dict)
    created_at: Moment = None
    updated_at: Moment = None


class CampaignResults(ApiModel):
    """Where the results of a campaign lie: a link to a CSV that lives an hour."""

    campaign_id: Text = ""
    results_url: Text = Field("", validation_alias=AliasChoices("results_url", "download_url"), repr=False)
    generated_at: Moment = None
    expires_at: Moment = None
    post_processing_status: Text = ""


class Campaigns:
    """``client.campaigns``. Every method raises ProviderError, whose ``code`` is the vendor's."""

    def __init__(self, client: ProviderClient) -> None:
        self._client = client

    async def create(
        self, name: str, plan: CampaignPlan, contacts: bytes, filename: str = "contacts.csv"
    ) -> VendorCampaign:
        """``POST /api/campaigns/create`` with a file of 1 to 10,000 contacts; never repeated: two make two."""
        form = {"campaign_name": name, "name": name, **plan.form()}
        file = ("csv_file", (filename, contacts, "text/csv"))
        return VendorCampaign.read(await self._client.write_form("POST", "/api/campaigns/create", form, file=file))

    def list(self, status: str = "", *, page_size: int = PAGE_SIZE) -> AsyncIterator[VendorCampaign]:
        """``GET /api/campaigns/``, every page (at most 100 each)."""

        async def ask(page: int) -> Any:
            query = {"page": page, "page_size": page_size, "status": status or None}
            return await self._client.read("/api/campaigns/", query)

        pages = pages_of(ask, page_size, VendorCampaign.read, lambda one: one.campaign_id, "list of campaigns")
        return items_of(pages, lambda one: one.campaign_id)

    async def status(self, campaign_id: str) -> VendorCampaign:
        """``GET /api/campaigns/{id}/status``."""
        answer = await self._client.read_object(f"{_path(campaign_id)}/status")
        return VendorCampaign.read({"id": campaign_id, **answer})

    async def results(self, campaign_id: str) -> CampaignResults:
        """``GET /api/campaigns/{id}/results``. Raises NotFound with code RESULTS_NOT_READY before it is over."""
        return CampaignResults.read(await self._client.read_object(f"{_path(campaign_id)}/results"))

    async def save_results(self, campaign_id: str, path: Path) -> SavedRecording:
        """Fetch the CSV behind ``results`` into a file; the link's host gets no key."""
        results = await self.results(campaign_id)
        return await save_elsewhere(self._client.http, results.results_url, path)

    async def update(self, campaign_id: str, plan: CampaignPlan, *, name: str | None = None) -> VendorCampaign:
        """``PUT /api/campaigns/{id}``. The vendor pauses an edited campaign; ``resume`` it explicitly."""
        form = {**({"campaign_name": name} if name else {}), **plan.form()}
        return _known(campaign_id, await self._client.write_form("PUT", _path(campaign_id), form, again=True))

    async def start(self, campaign_id: str) -> VendorCampaign:
        """``POST .../start``, which only the vendor's client knows; never repeated."""
        return await self._move(campaign_id, "start", again=False)

    async def pause(self, campaign_id: str) -> VendorCampaign:
        """``POST .../pause``: no new calls; those under way go on."""
        return await self._move(campaign_id, "pause")

    async def resume(self, campaign_id: str) -> VendorCampaign:
        """``POST .../resume``."""
        return await self._move(campaign_id, "resume")

    async def stop(self, campaign_id: str) -> VendorCampaign:
        """``POST .../stop``: today's window is still worked off, and there is no way back."""
        return await self._move(campaign_id, "stop")

    async def cancel(self, campaign_id: str) -> VendorCampaign:
        """``POST .../cancel``: no new calls, and there is no way back."""
        return await self._move(campaign_id, "cancel")

    async def _move(self, campaign_id: str, verb: str, *, again: bool = True) -> VendorCampaign:
        answer = await self._client.write("POST", f"{_path(campaign_id)}/{verb}", {}, again=again)
        return _known(campaign_id, answer)


def _path(campaign_id: str) -> str:
    return f"/api/campaigns/{segment(campaign_id, 'campaign')}"


def _known(campaign_id: str, answer: dict[str, Any]) -> VendorCampaign:
    """What changed a campaign need not say which."""
    return VendorCampaign.read({"id": campaign_id, **answer})


def _field(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case time():
            return value.strftime("%H:%M")
        case str() | int() | date():
            return str(value)
        case _:
            assert isinstance(value, Sequence)
            return ",".join(map(str, value))
