"""Dialect B, api.vaanivoice.ai: calls and what is known of them (wire contract, sections 3.3 to 3.7)."""

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from dialer.simulator import tokens, vaanivoice_rows
from dialer.simulator.answers import Json, record_of
from dialer.simulator.books import Call, Order
from dialer.simulator.call_log import Page, cut
from dialer.simulator.checking import Body, Filled, Free, PageNumber, Phone, invalid, read
from dialer.simulator.desk import Provider, Voice, voice_key
from dialer.simulator.operations import PLACING, Section, answer, good, one, record, sent
from dialer.simulator.placing import BLOCKED, Words, place
from dialer.simulator.switchboard import Refused

DIALECT = "vaanivoice"
placing, history, details, transcripts = (Section(DIALECT, f"3.{number}") for number in (4, 5, 7, 6))
health, browser = Section(DIALECT, "3.3", needs_key=False), Section(DIALECT, "3.11")
sections = (placing, history, details, transcripts, health, browser)


class Conversation(Body):
    """What can be said of a conversation in a browser."""

    metadata: Free | None = None
    voice_gender: Literal["male", "female"] | None = None
    primary_language: str | None = None
    secondary_language: str | None = None
    welcome_message: str | None = None
    welcome_interruptible: bool | None = None
    bg_noise_enabled: bool | None = None
    bg_noise_volume: Annotated[int, Field(ge=0, le=100)] | None = None
    voice_speed: Annotated[float, Field(ge=0.6, le=1.4)] | None = None


class Trigger(Conversation):
    """A call or a conversation that is asked for; which of the two, ``medium`` says."""

    agent_id: Filled
    medium: Literal["telephony", "webrtc"] | None = None
    modify_agent: dict[Literal["persona", "training", "experience", "analysis"], Free] | None = None
    contact_number: Phone | None = None
    name: str | None = None
    voice: str | None = None
    outbound_number: Phone | None = None
    sip_trunk_id: str | None = None
    test_mode: bool | None = None
    dnd_check_skipped: bool | None = None


class Browser(Conversation):
    """A conversation with an agent that is named by id or name."""

    agent_id: Filled | None = None
    agent_name: Filled | None = None


BY_PHONE = record(("medium",), medium={"enum": [None, "telephony"]}, contact_number=str, name=str)
BY_BROWSER = record(medium={"const": "webrtc"})


@placing.post(
    "/api/trigger-call/",
    openapi_extra=sent(Trigger.model_json_schema() | one(BY_PHONE, BY_BROWSER)),
    **good(vaanivoice_rows.TRIGGERED, *PLACING),
)
async def trigger(request: Request) -> Response:
    """Place a call, or open a browser session, which calls nobody; every POST is another call."""
    provider = await voice_key(request)
    provider.board.admit()
    asked = await read(Trigger, request)
    if asked.medium == "webrtc":
        return _browser_session(provider, asked.agent_id)
    for field in ("contact_number", "name"):
        if getattr(asked, field) is None:
            raise invalid(field, "Field required", "missing")
    _check_agent(provider, asked.agent_id)
    if asked.test_mode:
        return _trial(provider, asked.agent_id)
    if asked.contact_number in provider.options.dnd and not asked.dnd_check_skipped:
        raise Refused(403, BLOCKED)
    provider.board.check_wallet()
    words = Words(lambda call: _accepted(provider, call.order.agent, call.call_id), _declined, _denied)
    answer = await place(provider.board, _order(asked), record_of(request), words)
    await provider.courier.before_the_answer()
    return answer


@history.get("/api/call-history", **good(vaanivoice_rows.HISTORY, 401, 422, 500))
async def call_history(
    provider: Voice, request: Request, page: PageNumber = 1, page_size: Annotated[int, Query(ge=1, le=200)] = 50
) -> Response:
    """Calls, a page at a time; no filters, and a page past the end is empty."""
    board, options = provider.board, provider.options

    def cut_page(repeat: bool) -> Page:
        rows, newest = board.logs[DIALECT].rows(provider.now), options.vaanivoice_order == "newest"
        return cut(rows, page, page_size, newest=newest, repeat=repeat)

    shown = board.log_page(DIALECT, page, record_of(request), "Invalid client_id format", cut_page)
    base = str(request.base_url).rstrip("/")
    data = [vaanivoice_rows.row(row.call, provider.now, options, base) for row in shown.rows]
    return Json({"data": data, "pagination": vaanivoice_rows.pagination(shown)})


@details.get(
    "/api/call_details/{call_id}",
    **good(vaanivoice_rows.DETAILS, 401, 404, more={202: answer(vaanivoice_rows.DETAILS, "not processed yet")}),
)
async def call_details(provider: Voice, call_id: str) -> Response:
    """Transcript, entities and evaluation of one call; not processed yet is a 200 too."""
    call, options = provider.board.find(DIALECT, call_id), provider.options
    if call_id in provider.trials:
        return Json(vaanivoice_rows.UNPROCESSED, options.vaanivoice_details_pending)
    if call is None:
        raise Refused(404, "Call not found")
    done = vaanivoice_rows.has_transcript(call, provider.now, options)
    status = 200 if done else options.vaanivoice_details_pending
    return Json(vaanivoice_rows.details(call, provider.now, options), status)


@transcripts.get(
    "/api/transcript/{call_id}",
    **good(
        vaanivoice_rows.TRANSCRIPT, 401, more={404: answer(vaanivoice_rows.TRANSCRIPT, "no transcript, or not yet")}
    ),
)
async def transcript(provider: Voice, call_id: str) -> Response:
    """What was said in one call, or one of the ways the vendor says that there is none."""
    call, options = provider.board.find(DIALECT, call_id), provider.options
    if call is not None and vaanivoice_rows.has_transcript(call, provider.now, options):
        text = vaanivoice_rows.transcript(call)
        return Json({"transcript": text, "status_code": 200, "function": "get_transcript"})
    return Json(vaanivoice_rows.MISSING[options.vaanivoice_missing_text], options.vaanivoice_missing_transcript)


@health.get("/api/health", **good(vaanivoice_rows.HEALTH))
async def is_up() -> Response:
    """Whether it is up; that this needs a key is not documented, so it needs none."""
    return Json({"status": "healthy", "service": "vaani-external-api"})


@browser.post("/api/webrtc/token", **good(vaanivoice_rows.BROWSER, 401, 404, 422))
async def browser_token(provider: Voice, sent: Browser) -> Response:
    """A token for a browser session, as the vendor's client had it before 0.3."""
    agent = sent.agent_id or sent.agent_name
    if agent is None:
        raise invalid("agent_id", "Field required", "missing")
    return _browser_session(provider, agent)


def captions_url(provider: Provider, call_id: str) -> str:
    """Where the captions of a call are read: on this simulator, not at the vendor."""
    return f"ws://{provider.board.address}/api/live-transcripts/ws/{call_id}"


def _trial(provider: Provider, agent: str) -> Response:
    """A call in test mode: it has an id, and nothing else; no row, no transcript, no recording."""
    call_id = f"outbound-{int(provider.now)}-{len(provider.trials):08x}"
    provider.trials.add(call_id)
    return _accepted(provider, agent, call_id)


def _check_agent(provider: Provider, agent: str) -> None:
    try:
        provider.board.check_agent(DIALECT, agent)
    except Refused as refused:
        raise Refused(provider.options.vaanivoice_unknown_agent, refused.text) from None


def _order(asked: Trigger) -> Order:
    return Order(
        dialect=DIALECT,
        to=asked.contact_number or "",
        agent=asked.agent_id,
        name=asked.name,
        caller_id=asked.outbound_number,
        variables=asked.metadata or {},
    )


def _accepted(provider: Provider, agent: str, call_id: str) -> Response:
    output: Any = f"Call dispatched to room {call_id} with dispatch id AD_{call_id[-8:]}"
    if provider.options.vaanivoice_output == "object":
        output = {"agent_name": agent, "call_id": call_id, "live_captions_url": captions_url(provider, call_id)}
    return Json({"success": True, "message": "Call initiated successfully", "output": output, "error": None})


def _declined(text: str) -> Response:
    return _denied(text, None)


def _denied(text: str, call: Call | None) -> Response:
    output = None if call is None else {"agent_name": call.order.agent, "call_id": call.call_id}
    return Json({"success": False, "message": None, "output": output, "error": text})


def _browser_session(provider: Provider, agent: str) -> Response:
    _check_agent(provider, agent)
    rooms, now = provider.board.rooms, provider.now
    room = f"webrtc-{int(now)}-{len(rooms):08x}"
    rooms.add(room)
    return Json(
        {
            "token": tokens.livekit("browser", room, now),
            "room_name": room,
            "agent_name": agent,
            "connection_url": f"{provider.options.vaanivoice_connection_url}://livekit.invalid",
            "live_captions_url": captions_url(provider, room),
        }
    )
