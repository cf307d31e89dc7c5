"""The vendor's own batch jobs at api.vaani.ai: a CSV of numbers that the vendor calls by itself.

They need a login of role Developer or higher, not a key. A batch can be neither paused nor tried again, and nothing
documented keeps the vendor from calling at night or whom it should not: no rule of ours looks at these calls.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

from dialer.adapters.providers.answers.proof import Json
from dialer.adapters.providers.http.client import ProviderClient, segment
from dialer.adapters.providers.vaani.lists import file_at, whole_list
from dialer.adapters.providers.vaani.models import Batch, BatchItem
from dialer.errors import UsageError


class Batches:
    """``client.batches`` (mvdocs.omind.ai/api-reference/batch-jobs). Every method raises ProviderError."""

    def __init__(self, client: ProviderClient) -> None:
        self._client = client

    async def upload(
        self,
        path: Path,
        *,
        name: str,
        agent_id: str,
        agent_phone_number: str,
        scheduled_time: datetime | None = None,
        timezone: str | None = None,
    ) -> Batch:
        """``POST /batch/upload``: a batch from a CSV; calls nobody yet. Never repeated: two make two batches.

        The file has a header and a column ``phone_number``; every other column becomes a dynamic variable of its name.
        ``timezone`` is an IANA name. Raises UsageError for a ``scheduled_time`` without a zone, and
        InputFileError for a file that cannot be read.
        """
        form = {"name": name, "agent_id": agent_id, "agent_phone_number": agent_phone_number}
        if scheduled_time is not None:
            if scheduled_time.tzinfo is None and not timezone:
                raise UsageError("the scheduled time of a batch needs a zone: its own, or a timezone beside it")
            form["scheduled_time"] = scheduled_time.isoformat()
        if timezone:
            form["timezone"] = timezone
        file = ("file", await file_at(path))
        return _batch(await self._client.write_form("POST", "/batch/upload", form, file=file))

    async def send(self, batch_id: str) -> Batch:
        """``POST /batch/{id}/send``: starts it. One request, never repeated: two may call everybody twice."""
        return _batch(await self._client.write("POST", f"{_path(batch_id)}/send"), batch_id)

    def list(self) -> AsyncIterator[Batch]:
        """``GET /batch``, by creation date."""
        return whole_list(self._client, "/batch", Batch.read, lambda one: one.batch_id, "list of batches")

    async def get(self, batch_id: str) -> Batch:
        """``GET /batch/{id}``. Raises NotFound."""
        return _batch(await self._client.read_object(_path(batch_id)))

    def items(self, batch_id: str) -> AsyncIterator[BatchItem]:
        """``GET /batch/{id}/items``: what became of each row. Raises NotFound."""
        path = f"{_path(batch_id)}/items"
        return whole_list(self._client, path, BatchItem.read, lambda one: one.item_id, "list of a batch's items")

    async def delete(self, batch_id: str) -> Json:
        """``DELETE /batch/{id}``; refused while it runs."""
        return await self._client.delete(_path(batch_id))


def _path(batch_id: str) -> str:
    return f"/batch/{segment(batch_id, 'batch')}"


def _batch(answer: Json, batch_id: str = "") -> Batch:
    """As it came, or under a key: the documents have lost the shape. What changed a batch need not say which."""
    inner = next((answer[name] for name in ("batch", "data") if isinstance(answer.get(name), dict)), answer)
    known = {"batch_id": batch_id} if batch_id else {}
    return Batch.read({**inner, **known}).model_copy(update={"raw": answer})
