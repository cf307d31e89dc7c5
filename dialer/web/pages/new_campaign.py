"""A new campaign in four steps: list, columns, rules, start. Each keeps what was entered, and can be gone back to."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import RedirectResponse, Response

from dialer.adapters.campaign_file import fields_of, parse_settings, with_fields, write_settings
from dialer.console import Console
from dialer.domain.campaign_name import file_stem
from dialer.errors import UsageError
from dialer.list_access import first_settings
from dialer.pipeline.iso import iso
from dialer.pipeline.prepare_list import PART_BYTES
from dialer.pipeline.what_it_means import hours_in_words, what_it_means
from dialer.ports import Campaign
from dialer.ports.uploads import Upload
from dialer.web.access import Asker, Operator, Rooms
from dialer.web.api.imports import csv_of
from dialer.web.api.lists_in import file_name, refuse_source
from dialer.web.pages.new_campaign_steps import RULES, choices, entered, groups, page_words, stepped
from dialer.web.pages.parts import show
from dialer.web.problems import Refusal

routes = APIRouter(prefix="/new", include_in_schema=False)
LIST, COLUMNS, CHOOSE_RULES, START = "list", "columns", "rules", "start"


@routes.get("")
async def ask_list(request: Request, rooms: Rooms, asker: Operator, campaign: int = 0) -> Response:
    """The first step: which list; ``campaign`` is the id of one that it is added to."""
    there = await rooms.ledger.people.campaign(campaign) if campaign else None
    return _list_page(request, asker, campaign=there)


@routes.get("/{upload_id}/list")
async def list_again(upload_id: int, request: Request, rooms: Rooms, asker: Operator) -> Response:
    """The first step, gone back to: another list in place of this one, with what was entered since."""
    return _list_page(request, asker, before=(await rooms.lists.prepared(upload_id)).upload)


@routes.post("/list")
async def take_list(request: Request, rooms: Rooms, asker: Operator, instead: int = 0, campaign: int = 0) -> Response:
    """Keep the list that is sent, and the campaign file if there is one: ``instead`` of a list that was sent before,
    or for a ``campaign`` that is there.
    """
    there = await rooms.ledger.people.campaign(campaign) if campaign else None
    before = await rooms.lists.prepared(instead) if instead else None
    kept = before.settings if before else {}
    if there is not None:
        kept, _, _ = await rooms.drafts.settings(there.spec.handle)
    async with request.form(max_files=2, max_fields=6) as form:
        try:
            return _to(await _take(rooms, asker, form, kept), COLUMNS)
        except UsageError as refused:
            old = before.upload if before else None
            return _list_page(request, asker, page_words(str(refused)), 422, before=old, campaign=there)


async def _take(rooms: Console, asker: Asker, form: FormData, kept: dict[str, Any]) -> int:
    """The id of the list in a form. Raises UsageError."""
    sent, file, encoding = form.get("list"), form.get("file"), str(form.get("encoding", "")).strip()
    said = await _from_file(file) if isinstance(file, UploadFile) and file.filename else None
    refuse_source(asker, kept, said or kept)
    if isinstance(sent, UploadFile) and sent.filename:
        name = file_name(sent.filename, sent.content_type or "")
        first = first_settings(rooms.settings, name)
        settings = kept or first if said is None else {"name": kept.get("name") or first["name"], **said}
        return await rooms.lists.take(name, _chunks(sent), settings, asker.by(), encoding)
    if said is None or not said.get("source"):
        raise UsageError("choose a list, or a campaign file with a [source]")
    return await rooms.lists.take_source(said, asker.by())


@routes.post("/source")
async def take_source(request: Request, rooms: Rooms, asker: Operator) -> Response:
    """Prepare a campaign whose list is a query."""
    fields = await entered(request)
    try:
        first = first_settings(rooms.settings, fields.get("name", "").strip() or "query")
        settings = with_fields(first, fields, ("", "source"))
        refuse_source(asker, {}, settings)
        upload_id = await rooms.lists.take_source(settings, asker.by())
    except UsageError as refused:
        return _list_page(request, asker, page_words(str(refused)), 422, fields)
    return _to(upload_id, COLUMNS)


@routes.get("/{upload_id}/columns")
async def ask_columns(upload_id: int, request: Request, rooms: Rooms, asker: Operator) -> Response:
    """The second step: which column holds what, and what becomes of the rows."""
    return await _columns_page(upload_id, request, rooms, asker)


@routes.post("/{upload_id}/columns")
async def choose_columns(upload_id: int, request: Request, rooms: Rooms, asker: Operator) -> Response:
    """Look at the list again with these columns, and stay, or go on."""
    fields = await entered(request)
    try:
        await _change(upload_id, rooms, asker, fields, ("contacts",))
    except UsageError as refused:
        return await _columns_page(upload_id, request, rooms, asker, page_words(str(refused)), fields)
    await rooms.lists.prepared(upload_id, afresh=True)
    return _to(upload_id, CHOOSE_RULES if fields.get("do") == "next" else COLUMNS)


@routes.get("/{upload_id}/rules")
async def ask_rules(upload_id: int, request: Request, rooms: Rooms, asker: Operator) -> Response:
    """The third step: every key of the campaign file."""
    return await _rules_page(upload_id, request, rooms, asker)


@routes.post("/{upload_id}/rules")
async def choose_rules(upload_id: int, request: Request, rooms: Rooms, asker: Operator) -> Response:
    """Keep them, and look at what they mean, or go on."""
    fields = await entered(request)
    try:
        await _change(upload_id, rooms, asker, fields, RULES)
    except UsageError as refused:
        return await _rules_page(upload_id, request, rooms, asker, page_words(str(refused)), fields)
    await rooms.lists.prepared(upload_id, afresh=True)
    return _to(upload_id, START if fields.get("do") == "next" else CHOOSE_RULES)


@routes.get("/{upload_id}/start")
async def ask_start(upload_id: int, request: Request, rooms: Rooms, asker: Operator) -> Response:
    """The fourth step: all of it in words."""
    return await _start_page(upload_id, request, rooms, asker)


@routes.post("/{upload_id}/start")
async def start(upload_id: int, request: Request, rooms: Rooms, asker: Operator) -> Response:
    """Bring the list into its campaign, and let it run."""
    try:
        report = await rooms.lists.commit(upload_id, asker.by())
    except UsageError as refused:
        return await _start_page(upload_id, request, rooms, asker, page_words(str(refused)))
    await rooms.ring()
    return RedirectResponse(f"/campaigns/{report['campaign_id']}", 303)


@routes.get("/{upload_id}/file")
async def download_file(upload_id: int, rooms: Rooms, asker: Operator) -> Response:
    """The campaign so far, as its file."""
    one = await rooms.lists.prepared(upload_id)
    return toml_of(write_settings(one.settings), str(one.settings.get("name", "campaign")))


@routes.post("/{upload_id}/file")
async def upload_file(upload_id: int, request: Request, rooms: Rooms, asker: Operator) -> Response:
    """A campaign file in place of what was entered."""
    async with request.form(max_files=1, max_fields=4) as form:
        sent = form.get("file")
        if not isinstance(sent, UploadFile) or not sent.filename:
            raise Refusal(422, "choose a campaign file")
        settings = await _from_file(sent)

    def edit(before: dict[str, Any]) -> dict[str, Any]:
        refuse_source(asker, before, settings)
        return {"name": before.get("name", ""), **settings}

    await rooms.lists.change(upload_id, edit)
    return _to(upload_id, COLUMNS)


@routes.get("/{upload_id}/rejects")
async def rejects(upload_id: int, rooms: Rooms, asker: Operator) -> Response:
    """The rows that cannot be called, each with its reason and remedy, as CSV."""
    one = await rooms.lists.prepared(upload_id)
    await rooms.ledger.record_act("export", asker.by(), subject=f"rejects of list {upload_id}")
    return csv_of(rooms.lists.rejects(one.upload.upload_id), f"rejects-{upload_id}.csv")


def toml_of(text: str, name: str) -> Response:
    """A campaign file to be saved under the campaign's name."""
    plain = "".join(one for one in file_stem(name) if one.isascii() and (one.isalnum() or one in "-_")) or "campaign"
    headers = {"Content-Disposition": f'attachment; filename="{plain}.toml"'}
    return Response(text, media_type="application/toml", headers=headers)


async def _columns_page(
    upload_id: int, request: Request, rooms: Rooms, asker: Asker, wrong: str = "", fields: Mapping[str, str] = {}
) -> Response:
    one = await rooms.lists.prepared(upload_id)
    if one.brought is not None:
        return RedirectResponse(f"/campaigns/{one.brought['campaign_id']}", 303)
    values: dict[str, Any] = {
        "steps": stepped(upload_id, COLUMNS),
        "id": upload_id,
        "upload": one.upload,
        "seen": one.seen | {"seen_at": iso(one.seen["at"])},
        "problem": page_words(one.seen["problem"]),
        "remedy": page_words(one.seen["remedy"]),
        "notes": [page_words(note) for note in one.seen["notes"]],
        "columns": choices("contacts", fields_of(one.settings, ("contacts",)) | dict(fields)),
        "wrong": wrong,
    }
    return show(request, asker, "new/columns.html", 422 if wrong else 200, **values)


async def _rules_page(
    upload_id: int, request: Request, rooms: Rooms, asker: Asker, wrong: str = "", fields: Mapping[str, str] = {}
) -> Response:
    one = await rooms.lists.prepared(upload_id)
    if one.brought is not None:
        return RedirectResponse(f"/campaigns/{one.brought['campaign_id']}", 303)
    means = what_it_means(rooms.lists.spec(one.settings), one.seen)
    shown = groups(fields_of(one.settings, RULES) | dict(fields), means)
    values: dict[str, Any] = {
        "steps": stepped(upload_id, CHOOSE_RULES),
        "id": upload_id,
        "seen": one.seen | {"seen_at": iso(one.seen["at"])},
    }
    return show(request, asker, "new/rules.html", 422 if wrong else 200, groups=shown, wrong=wrong, **values)


async def _start_page(upload_id: int, request: Request, rooms: Rooms, asker: Asker, wrong: str = "") -> Response:
    one = await rooms.lists.prepared(upload_id)
    if one.brought is not None:
        return RedirectResponse(f"/campaigns/{one.brought['campaign_id']}", 303)
    spec = rooms.lists.spec(one.settings)
    values: dict[str, Any] = {
        "steps": stepped(upload_id, START),
        "id": upload_id,
        "upload": one.upload,
        "seen": one.seen | {"seen_at": iso(one.seen["at"])},
        "problem": page_words(one.seen["problem"]),
        "spec": spec,
        "hours": hours_in_words(spec),
        "means": what_it_means(spec, one.seen),
        "existing": await rooms.drafts.existing(one.settings),
        "flaw": page_words(rooms.drafts.flaw(one.settings)),
        "key_is_set": rooms.may_use(spec.provider),
        "wrong": wrong,
    }
    return show(request, asker, "new/start.html", 422 if wrong else 200, **values)


def _list_page(
    request: Request,
    asker: Asker,
    wrong: str = "",
    status: int = 200,
    fields: Mapping[str, str] = {},
    *,
    before: Upload | None = None,
    campaign: Campaign | None = None,
) -> Response:
    values: dict[str, Any] = {
        "steps": stepped(before.upload_id if before else 0, LIST),
        "before": before,
        "campaign": campaign,
        "source": choices("source", fields_of({}, ("source",)) | dict(fields)),
        "wrong": wrong,
        "entered": fields,
    }
    return show(request, asker, "new/list.html", status, **values)


async def _change(
    upload_id: int, rooms: Rooms, asker: Asker, fields: Mapping[str, str], tables: tuple[str, ...]
) -> None:
    def edit(before: dict[str, Any]) -> dict[str, Any]:
        after = with_fields(before, fields, tables)
        refuse_source(asker, before, after)
        return after

    await rooms.lists.change(upload_id, edit)


async def _from_file(file: UploadFile) -> dict[str, Any]:
    return parse_settings(await file.read(), page_words(file.filename or "campaign file"))


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while content := await file.read(PART_BYTES):
        yield content


def _to(upload_id: int, step: str) -> RedirectResponse:
    return RedirectResponse(f"/new/{upload_id}/{step}", 303)
