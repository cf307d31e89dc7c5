"""A list is sent, looked at, mended, and at last brought into a campaign: nobody is called before that."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from dialer.domain.act import By
from dialer.domain.campaign import CampaignSpec
from dialer.domain.contact import NewContact
from dialer.errors import InputFileError, LedgerUnavailable, SourceUnavailable, UsageError, WrongMoment
from dialer.pipeline.import_contacts import OpenRejects
from dialer.pipeline.report import import_document
from dialer.ports import Campaign, Clock, ContactSource, ImportCounts, Reject
from dialer.ports.uploads import Upload, Uploads

PART_BYTES = 256 * 1024
REJECTS = 1_000_000
"""The parts from this one on hold the rows that were rejected, as CSV."""
KEPT_S = 7 * 86_400.0
SEEN_FOR_S = 300.0
"""What was seen in a list is shown again for so long, while its settings stay."""
SAMPLE_ROWS = 20
SOME_ROWS = 5_000
"""So many rows are looked at where the beginning of a list is enough."""
AT_ONCE = 20
SOURCE = "source"
"""The name of a list that is a campaign's own source; nothing was sent then."""
UNSAID = {"name": "list", "agent": "check"}
"""What need not be known yet to look at a list."""
Settings = Mapping[str, Any]


class ListSource(ContactSource, Protocol):
    """A list whose columns were chosen."""

    @property
    def guess(self) -> Mapping[str, Sequence[str]]:
        """What is taken from which columns: "phone", "name", ... -> their names as written."""
        ...

    def batches(self, size: int) -> AsyncGenerator[Sequence[NewContact | Reject], None]:
        """As those of every list."""
        ...


class Bring(Protocol):
    """Imports a list into its campaign, and sets it running if ``start``; the list's name is ``origin``."""

    def __call__(
        self, spec: CampaignSpec, source: ContactSource, origin: str, by: By, *, start: bool
    ) -> Awaitable[tuple[Campaign, ImportCounts]]: ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """A list that was sent, the campaign so far in the shape of its file, and what was seen.

    ``seen`` has ``counts`` (rows that would be queued, ...), ``waits`` (why some cannot be called at once), ``now``
    (how many can), ``whole`` (False: counted is the beginning), ``header``, ``columns`` (what is taken from which),
    ``rows`` (the first of them), ``notes``, and ``problem`` with ``remedy`` where the list is refused whole.
    ``brought`` is the import's report, None before.
    """

    upload: Upload
    settings: dict[str, Any]
    seen: dict[str, Any]
    brought: Mapping[str, Any] | None


@dataclass(frozen=True)
class PrepareList:
    """``private_file`` gives a path, of a file by that name, in a directory of its own that is gone afterwards.

    ``turn`` lets few look at once: who looks at a list of a million holds 100 MB. ``rehearsal`` is what a rehearsal
    begins with, such as calls at any hour.
    """

    uploads: Uploads
    clock: Clock
    private_file: Callable[[str], AbstractContextManager[Path]]
    read: Callable[[Settings], CampaignSpec]
    opened: Callable[[Path | None, CampaignSpec, str | None], ListSource]
    rejects_at: Callable[[Path], OpenRejects]
    check: Callable[[CampaignSpec, ContactSource, OpenRejects], Awaitable[ImportCounts]]
    bring: Bring
    rehearsal: Settings
    turn: asyncio.Semaphore

    async def take(
        self, name: str, chunks: AsyncIterator[bytes], settings: Settings, by: By, encoding: str = ""
    ) -> int:
        """Keep a list as it arrives; its id. Nothing stays of one that breaks off.

        ``encoding`` is a Python codec, "" for UTF-8 or what a byte-order mark says.

        Raises InputFileError for an empty one, CampaignFileError for settings that no campaign can have.
        """
        self.spec(settings)
        await self._forget_old()
        upload_id = await self.uploads.begin(name, _text(settings), by)
        try:
            size, fingerprint = await self._keep(upload_id, 0, chunks)
            if not size:
                raise InputFileError(name, "the file is empty", "Add a header line and contacts")  # noqa: TRY301
        except BaseException:
            with suppress(LedgerUnavailable):
                await asyncio.shield(self.uploads.drop(upload_id))
            raise
        if encoding:
            await self.uploads.note(upload_id, json.dumps({"encoding": encoding}))
        await self.uploads.complete(upload_id, size, fingerprint, by)
        return upload_id

    async def take_source(self, settings: Settings, by: By) -> int:
        """Prepare a campaign whose list is its own source. Raises CampaignFileError."""
        self.spec(settings)
        await self._forget_old()
        upload_id = await self.uploads.begin(SOURCE, _text(settings), by)
        await self.uploads.complete(upload_id, 0, SOURCE, by)
        return upload_id

    def spec(self, settings: Settings) -> CampaignSpec:
        """What the settings so far make, with a stand-in for a name or an agent that is not known yet."""
        return self.read({**UNSAID, **settings})

    async def prepared(self, upload_id: int, *, afresh: bool = False, whole: bool = True) -> Prepared:
        """The list, and what an import would bring now. Raises UnknownName.

        ``afresh``: it is looked at again in any case. Not ``whole``: its beginning is enough.
        """
        upload = await self.uploads.upload(upload_id)
        seen = _report(upload).get("seen")
        brought = _report(upload).get("brought")
        if brought is None and (afresh or not self._stands(upload, seen, whole=whole)):
            async with self.turn:
                seen = await self._look(upload, whole=whole)
            await self.uploads.note(upload_id, json.dumps(_report(upload) | {"seen": seen}))
        return Prepared(upload, json.loads(upload.settings), seen or {}, brought)

    async def change(self, upload_id: int, edit: Callable[[dict[str, Any]], Settings]) -> None:
        """Put edited settings in the place of the old ones.

        Where a rehearsal becomes a campaign that calls people, what it began with goes: it is not meant for people.
        Raises CampaignFileError for what no campaign can have, WrongMoment once the list is in its campaign.
        """
        while True:
            upload = await self.uploads.upload(upload_id)
            if upload.campaign:
                raise WrongMoment("this list is in its campaign already: change the campaign itself")
            before = json.loads(upload.settings)
            settings = self._for_people(before, edit(before))
            self.spec(settings)
            if await self.uploads.change(upload_id, upload.settings, _text(settings)):
                return

    def _for_people(self, before: Settings, after: Settings) -> Settings:
        provider = self.rehearsal["provider"]
        if before.get("provider") != provider or after.get("provider") == provider:
            return after
        return {key: value for key, value in after.items() if value != self.rehearsal.get(key)}

    async def commit(self, upload_id: int, by: By, *, start: bool = True) -> Mapping[str, Any]:
        """Bring the list into its campaign, as ``dialer enqueue``; the report of the import, again if it is in.

        Raises CampaignFileError while the settings are not whole, InputFileError for a list that is refused whole.
        """
        async with self.turn:
            upload = await self.uploads.upload(upload_id)
            report = _report(upload)
            if upload.campaign:
                kept: Mapping[str, Any] = report["brought"]
                return kept
            spec = self.read(json.loads(upload.settings))
            with self.private_file(upload.name) as path:
                source = self.opened(await self._written(upload, path), spec, report.get("encoding"))
                campaign, counts = await self.bring(spec, source, upload.name, by, start=start)
            await self._keep_rejects(upload_id, counts.rejects)
        brought = {"campaign": campaign.spec.name, "campaign_id": campaign.campaign_id, "status": str(campaign.status)}
        brought |= import_document(counts) | {"waits": dict(counts.waits), "notes": list(source.notes)}
        brought["rejects"] = bool(counts.rejects)
        await self.uploads.note(upload_id, json.dumps(report | {"brought": brought}), campaign.spec.handle)
        return brought

    async def last_rejects(self, handle: str) -> AsyncIterator[bytes]:
        """Those of the list that was brought last, over the network, into the campaign with this handle."""
        upload = await self.uploads.last_of(handle)
        if upload is not None:
            async for content in self.rejects(upload.upload_id):
                yield content

    async def rejects(self, upload_id: int) -> AsyncIterator[bytes]:
        """The rows that were rejected when the list was last looked at, as CSV in pieces; none: there are none."""
        part = REJECTS
        while (content := await self.uploads.part(upload_id, part)) is not None:
            yield content
            part += 1

    def _stands(self, upload: Upload, seen: Mapping[str, Any] | None, *, whole: bool) -> bool:
        """Whether what was seen may be shown again."""
        if not seen or seen["settings"] != _mark(upload) or (whole and not seen["whole"]):
            return False
        return self.clock.now() - float(seen["at"]) < SEEN_FOR_S

    async def _look(self, upload: Upload, *, whole: bool) -> dict[str, Any]:
        settings: dict[str, Any] = json.loads(upload.settings)
        spec = self.spec(settings)
        seen: dict[str, Any] = {"settings": _mark(upload), "at": self.clock.now(), "problem": "", "remedy": ""}
        with self.private_file(upload.name) as path:
            source = self.opened(await self._written(upload, path), spec, _report(upload).get("encoding"))
            sampled = Sampled(source, 0 if whole else SOME_ROWS)
            try:
                counts = await self.check(spec, sampled, self.rejects_at(path.with_name("rejects.csv")))
                seen |= _counts(counts) | {"columns": {k: list(v) for k, v in source.guess.items()}}
            except InputFileError as refused:
                problem = f"{refused.place}: {refused.problem}".replace(f"{path.parent}/", "")
                seen |= _counts(ImportCounts()) | {"problem": problem, "remedy": refused.remedy, "columns": {}}
            except (UsageError, SourceUnavailable) as refused:
                seen |= _counts(ImportCounts()) | {"problem": str(refused), "columns": {}}
            else:
                await self._keep_rejects(upload.upload_id, counts.rejects)
            notes = [] if seen["problem"] else sampled.notes
            seen |= {"notes": list(notes), "rows": sampled.rows, "whole": not sampled.cut}
            return seen | {"header": await _header(sampled)}

    async def _written(self, upload: Upload, path: Path) -> Path | None:
        """The list as a file, for those who read files; None for a source."""
        if upload.fingerprint == SOURCE:
            return None
        part = 0
        with await asyncio.to_thread(path.open, "wb") as file:
            while (content := await self.uploads.part(upload.upload_id, part)) is not None:
                await asyncio.to_thread(file.write, content)
                part += 1
        return path

    async def _keep(self, upload_id: int, part: int, chunks: AsyncIterator[bytes]) -> tuple[int, str]:
        """Size and fingerprint of what came."""
        digest, size, held = sha256(), 0, bytearray()
        async for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            held += chunk
            while len(held) >= PART_BYTES:
                await self.uploads.keep(upload_id, part, bytes(held[:PART_BYTES]))
                del held[:PART_BYTES]
                part += 1
        if held:
            await self.uploads.keep(upload_id, part, bytes(held))
        return size, digest.hexdigest()

    async def _keep_rejects(self, upload_id: int, path: str) -> None:
        await self.uploads.drop_parts(upload_id, REJECTS)
        if path:
            await self._keep(upload_id, REJECTS, _pieces(Path(path)))

    async def _forget_old(self) -> None:
        for upload_id in await self.uploads.older(self.clock.now() - KEPT_S, AT_ONCE):
            await self.uploads.drop(upload_id)


class Sampled:
    """A list that remembers the first rows that were read of it.

    ``most``: after so many rows, or a few more, it ends, and ``cut`` says that more may follow; 0: it is read whole.
    """

    def __init__(self, source: ListSource, most: int = 0) -> None:
        self.source = source
        self.rows: list[dict[str, Any]] = []
        self.cut = False
        self._most = most

    @property
    def fingerprint(self) -> str:
        """That of the list."""
        return self.source.fingerprint

    @property
    def header(self) -> tuple[str, ...]:
        """That of the list."""
        return self.source.header

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the list."""
        return self.source.notes

    async def batches(self, size: int) -> AsyncIterator[Sequence[NewContact | Reject]]:
        """Those of the list."""
        taken = 0
        async with aclosing(self.source.batches(size)) as batches:
            async for batch in batches:
                self.rows += [_sample(row) for row in batch[: SAMPLE_ROWS - len(self.rows)]]
                taken += len(batch)
                yield batch
                if self._most and taken >= self._most:
                    self.cut = True
                    return


def _sample(row: NewContact | Reject) -> dict[str, Any]:
    shown: dict[str, Any] = {"line": row.row, "cells": list(row.cells), "phone": "", "reason": "", "remedy": ""}
    if isinstance(row, Reject):
        return shown | {"reason": row.reason, "remedy": row.remedy}
    return shown | {"phone": row.phone, "reason": row.barred}


async def _header(source: ContactSource) -> list[str]:
    """The columns, if the list has any that can be read."""
    try:
        return list(await asyncio.to_thread(lambda: source.header))
    except (UsageError, SourceUnavailable):
        return []


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while content := await asyncio.to_thread(file.read, PART_BYTES):
            yield content


def _counts(counts: ImportCounts) -> dict[str, Any]:
    document = import_document(counts)
    del document["rejects"]
    callable_now = counts.queued + counts.deferred - sum(counts.waits.values())
    return {
        "counts": document,
        "waits": dict(counts.waits),
        "now": max(0, callable_now),
        "usable": counts.usable and bool(counts.rows),
        "has_rejects": bool(counts.rejects),
    }


def _report(upload: Upload) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(upload.report or "{}")
    return report


def _text(settings: Settings) -> str:
    return json.dumps(settings, sort_keys=True)


def _mark(upload: Upload) -> str:
    """What tells settings that were looked at from others."""
    return sha256(upload.settings.encode()).hexdigest()
